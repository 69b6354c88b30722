//! Batches that wait for the receiver, in the order in which they were made. Bounded in bytes and in time.

use std::{cell::RefCell, collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use gpulse_aggregator::PushCounters;
use gpulse_models::DropReason;
use tokio::{sync::Notify, time::Instant};

/// How long a batch waits at most: receivers refuse samples much older than that, Prometheus unless it was told
/// otherwise, and a receiver that comes back should not first have to take in half a day.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(3600);

/// The least that a buffer may be, in bytes: room for a batch of sixteen GPUs with every reading.
pub const MIN_BUFFER_BYTES: usize = 1024 * 1024;

/// The most that a buffer may be, in bytes: what an hour of the longest batches takes at an interval of a second.
pub const MAX_BUFFER_BYTES: usize = 1024 * 1024 * 1024;

/// What a buffer is unless it is configured, in bytes: an hour of eight GPUs with every reading, every ten seconds.
pub const BUFFER_BYTES: usize = 16 * 1024 * 1024;

/// What was said of one snapshot, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The message, compressed.
    pub(crate) body: Bytes,
    /// How many samples it holds.
    pub(crate) samples: u64,
}

impl Batch {
    /// A message of `samples` samples, in as many bytes as it has: compressors make room for the worst case, ten times as much, and
    /// that would wait as well, beside the bound.
    pub(crate) fn new(body: Vec<u8>, samples: u64) -> Self {
        Self {
            body: body.into_boxed_slice().into(),
            samples,
        }
    }
}

/// The waiting batches. One task puts them in and another takes them out, both of one thread.
#[derive(Debug)]
pub(super) struct Buffer {
    inner: RefCell<Inner>,
    filled: Notify,
    most: usize,
    counters: Arc<PushCounters>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Whether the first one is being sent right now: it is not dropped meanwhile, so that none is both sent and dropped.
    under_way: bool,
}

#[derive(Debug)]
struct Waiting {
    batch: Batch,
    since: Instant,
}

impl Buffer {
    pub(super) fn new(most: usize, counters: Arc<PushCounters>) -> Self {
        Self {
            inner: RefCell::default(),
            filled: Notify::new(),
            most,
            counters,
        }
    }

    /// Puts a batch behind the others. If there is no room for it, the oldest go, however many it takes.
    pub(super) fn put(&self, batch: Batch) {
        let mut inner = self.inner.borrow_mut();
        inner.bytes += batch.body.len();
        inner.waiting.push_back(Waiting {
            batch,
            since: Instant::now(),
        });
        while inner.bytes > self.most {
            let oldest = usize::from(inner.under_way);
            // A batch that is larger than all the room goes as well.
            let Some(waiting) = inner.waiting.remove(oldest) else {
                break;
            };
            inner.bytes -= waiting.batch.body.len();
            self.counters
                .dropped(DropReason::BufferFull, waiting.batch.samples);
        }
        self.counters.buffered(inner.bytes);
        self.filled.notify_one();
    }

    /// The oldest batch, once there is one. It counts as under way until [`Buffer::back`] or [`Buffer::done`].
    pub(super) async fn first(&self) -> Batch {
        loop {
            if let Some(batch) = self.try_first() {
                return batch;
            }
            self.filled.notified().await;
        }
    }

    /// The same if there is one now.
    pub(super) fn try_first(&self) -> Option<Batch> {
        let mut inner = self.inner.borrow_mut();
        while let Some(first) = inner.waiting.front() {
            if first.since.elapsed() <= KEPT_FOR {
                let batch = first.batch.clone();
                inner.under_way = true;
                return Some(batch);
            }
            self.counters.dropped(DropReason::Expired, first.batch.samples);
            self.remove_first(&mut inner);
        }
        None
    }

    /// The one under way waits again, in its place.
    pub(super) fn back(&self) {
        self.inner.borrow_mut().under_way = false;
    }

    /// The one under way is gone, for good or bad.
    pub(super) fn done(&self) {
        let mut inner = self.inner.borrow_mut();
        if std::mem::take(&mut inner.under_way) {
            self.remove_first(&mut inner);
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.inner.borrow().waiting.len()
    }

    fn remove_first(&self, inner: &mut Inner) {
        if let Some(first) = inner.waiting.pop_front() {
            inner.bytes -= first.batch.body.len();
            self.counters.buffered(inner.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use gpulse_aggregator::Counters;

    use super::*;

    fn batch(number: u8, bytes: usize) -> Batch {
        Batch::new(vec![number; bytes], u64::from(number))
    }

    fn buffer(most: usize) -> Buffer {
        Buffer::new(most, Counters::default().push("otlp"))
    }

    fn numbers(buffer: &Buffer) -> Vec<u8> {
        let mut numbers = Vec::new();
        while let Some(batch) = buffer.try_first() {
            numbers.push(batch.body[0]);
            buffer.done();
        }
        numbers
    }

    fn dropped(buffer: &Buffer, reason: DropReason) -> u64 {
        let stats = buffer.counters.read();
        stats.dropped_samples[reason as usize].1
    }

    #[test]
    fn a_batch_takes_no_more_than_its_bytes() {
        let mut roomy = Vec::with_capacity(10_000);
        roomy.extend([7; 10]);
        let body = Vec::from(Batch::new(roomy, 1).body);
        assert_eq!(body, [7; 10]);
        assert!(body.capacity() < 100, "{}", body.capacity());
    }

    #[test]
    fn the_oldest_go_first_and_the_others_keep_their_order() {
        let buffer = buffer(100);
        for number in 1..=5 {
            buffer.put(batch(number, 30));
        }
        assert_eq!(buffer.counters.read().buffered_bytes, 90);
        assert_eq!(dropped(&buffer, DropReason::BufferFull), 1 + 2);
        assert_eq!(numbers(&buffer), [3, 4, 5]);
        assert_eq!(buffer.counters.read().buffered_bytes, 0);
    }

    #[test]
    fn the_one_under_way_is_not_dropped_and_the_one_that_waits_again_is() {
        let buffer = buffer(100);
        buffer.put(batch(1, 50));
        buffer.put(batch(2, 50));
        assert_eq!(buffer.try_first().unwrap().samples, 1);
        buffer.put(batch(3, 50));
        assert_eq!(dropped(&buffer, DropReason::BufferFull), 2);
        buffer.back();
        buffer.put(batch(4, 50));
        assert_eq!(dropped(&buffer, DropReason::BufferFull), 2 + 1);
        assert_eq!(numbers(&buffer), [3, 4]);
    }

    #[test]
    fn a_batch_larger_than_all_the_room_does_not_stay() {
        let buffer = buffer(100);
        buffer.put(batch(1, 200));
        assert_eq!(buffer.len(), 0);
        assert_eq!(dropped(&buffer, DropReason::BufferFull), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waited_too_long_is_not_sent_any_more() {
        let buffer = buffer(100);
        buffer.put(batch(1, 10));
        tokio::time::advance(KEPT_FOR).await;
        buffer.put(batch(2, 10));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(buffer.first().await.samples, 2);
        assert_eq!(dropped(&buffer, DropReason::Expired), 1);
    }
}
