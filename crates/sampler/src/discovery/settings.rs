//! What discovery is told, and whom it tells.

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix::Recipient;
use gpulse_aggregator::{Counters, DriverDown, EventBatch, Joined, Record, Roster};
use tokio::sync::watch;

/// How NVML is found and how often that is tried.
#[derive(Clone, Debug)]
pub struct DiscoverySettings {
    /// The library to load; by default it is searched for where drivers put it.
    pub library: Option<PathBuf>,
    /// Pause after the first failed attempt; it doubles from there.
    pub retry_first: Duration,
    /// The longest pause.
    pub retry_max: Duration,
    /// Whether to wait for what the driver reports by itself.
    pub events: bool,
    /// Whether the GPUs are to be let go.
    pub parking: watch::Receiver<bool>,
    /// Where calls of the driver, and what samplers do, are counted.
    pub counters: Arc<Counters>,
}

/// Where what was found is reported to.
#[derive(Clone, Debug)]
pub struct Reports {
    /// GPUs that were found.
    pub roster: Recipient<Roster>,
    /// Why NVML cannot be used.
    pub down: Recipient<DriverDown>,
    /// What was read of a GPU.
    pub records: Recipient<Record>,
    /// What the driver reported by itself.
    pub events: Recipient<EventBatch>,
    /// How the GPUs are joined.
    pub joined: Recipient<Joined>,
}
