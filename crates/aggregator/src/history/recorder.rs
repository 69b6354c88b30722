//! The thread that keeps the history: takes in notes, lets time pass, packs what is full, tells the disk.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError},
    },
    time::{Duration, Instant},
};

use gpulse_models::{GpuSnapshot, Timestamp};

use super::{
    block::Block,
    disk::{Batch, Kept},
    packed::Packed,
    store::Store,
};

/// From one look at what is over to the next: the finest slot.
const LOOK: Duration = Duration::from_secs(1);

/// How long it is waited for what an earlier process kept, before there is anything new. What comes later is put below that.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the thread is told.
#[derive(Debug)]
pub(crate) enum Note {
    /// A tick read something.
    Sampled(Arc<GpuSnapshot>),
    /// The agent ends. With a channel to say that everything is kept.
    Stop(SyncSender<()>),
}

/// The way to the thread of the disk.
#[derive(Debug)]
pub(crate) struct DiskLink {
    batches: SyncSender<Batch>,
    kept: Receiver<Kept>,
    flush_interval: Duration,
    flushed: Instant,
    is_complete: bool,
}

impl DiskLink {
    pub(crate) fn new(batches: SyncSender<Batch>, kept: Receiver<Kept>, flush_interval: Duration) -> Self {
        Self {
            batches,
            kept,
            flush_interval,
            flushed: Instant::now(),
            is_complete: false,
        }
    }

    /// Takes over what an earlier process kept, if that has come by now or comes within `patience`.
    fn restore(&mut self, store: &RwLock<Store>, patience: Duration) {
        if self.is_complete {
            return;
        }
        let kept = if patience.is_zero() {
            self.kept.try_recv()
        } else {
            self.kept.recv_timeout(patience).map_err(|_| TryRecvError::Empty)
        };
        if let Ok(kept) = kept {
            let now = Timestamp::now().as_second();
            write(store, |store| store.restore(kept, now));
            self.is_complete = true;
        }
    }

    /// Sends what changed to the disk, if that is due or this is the end.
    fn flush(&mut self, store: &RwLock<Store>, done: Option<SyncSender<()>>) {
        if done.is_none() && self.flushed.elapsed() < self.flush_interval {
            return;
        }
        self.flushed = Instant::now();
        let (blocks, oldest) = write(store, |store| (store.unsaved(), store.oldest()));
        let batch = Batch {
            blocks,
            oldest,
            is_complete: self.is_complete,
            done,
        };
        let refused = if batch.done.is_some() {
            // There will not be another.
            self.batches.send(batch).err().map(|refused| refused.0)
        } else {
            self.batches.try_send(batch).err().map(|refused| match refused {
                TrySendError::Full(batch) | TrySendError::Disconnected(batch) => batch,
            })
        };
        if let Some(batch) = refused {
            write(store, |store| store.not_saved(&batch.blocks));
        }
    }
}

/// Keeps the history.
#[derive(Debug)]
pub(crate) struct Recorder {
    store: Arc<RwLock<Store>>,
    disk: Option<DiskLink>,
    looked: Instant,
    clock_steps: u64,
}

impl Recorder {
    pub(crate) fn new(store: Arc<RwLock<Store>>, disk: Option<DiskLink>) -> Self {
        Self {
            store,
            disk,
            looked: Instant::now(),
            clock_steps: 0,
        }
    }

    /// Runs until it is told to stop, or nobody is left who could tell it anything.
    pub(crate) fn run(mut self, notes: &Receiver<Note>) {
        if let Some(disk) = &mut self.disk {
            disk.restore(&self.store, PATIENCE);
        }
        loop {
            let patience = LOOK.saturating_sub(self.looked.elapsed());
            match notes.recv_timeout(patience) {
                Ok(Note::Sampled(gpu)) => write(&self.store, |store| store.note(&gpu)),
                Ok(Note::Stop(tell)) => {
                    write(&self.store, Store::end);
                    match &mut self.disk {
                        Some(disk) => disk.flush(&self.store, Some(tell)),
                        None => {
                            // Nobody waits any more if that took long.
                            let _ = tell.try_send(());
                        }
                    }
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.looked.elapsed() >= LOOK {
                self.looked = Instant::now();
                self.look();
            }
        }
    }

    fn look(&mut self) {
        if let Some(disk) = &mut self.disk {
            disk.restore(&self.store, Duration::ZERO);
        }
        write(&self.store, |store| store.tick(Timestamp::now().as_second()));
        pack(&self.store);
        if let Some(disk) = &mut self.disk {
            disk.flush(&self.store, None);
        }
        let steps = self
            .store
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clock_steps;
        if steps != self.clock_steps {
            self.clock_steps = steps;
            tracing::warn!("the clock went back: the history of times that are now to come is forgotten");
        }
    }
}

fn write<T>(store: &RwLock<Store>, change: impl FnOnce(&mut Store) -> T) -> T {
    change(&mut store.write().unwrap_or_else(PoisonError::into_inner))
}

/// Packs the blocks that will not be written any more. There is one writer, so that none of them changes meanwhile; readers
/// are held up only while pointers are put in place.
pub(crate) fn pack(store: &RwLock<Store>) {
    let unpacked = store.read().unwrap_or_else(PoisonError::into_inner).unpacked();
    if unpacked.is_empty() {
        return;
    }
    let packed = unpacked.into_iter().filter_map(|(id, block)| match block {
        Block::Open(open) => Some((id, Packed::of(&open)?)),
        Block::Packed(_) => None,
    });
    let packed: Vec<_> = packed.collect();
    write(store, |store| store.replace(packed));
}
