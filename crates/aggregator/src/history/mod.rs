//! What the GPUs did lately: the numbers that were read, in tiers that are the coarser the further back they reach.
//!
//! 1. The aggregator hands over what a tick read ([`History::note`]): an `Arc` into a bounded queue, and never waits.
//! 2. A thread of its own puts it into the finest tier's slot (`store`, `ring`), and each slot that is over into the coarser ones.
//! 3. Blocks of slots that are full are packed (`packed`), outside of the lock; the oldest are forgotten by age and by bytes.
//! 4. With a directory, another thread writes what changed to disk every few seconds, and reads it at the next start (`disk`).
//! 5. Whoever asks ([`History::query`]) copies pointers to blocks, and unpacks them itself.

mod block;
mod disk;
mod metrics;
mod packed;
mod query;
mod recorder;
mod ring;
mod store;

use std::{
    io,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use gpulse_models::{GpuId, GpuSnapshot};

pub use disk::DiskSettings;
pub use metrics::{KEPT, Kept, KeptMetric, MetricId};
pub use query::{Columns, MOST_LOOKED_AT, MOST_POINTS, Query, Series, TooMuch};
pub use ring::Tier;

use disk::{Disk, Outcomes};
use recorder::{DiskLink, Note, Recorder};
use store::Store;

/// Notes that may wait: as many as the aggregator's own mailbox holds, four seconds of 64 GPUs.
const WAITING_NOTES: usize = 256;

/// Batches that may wait for the disk: the next one has what this one has not.
const WAITING_BATCHES: usize = 1;

/// How much is kept.
#[derive(Clone, Debug)]
pub struct HistorySettings {
    /// The tiers, the finest first; each step is a multiple of the one before.
    pub tiers: Vec<Tier>,
    /// Bytes that are held in memory.
    pub max_bytes: usize,
    /// Where it is kept on disk as well; nowhere if not given.
    pub disk: Option<DiskSettings>,
}

/// What the GPUs did lately. Cheap to clone.
#[derive(Clone, Debug)]
pub struct History {
    store: Arc<RwLock<Store>>,
    notes: SyncSender<Note>,
    dropped: Arc<AtomicU64>,
    disk: Arc<Outcomes>,
}

/// A GPU that there is a history of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownGpu {
    /// Its identity.
    pub id: GpuId,
    /// NVML's index, when it was last seen.
    pub index: u32,
}

impl History {
    /// Starts the threads that keep it; they end with the last handle.
    ///
    /// # Errors
    ///
    /// If a thread cannot be started.
    pub fn start(settings: HistorySettings) -> io::Result<Self> {
        let store = Arc::new(RwLock::new(Store::new(settings.tiers, settings.max_bytes)));
        let (notes, waiting) = sync_channel(WAITING_NOTES);
        let outcomes = Arc::<Outcomes>::default();
        let link = settings
            .disk
            .map(|disk| start_disk(disk, Arc::clone(&outcomes)))
            .transpose()?;
        let recorder = Recorder::new(Arc::clone(&store), link);
        thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || recorder.run(&waiting))?;
        Ok(Self {
            store,
            notes,
            dropped: Arc::default(),
            disk: outcomes,
        })
    }

    /// Hands over what a tick read. Never waits: what does not fit into the queue is counted and missing.
    pub fn note(&self, gpu: &Arc<GpuSnapshot>) {
        match self.notes.try_send(Note::Sampled(Arc::clone(gpu))) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Answers a query. Takes time that grows with what is asked for, up to some tenths of a second.
    ///
    /// # Errors
    ///
    /// If that would be too much.
    pub fn query(&self, query: &Query) -> Result<Columns, TooMuch> {
        query::answer(&self.store, query)
    }

    /// The GPUs that there is a history of, those included that are gone.
    pub fn gpus(&self) -> Vec<KnownGpu> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let known = store.gpus().iter().map(|(id, gpu)| KnownGpu {
            id: id.clone(),
            index: gpu.index,
        });
        known.collect()
    }

    /// The tiers, the finest first.
    pub fn tiers(&self) -> Vec<Tier> {
        self.store
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .tiers()
            .to_vec()
    }

    /// The second in which the oldest slot of each tier begins, in the order of [`Self::tiers`]; nothing where a tier has none yet.
    pub fn begins(&self) -> Vec<Option<i64>> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let of_tier = |place: usize| {
            let gpus = store.gpus().values();
            gpus.filter_map(|gpu| gpu.rings.get(place)?.begins()).min()
        };
        (0..store.tiers().len()).map(of_tier).collect()
    }

    /// Bytes that are held in memory, and how many may be.
    pub fn bytes(&self) -> (usize, usize) {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        (store.bytes(), store.max_bytes())
    }

    /// Samples that the queue had no room for.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How often the disk could not be read or written.
    pub fn disk_failures(&self) -> u64 {
        self.disk.failures.load(Ordering::Relaxed)
    }

    /// How often what had changed was written to disk. What was handed over before a flush began survives a crash once it is counted.
    pub fn disk_flushes(&self) -> u64 {
        self.disk.flushes.load(Ordering::Relaxed)
    }

    /// Ends it, so that nothing is lost that was handed over. Returns once that is done, or after `grace`.
    pub fn stop(&self, grace: Duration) {
        let (tell, told) = sync_channel(1);
        if self.notes.try_send(Note::Stop(tell)).is_ok() {
            // Whoever does not listen is not waited for.
            let _ = told.recv_timeout(grace);
        }
    }
}

/// Starts the thread that writes to disk.
fn start_disk(settings: DiskSettings, outcomes: Arc<Outcomes>) -> io::Result<DiskLink> {
    let (batches, waiting) = sync_channel(WAITING_BATCHES);
    let (keep, kept) = sync_channel(1);
    let flush_interval = settings.flush_interval;
    let disk = Disk::new(settings, outcomes);
    thread::Builder::new()
        .name("history-disk".to_owned())
        .spawn(move || disk.run(&waiting, &keep))?;
    Ok(DiskLink::new(batches, kept, flush_interval))
}

#[cfg(any(test, feature = "fixture"))]
impl History {
    /// Takes in what a tick read, at once, for tests and benchmarks.
    pub fn take(&self, gpu: &GpuSnapshot) {
        self.store
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .note(gpu);
    }

    /// Ends the slots that are over by the second `now`, for tests and benchmarks.
    pub fn tick(&self, now: i64) {
        self.store
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .tick(now);
        recorder::pack(&self.store);
    }
}

#[cfg(test)]
mod tests;
