//! What the agent knows of itself: its calls of the driver, its samplers, its requests, its process.
//!
//! All of it counts from the start of the agent and never goes back, but for what is said to be of this moment.

mod calls;
mod http;
mod process;
mod push;

use serde::Serialize;

pub use self::{
    calls::{CALL_BUCKETS, CallErrors, CallStats, Latencies},
    http::{ConnectionStats, HttpMethod, HttpStats, OTHER_ROUTE, RequestCount, StreamStats},
    process::{BuildInfo, ProcessStats},
    push::{DropReason, PushStats},
};
use crate::Timestamp;

/// The agent's own metrics at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentStats {
    /// When they were read.
    pub read_at: Timestamp,
    /// Calls of the driver, by name in the order of the alphabet; only those that were made.
    pub calls: Vec<CallStats>,
    /// The sampler of each place in the roster, by index.
    pub samplers: Vec<SamplerStats>,
    /// The writer of the latest snapshot.
    pub aggregator: AggregatorStats,
    /// Requests and connections.
    pub http: HttpStats,
    /// Streams of snapshots.
    pub streams: StreamStats,
    /// The exporters that push, those that do.
    pub pushes: Vec<PushStats>,
    /// What the kernel says of the agent's process.
    pub process: ProcessStats,
    /// What was built.
    pub build: BuildInfo,
}

/// What the sampler of one place in the roster has done, across initialisations of the driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SamplerStats {
    /// NVML's index.
    pub index: u32,
    /// Times at which a read was due.
    pub ticks: u64,
    /// Ticks that found the reader still busy, and asked for nothing.
    pub overruns: u64,
    /// Reads that gave a sample.
    pub samples: u64,
    /// Reads that failed, and ticks that could not ask for one because the GPU hangs.
    pub failures: u64,
    /// Reads that were given up because a call did not return within the deadline.
    pub hangs: u64,
    /// Outcomes that the aggregator's mailbox refused.
    pub dropped: u64,
    /// Reader threads that were started in the place of one that hung or ended.
    pub readers_replaced: u64,
}

/// What the writer of the latest snapshot has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AggregatorStats {
    /// Outcomes of reads that it took in.
    pub records: u64,
    /// Outcomes of an earlier roster, which came too late to count.
    pub records_outdated: u64,
    /// Events of the driver that it took in. What was lost on the way is among the log's own totals.
    pub events: u64,
    /// Number of the latest host snapshot.
    pub generation: u64,
    /// Looks at the ages of GPUs. It goes up at least once a second for as long as the aggregator moves.
    pub heartbeats: u64,
}
