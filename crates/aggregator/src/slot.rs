//! What the aggregator remembers of one GPU between records: pure state, with time passed in.

use std::{sync::Arc, time::Duration};

use gpulse_models::{Failure, GpuSnapshot, GpuState, Reason, Timestamp};
use tokio::time::Instant;

use crate::Record;

/// One place of the roster.
#[derive(Debug)]
pub(crate) struct Slot {
    /// What was published last; the next publication is made from it.
    latest: Arc<GpuSnapshot>,
    /// When the last good sample was taken.
    sampled_at: Option<Instant>,
    /// What was counted of the GPU in earlier rosters.
    before: Counted,
}

/// What goes on when a GPU comes back in a new roster.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    sequence: u64,
    overruns: u64,
    dropped: u64,
}

impl Counted {
    /// What `gpu` has come to.
    pub(crate) fn of(gpu: &GpuSnapshot) -> Self {
        let health = &gpu.health;
        Self {
            sequence: health.sequence,
            overruns: health.overruns,
            dropped: health.dropped,
        }
    }
}

impl Slot {
    pub(crate) fn new(snapshot: Arc<GpuSnapshot>) -> Self {
        Self {
            latest: snapshot,
            sampled_at: None,
            before: Counted::default(),
        }
    }

    pub(crate) fn latest(&self) -> &Arc<GpuSnapshot> {
        &self.latest
    }

    /// Counts on from what was counted in an earlier roster.
    pub(crate) fn go_on_from(&mut self, before: Counted) {
        self.before = before;
        let mut next = GpuSnapshot::clone(&self.latest);
        next.health.sequence += before.sequence;
        self.latest = Arc::new(next);
    }

    /// Takes in what a tick brought.
    pub(crate) fn take(&mut self, record: Record, now: Moment, generation: u64) {
        let mut next = GpuSnapshot::clone(&self.latest);
        if let Some(facts) = record.facts {
            next.id = facts.id.clone();
            next.facts = Some(facts);
        }
        next.health.overruns = self.before.overruns + record.overruns;
        next.health.dropped = self.before.dropped + record.dropped;
        match record.outcome {
            Ok(sample) => {
                self.sampled_at = Some(record.at);
                next.sample = Some(sample);
                next.health.sequence += 1;
                next.health.failures = 0;
                next.health.last_error = None;
            }
            Err(failure) => {
                next.health.failures += 1;
                next.health.last_error = Some(failure);
            }
        }
        self.settle(next, now, generation);
    }

    /// Lets time pass. Returns whether that changed the GPU's state, so that it was made anew.
    pub(crate) fn age(&mut self, now: Moment, generation: u64) -> bool {
        if self.state(&self.latest.health.last_error, now) == self.latest.health.state {
            return false;
        }
        self.settle(GpuSnapshot::clone(&self.latest), now, generation);
        true
    }

    fn settle(&mut self, mut next: GpuSnapshot, now: Moment, generation: u64) {
        let state = self.state(&next.health.last_error, now);
        if state != next.health.state {
            next.health.state = state;
            next.health.since = now.wall;
        }
        next.generation = generation;
        self.latest = Arc::new(next);
    }

    /// A failed tick does not blank a GPU whose last sample is still fresh: only hung and lost show at once.
    fn state(&self, last_error: &Option<Failure>, now: Moment) -> GpuState {
        let fresh = self
            .sampled_at
            .map(|at| now.monotonic.saturating_duration_since(at) <= now.stale_after);
        match (last_error.as_ref().map(|failure| failure.reason), fresh) {
            (Some(Reason::GpuLost), _) => GpuState::Lost,
            (Some(Reason::Timeout), _) => GpuState::Hung,
            (_, Some(true)) => GpuState::Ok,
            (None, Some(false)) => GpuState::Stale,
            (Some(_), Some(false)) | (_, None) => GpuState::Unavailable,
        }
    }
}

/// The present, and from which age on a sample is stale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) monotonic: Instant,
    pub(crate) wall: Timestamp,
    pub(crate) stale_after: Duration,
}
