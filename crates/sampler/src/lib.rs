//! One actor per GPU; the only crate that knows NVML.
//!
//! [`Discovery`] initialises NVML (and tries again for as long as that fails), seeds the aggregator's roster and
//! starts a [`Sampler`] per GPU. A sampler never blocks: a reader thread of its own calls NVML for it. One more thread
//! waits for what the driver reports by itself, such as XIDs.

mod asker;
mod book;
mod convert;
mod counted;
mod discovery;
mod driver;
mod events;
mod ffi;
mod groups;
mod interval;
mod inventory;
mod label;
mod lateness;
mod library;
mod names;
mod port;
mod probe;
mod processes;
mod raw;
mod reader;
mod sampler;
mod schedule;
mod topology;

pub use discovery::{Discovery, DiscoverySettings, Reports};
pub use inventory::{Expectation, InventorySettings, SYSFS, watch_inventory};
pub use processes::{MAX_PROCESSES, ProcessSettings};
pub use sampler::{MAX_INTERVAL, MIN_INTERVAL, Sampler, SamplerSettings};
pub use schedule::Schedule;
