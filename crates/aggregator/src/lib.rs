//! The single writer of "latest", and the cache that everyone reads.
//!
//! Samplers send a [`Record`] per tick to the [`Aggregator`]; it alone writes the [`SnapshotCache`], from which
//! any number of readers take the latest state for the price of a pointer, without asking anyone. What happened in
//! between, at the driver's pace and not at the samplers', is kept in its [`EventLog`]. Beside all that, whoever does something counts it in the
//! [`Counters`], the agent's metrics of itself.

mod absentees;
mod aggregator;
mod cache;
mod events;
mod history;
mod notices;
mod parking;
mod recent;
mod slot;
mod stats;

pub use aggregator::{
    Aggregator, Assigned, DriverDown, EventBatch, GpuEvent, Inventoried, Joined, MAILBOX_CAPACITY, Record,
    Roster, Watch,
};
pub use cache::SnapshotCache;
pub use events::{EVENTS_KEPT, EventLog, EventPage, EventTotals, XIDS_COUNTED};
pub use history::{
    Columns, DiskSettings, History, HistorySettings, KEPT, Kept, KeptMetric, KnownGpu, MOST_LOOKED_AT,
    MOST_POINTS, MetricId, Query, Series, Tier, TooMuch,
};
pub use parking::Parking;
pub use recent::{GENERATIONS_KEPT, Published, Recent};
pub use stats::{
    Answering, CallUnderWay, Calls, Counters, Http, MOST_CALLS, MOST_SAMPLERS, OpenConnection, OpenStream,
    PushCounters, STATUSES, SamplerCounters, Streams,
};
