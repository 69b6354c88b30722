//! The latest snapshot of each GPU and of the host, and the log of what happened: written by the aggregator, read by
//! anyone.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use dashmap::DashMap;
#[cfg(feature = "fixture")]
use gpulse_models::Event;
use gpulse_models::{GpuId, GpuSnapshot, HostSnapshot, Timestamp};
use tokio::sync::watch;

use crate::{Counters, EventLog, History, OpenStream, Parking, Published, Recent};

/// The latest snapshot of each GPU and of the host.
///
/// The map answers for one GPU. It cannot give several GPUs of one moment: that is what the host snapshot is for,
/// one immutable value behind one pointer.
#[derive(Debug)]
pub struct SnapshotCache {
    gpus: DashMap<GpuId, Arc<GpuSnapshot>>,
    host: ArcSwap<HostSnapshot>,
    /// Its number, for those who wait for the next one.
    generation: watch::Sender<u64>,
    recent: Recent,
    events: EventLog,
    parking: Parking,
    counters: Arc<Counters>,
    history: Option<History>,
}

/// The map is written by one thread and small: few shards suffice. DashMap wants a power of two above one.
const SHARDS: usize = 4;

impl SnapshotCache {
    /// A cache in which nothing was heard yet.
    pub fn new(at: Timestamp) -> Self {
        Self {
            gpus: DashMap::with_shard_amount(SHARDS),
            host: ArcSwap::from_pointee(HostSnapshot::starting(at)),
            generation: watch::Sender::new(0),
            recent: Recent::default(),
            events: EventLog::default(),
            parking: Parking::default(),
            counters: Arc::default(),
            history: None,
        }
    }

    /// The same, with a history of what is published.
    #[must_use]
    pub fn with_history(self, history: Option<History>) -> Self {
        Self { history, ..self }
    }

    /// The latest snapshot of the host. Costs a pointer load and never waits; do not keep the guard across an
    /// `.await`.
    pub fn host(&self) -> Guard<Arc<HostSnapshot>> {
        self.host.load()
    }

    /// The number of the latest snapshot of the host, for whoever waits for the next one. The aggregator wakes everybody who
    /// waits: many readers wait behind one of these, and not each at one of its own.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// The latest generations, as long as somebody reads a stream.
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// A stream begins, and goes on until what is returned is dropped.
    pub fn open_stream(&self) -> OpenStream {
        let stream = OpenStream::new(&self.counters);
        self.recent.begin(|| self.published(self.host.load_full()));
        stream
    }

    /// What happened, and how often.
    pub fn events(&self) -> &EventLog {
        &self.events
    }

    /// What the agent counts of itself. Samplers and the server write it, each its part.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// What the GPUs did lately; nothing if that is not kept.
    pub fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }

    /// Whether the GPUs are to be let go. Readers write it, too.
    pub fn parking(&self) -> &Parking {
        &self.parking
    }

    /// How often the aggregator has looked at the ages of GPUs, which it does at least once a second whether there are
    /// any or not. As long as this goes up it takes in what it is sent.
    pub fn heartbeat(&self) -> u64 {
        self.counters.aggregator().heartbeats()
    }

    /// The latest snapshot of one GPU.
    pub fn gpu(&self, id: &GpuId) -> Option<Arc<GpuSnapshot>> {
        self.gpus.get(id).map(|gpu| Arc::clone(gpu.value()))
    }

    /// Counts one look at the ages.
    pub(crate) fn beat(&self) {
        self.counters.aggregator().beat();
    }

    /// Replaces what is known of one GPU. The next host snapshot must contain the same value.
    pub(crate) fn put(&self, gpu: Arc<GpuSnapshot>) {
        self.gpus.insert(gpu.id.clone(), gpu);
    }

    /// Forgets a GPU that went, or the placeholder of one that has said its name.
    pub(crate) fn remove(&self, id: &GpuId) {
        self.gpus.remove(id);
    }

    /// Makes `host` the latest snapshot.
    pub(crate) fn publish(&self, host: HostSnapshot) {
        let (generation, host) = (host.generation, Arc::new(host));
        self.counters.aggregator().published(generation);
        self.host.store(Arc::clone(&host));
        self.recent
            .push(self.published(host), self.counters.streams().are_read());
        self.generation.send_replace(generation);
    }

    fn published(&self, host: Arc<HostSnapshot>) -> Published {
        Published {
            host,
            event: self.events.newest(),
        }
    }
}

#[cfg(feature = "fixture")]
impl SnapshotCache {
    /// A cache that holds `host`, for tests and benchmarks.
    pub fn holding(host: HostSnapshot) -> Self {
        let cache = Self::new(host.published_at);
        cache.replace(host);
        cache
    }

    /// Logs `event`, whose number is given anew, for tests and benchmarks.
    pub fn log(&self, event: Event) {
        if let Some(gpu) = &event.gpu {
            self.events.know(gpu.index, &gpu.id);
            self.events.watched(gpu.index, None);
        }
        self.events.append(event.at, event.gpu, event.kind);
    }

    /// Publishes `host` and its GPUs, for tests and benchmarks.
    pub fn replace(&self, host: HostSnapshot) {
        self.gpus.clear();
        for gpu in &host.gpus {
            self.put(Arc::clone(gpu));
        }
        self.publish(host);
    }
}

#[cfg(test)]
mod tests {
    use gpulse_models::{EventKind, example};

    use super::*;

    #[test]
    fn whoever_waits_finds_the_snapshot_and_what_came_before_it() {
        let cache = SnapshotCache::new(example::at());
        let stream = cache.open_stream();
        let mut follower = cache.follow();
        cache
            .events()
            .append(example::at(), None, EventKind::Driver(None));
        cache.publish(HostSnapshot {
            generation: 1,
            ..example::host([])
        });
        assert!(follower.has_changed().unwrap());
        assert_eq!(*follower.borrow_and_update(), cache.host().generation);
        let kept = cache.recent().after(0).unwrap();
        assert!(Arc::ptr_eq(&kept.host, &cache.host()));
        assert_eq!((kept.event, cache.recent().at(0).unwrap().event), (1, 0));
        drop(stream);
    }
}
