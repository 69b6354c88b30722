//! The single writer of "latest", and the cache that everyone reads.
//!
//! Samplers send a [`Record`] per tick to the [`Aggregator`]; it alone writes the [`SnapshotCache`], from which
//! any number of readers take the latest state for the price of a pointer, without asking anyone.

mod aggregator;
mod cache;
mod slot;

pub use aggregator::{Aggregator, DriverDown, MAILBOX_CAPACITY, Record, Roster};
pub use cache::SnapshotCache;
