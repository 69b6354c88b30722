//! Counts streams, and what they are sent.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use gpulse_models::StreamStats;

use super::Counters;

/// Streams of snapshots.
#[derive(Debug, Default)]
pub struct Streams {
    open: AtomicU64,
    sent: AtomicU64,
    skipped: AtomicU64,
}

/// A stream that is open until this is dropped.
#[derive(Debug)]
pub struct OpenStream(Arc<Counters>);

impl Streams {
    /// Whether anybody reads one.
    pub(crate) fn are_read(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    pub(super) fn read(&self) -> StreamStats {
        StreamStats {
            open: self.open.load(Ordering::Relaxed),
            snapshots: self.sent.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
        }
    }
}

impl OpenStream {
    pub(crate) fn new(counters: &Arc<Counters>) -> Self {
        counters.streams().open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counters))
    }

    /// A snapshot was sent, and so many before it were not because the client did not take them in time.
    pub fn sent(&self, skipped: u64) {
        let streams = self.0.streams();
        streams.sent.fetch_add(1, Ordering::Relaxed);
        if skipped > 0 {
            streams.skipped.fetch_add(skipped, Ordering::Relaxed);
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.streams().open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_counted_as_long_as_it_is_open() {
        let counters = Arc::<Counters>::default();
        let (one, other) = (OpenStream::new(&counters), OpenStream::new(&counters));
        one.sent(0);
        other.sent(3);
        drop(other);
        let expected = StreamStats {
            open: 1,
            snapshots: 2,
            skipped: 3,
        };
        assert_eq!(counters.read().streams, expected);
        assert!(counters.streams().are_read());
        drop(one);
        assert!(!counters.streams().are_read());
    }
}
