//! The history on disk: a thread of its own, so that a slow, full or broken disk holds nobody up.
//!
//! 1. It opens the file, and hands what is in it to the recorder. A file that is not sound is moved aside, not deleted.
//! 2. Each flush is one transaction: blocks that changed, and those that memory has forgotten.
//! 3. What cannot be written waits for the next flush; after an error the file is opened anew.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender},
    },
    time::Duration,
};

use gpulse_models::{GpuId, Timestamp};

use super::{block::Block, packed::Packed, store::BlockId};

mod file;

use file::{File, OpenError};

/// The name of the file.
const FILE: &str = "history.redb";

/// What follows it in the name of one that is not sound, before the time.
const ASIDE: &str = ".corrupt-";

/// Blocks that wait to be written while the disk refuses: more than all tiers of 64 GPUs hold.
const WAITING_BLOCKS: usize = 20_000;

/// Where the history is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSettings {
    /// The directory; made if it is not there.
    pub directory: PathBuf,
    /// From one flush to the next: what a crash loses at most.
    pub flush_interval: Duration,
    /// Bytes of the file.
    pub max_bytes: u64,
}

/// What came of it so far.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) flushes: AtomicU64,
    pub(crate) failures: AtomicU64,
}

/// What an earlier process kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) blocks: Vec<(BlockId, Packed)>,
    /// NVML's index of each GPU, when it was last seen.
    pub(crate) gpus: Vec<(GpuId, u32)>,
}

/// What is to be on disk.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Blocks that changed.
    pub(crate) blocks: Vec<(BlockId, Block)>,
    /// Each GPU with its index, and the oldest block of each of its tiers: what is older is forgotten.
    pub(crate) oldest: Vec<(BlockId, u32)>,
    /// Whether memory has what was on disk, so that it can say what to forget.
    pub(crate) is_complete: bool,
    /// With the last batch: told once it is written, or cannot be, and the file is let go.
    pub(crate) done: Option<SyncSender<()>>,
}

/// The thread's state.
pub(crate) struct Disk {
    settings: DiskSettings,
    file: Option<File>,
    has_loaded: bool,
    waiting: BTreeMap<BlockId, Block>,
    outcomes: Arc<Outcomes>,
    is_failing: bool,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Disk {
    /// One that counts in `outcomes` what was written and what could not be.
    pub(crate) fn new(settings: DiskSettings, outcomes: Arc<Outcomes>) -> Self {
        Self {
            settings,
            file: None,
            has_loaded: false,
            waiting: BTreeMap::new(),
            outcomes,
            is_failing: false,
        }
    }

    /// Runs until the last batch came, or nobody is left who could send one.
    pub(crate) fn run(mut self, batches: &Receiver<Batch>, kept: &SyncSender<Kept>) {
        self.open(kept);
        while let Ok(batch) = batches.recv() {
            let done = batch.done.clone();
            self.open(kept);
            self.write(batch);
            if let Some(done) = done {
                // Whoever is told may open the file at once.
                drop(self.file.take());
                // Nobody waits any more if that took long.
                let _ = done.try_send(());
                return;
            }
        }
    }

    /// Opens the file if it is not, and hands over what is in it if nobody has that yet.
    fn open(&mut self, kept: &SyncSender<Kept>) {
        if self.file.is_some() {
            return;
        }
        match self.opened() {
            Ok((file, found)) => {
                // A file that opens is not one that can be written: after a failure it is a flush that shows that it is.
                if !self.is_failing {
                    tracing::info!(
                        directory = %self.settings.directory.display(),
                        blocks = found.blocks.len(),
                        "the history is kept on disk"
                    );
                }
                self.file = Some(file);
                if !std::mem::replace(&mut self.has_loaded, true) {
                    // Nobody listens any more while the agent ends.
                    let _ = kept.send(found);
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    fn opened(&self) -> Result<(File, Kept), OpenError> {
        fs::create_dir_all(&self.settings.directory).map_err(OpenError::Io)?;
        let path = self.settings.directory.join(FILE);
        let attempt = || {
            // The engine says what is wrong with a file in nearly all cases, and panics in the others.
            let opened = catch_unwind(AssertUnwindSafe(|| File::open(&path)));
            opened.unwrap_or_else(|_| Err(OpenError::Unsound("the engine gave up".to_owned())))
        };
        match attempt() {
            Err(OpenError::Unsound(why)) => {
                let aside = self.aside();
                tracing::warn!(why, aside = %aside.display(), "the history on disk is not sound: moved aside, begun anew");
                fs::rename(&path, &aside).map_err(OpenError::Io)?;
                self.forget_all_but(&aside);
                attempt()
            }
            other => other,
        }
    }

    /// A name for a file that is not sound.
    fn aside(&self) -> PathBuf {
        let now = Timestamp::now().as_millisecond();
        self.settings.directory.join(format!("{FILE}{ASIDE}{now}"))
    }

    /// Removes files that were moved aside before: on a disk that fails again and again they would fill it.
    fn forget_all_but(&self, latest: &Path) {
        let Ok(entries) = fs::read_dir(&self.settings.directory) else {
            return;
        };
        let earlier = entries.flatten().filter(|entry| {
            let name = entry.file_name();
            let is_aside = name.to_str().and_then(|name| name.strip_prefix(FILE));
            is_aside.is_some_and(|rest| rest.starts_with(ASIDE)) && entry.path() != latest
        });
        for entry in earlier {
            if let Err(error) = fs::remove_file(entry.path()) {
                tracing::warn!(%error, file = %entry.path().display(), "an earlier history that is not sound stays");
            }
        }
    }

    fn write(&mut self, batch: Batch) {
        self.waiting.extend(batch.blocks);
        while self.waiting.len() > WAITING_BLOCKS {
            self.waiting.pop_first();
        }
        let Some(file) = &mut self.file else {
            return;
        };
        let packed = self.waiting.iter().filter_map(|(id, block)| match block {
            Block::Open(open) => Some((id, Arc::new(Packed::of(open)?))),
            Block::Packed(packed) => Some((id, Arc::clone(packed))),
        });
        let packed: Vec<_> = packed.collect();
        let forget = batch.is_complete.then_some(batch.oldest.as_slice());
        let written = catch_unwind(AssertUnwindSafe(|| {
            file.write(&packed, &batch.oldest, forget)?;
            file.shrink(self.settings.max_bytes)
        }));
        match written.unwrap_or_else(|_| Err(OpenError::Unsound("the engine gave up".to_owned()))) {
            Ok(()) => {
                self.waiting.clear();
                self.outcomes.flushes.fetch_add(1, Ordering::Relaxed);
                if std::mem::replace(&mut self.is_failing, false) {
                    tracing::info!("the history is written to disk again");
                }
            }
            Err(error) => {
                // After an error the engine refuses everything until it is opened anew.
                self.file = None;
                self.failed(&error);
            }
        }
    }

    /// Counts a failure, and logs the first of several.
    fn failed(&mut self, error: &OpenError) {
        self.outcomes.failures.fetch_add(1, Ordering::Relaxed);
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(
                %error,
                directory = %self.settings.directory.display(),
                "the history cannot be kept on disk: memory goes on, and it is tried again"
            );
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(test)]
mod tests;
