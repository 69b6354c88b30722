//! Keys about the history: how far back each tier reaches, and what it may take.

use std::{path::PathBuf, time::Duration};

use gpulse_aggregator::{DiskSettings, HistorySettings, Tier};
use serde::{Deserialize, Serialize};

use super::{
    duration,
    schema::{Violation, within},
};

/// How long a tier keeps, at least and at most: a block of it, and more than fits into memory.
const KEEPS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(366 * 86_400));

/// Bytes of memory, at least and at most: what is not packed yet of one GPU, and what no agent should take.
const MEMORY: (usize, usize) = (1 << 20, 1 << 30);

/// From one flush to the next, at least and at most: each waits for the disk, and what is not flushed is lost in a crash.
const FLUSHES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3_600));

/// Bytes on disk, at least and at most: what the engine takes for itself with room for an hour, and what no agent should take.
const DISK: (u64, u64) = (8 << 20, 1 << 40);

/// What the GPUs did lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    pub(crate) enabled: bool,
    #[serde(with = "duration")]
    pub(crate) keep_1s: Duration,
    #[serde(with = "duration")]
    pub(crate) keep_10s: Duration,
    #[serde(with = "duration")]
    pub(crate) keep_1min: Duration,
    pub(crate) max_bytes: usize,
    pub(crate) directory: Option<PathBuf>,
    #[serde(with = "duration")]
    pub(crate) flush_interval: Duration,
    pub(crate) max_disk_bytes: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            enabled: true,
            keep_1s: Duration::from_secs(3_600),
            keep_10s: Duration::from_secs(2 * 3_600),
            keep_1min: Duration::from_secs(12 * 3_600),
            max_bytes: 16 << 20,
            directory: None,
            flush_interval: Duration::from_secs(10),
            max_disk_bytes: 64 << 20,
        }
    }
}

impl History {
    pub(super) fn check(&self) -> Result<(), Violation> {
        within("history.keep_1s", self.keep_1s, KEEPS.0, KEEPS.1)?;
        within("history.keep_10s", self.keep_10s, KEEPS.0, KEEPS.1)?;
        within("history.keep_1min", self.keep_1min, KEEPS.0, KEEPS.1)?;
        within("history.max_bytes", self.max_bytes, MEMORY.0, MEMORY.1)?;
        within(
            "history.flush_interval",
            self.flush_interval,
            FLUSHES.0,
            FLUSHES.1,
        )?;
        within("history.max_disk_bytes", self.max_disk_bytes, DISK.0, DISK.1)
    }

    /// What the history is told; nothing if none is kept.
    pub(crate) fn settings(&self) -> Option<HistorySettings> {
        let tier = |step, keep: Duration| Tier {
            step,
            keep: i64::try_from(keep.as_secs()).unwrap_or(i64::MAX),
        };
        self.enabled.then(|| HistorySettings {
            tiers: vec![
                tier(1, self.keep_1s),
                tier(10, self.keep_10s),
                tier(60, self.keep_1min),
            ],
            max_bytes: self.max_bytes,
            disk: self.directory.as_ref().map(|directory| DiskSettings {
                directory: directory.clone(),
                flush_interval: self.flush_interval,
                max_bytes: self.max_disk_bytes,
            }),
        })
    }
}
