//! What exporters count about their pushing. Each is written by one thread.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use gpulse_models::{DropReason, PushStats, Timestamp};

/// The exporters that push. They are few, and each asks for its counters once.
#[derive(Debug, Default)]
pub(super) struct Pushes(Mutex<Vec<Arc<PushCounters>>>);

/// What one exporter counts.
#[derive(Debug)]
pub struct PushCounters {
    exporter: &'static str,
    sent: AtomicU64,
    dropped: AtomicU64,
    retried: AtomicU64,
    dropped_samples: [AtomicU64; DropReason::ALL.len()],
    buffered_bytes: AtomicU64,
    /// In microseconds since 1970; 0 for never.
    last_success: AtomicI64,
}

impl Pushes {
    pub(super) fn of(&self, exporter: &'static str) -> Arc<PushCounters> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = all.iter().find(|counters| counters.exporter == exporter) {
            return Arc::clone(found);
        }
        let new = Arc::new(PushCounters::new(exporter));
        all.push(Arc::clone(&new));
        new
    }

    pub(super) fn read(&self) -> Vec<PushStats> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|counters| counters.read()).collect()
    }
}

impl PushCounters {
    fn new(exporter: &'static str) -> Self {
        Self {
            exporter,
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            dropped_samples: std::array::from_fn(|_| AtomicU64::new(0)),
            buffered_bytes: AtomicU64::new(0),
            last_success: AtomicI64::new(0),
        }
    }

    /// What was counted so far.
    pub fn read(&self) -> PushStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let last = self.last_success.load(Ordering::Relaxed);
        PushStats {
            exporter: self.exporter,
            sent: read(&self.sent),
            dropped: read(&self.dropped),
            retried: read(&self.retried),
            dropped_samples: DropReason::ALL.map(|reason| (reason, read(self.of(reason)))),
            buffered_bytes: read(&self.buffered_bytes),
            last_success: Some(last)
                .filter(|last| *last != 0)
                .and_then(|last| Timestamp::from_microsecond(last).ok()),
        }
    }

    /// The receiver took a batch, but for some of its samples.
    pub fn sent(&self, at: Timestamp, rejected_samples: u64) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.of(DropReason::Rejected)
            .fetch_add(rejected_samples, Ordering::Relaxed);
        self.last_success.store(at.as_microsecond(), Ordering::Relaxed);
    }

    /// A batch was given up.
    pub fn dropped(&self, reason: DropReason, samples: u64) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        self.of(reason).fetch_add(samples, Ordering::Relaxed);
    }

    /// An attempt failed, and another will be made.
    pub fn retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    /// So many bytes wait now.
    pub fn buffered(&self, bytes: usize) {
        self.buffered_bytes.store(bytes as u64, Ordering::Relaxed);
    }

    fn of(&self, reason: DropReason) -> &AtomicU64 {
        &self.dropped_samples[reason as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_exporter_and_each_reason_counts_for_itself() {
        let pushes = Pushes::default();
        for (count, reason) in (1..).zip(DropReason::ALL) {
            pushes.of("otlp").dropped(reason, count);
        }
        pushes.of("remote_write").sent(Timestamp::UNIX_EPOCH, 9);
        let [otlp, remote_write] = &pushes.read()[..] else {
            panic!("{pushes:?}")
        };
        assert_eq!((otlp.dropped, otlp.sent, otlp.last_success), (5, 0, None));
        assert_eq!(otlp.dropped_samples.map(|(_, count)| count), [1, 2, 3, 4, 5]);
        assert_eq!((remote_write.dropped, remote_write.sent), (0, 1));
        assert_eq!(remote_write.dropped_samples[DropReason::Rejected as usize].1, 9);
    }
}
