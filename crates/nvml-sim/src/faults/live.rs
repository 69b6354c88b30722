//! The fault list of a running process: read again whenever its file changes.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::{Fault, Incident, Values, parse};
use crate::world::complain;

/// The file is looked at no more often than this; also how often a hanging call looks whether it may return.
pub(crate) const CHECK_EVERY: Duration = Duration::from_millis(10);

/// A fault list that follows a file.
#[derive(Debug)]
pub(crate) struct LiveFaults {
    path: PathBuf,
    started: Instant,
    /// Microseconds after `started` before which nobody looks again.
    next_check: AtomicU64,
    /// Spares the lock for as long as there are no faults, which is the normal case.
    any: AtomicBool,
    list: RwLock<Arc<Vec<Active>>>,
    loader: Mutex<Loader>,
}

/// A fault that was loaded, and how often it has matched since.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    /// Distinguishes this fault from any other one ever loaded.
    pub(crate) id: u64,
    pub(crate) fault: Arc<Fault>,
    /// When it was loaded, on the world's clock.
    pub(crate) loaded: Duration,
    matched: Arc<AtomicU64>,
}

/// The fault that decides a call.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) id: u64,
    pub(crate) fault: Arc<Fault>,
    /// When it began, on the world's clock.
    pub(crate) began: Duration,
}

#[derive(Debug, Default)]
struct Loader {
    seen: Option<Stamp>,
    next_id: u64,
}

/// What changes when a file is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(of: &Metadata) -> Self {
        Self {
            inode: of.ino(),
            size: of.size(),
            modified: (of.mtime(), of.mtime_nsec()),
        }
    }
}

impl LiveFaults {
    /// Follows the file at `path`, which need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            started: Instant::now(),
            next_check: AtomicU64::new(0),
            any: AtomicBool::new(false),
            list: RwLock::default(),
            loader: Mutex::default(),
        }
    }

    /// A list that stays as it is.
    #[cfg(test)]
    pub(crate) fn fixed(list: &[Fault], now: Duration) -> Self {
        let fixed = Self::new(PathBuf::new());
        fixed.replace(list.to_vec(), &mut Loader::default(), now);
        fixed
    }

    /// Reads the file again if it has changed; cheap when it was looked at a moment ago.
    pub(crate) fn refresh(&self, moment: Instant, now: Duration) {
        let elapsed = moment.saturating_duration_since(self.started).as_micros() as u64;
        let due = self.next_check.load(Ordering::Relaxed);
        if elapsed < due {
            return;
        }
        let next = elapsed + CHECK_EVERY.as_micros() as u64;
        let mine = self
            .next_check
            .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed);
        if mine.is_ok() {
            self.reload(now);
        }
    }

    /// Whether there are no faults at all, which is the normal case and saves looking at the time.
    pub(crate) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    /// The fault that decides a call, if any; counts the match.
    pub(crate) fn decide(&self, function: &str, gpu: Option<usize>, now: Duration, seed: u64) -> Option<Hit> {
        self.find(now, |active| {
            active.fault.covers(function, gpu) && active.fires(seed)
        })
    }

    /// Whether a fault is still in force.
    pub(crate) fn holds(&self, id: u64, now: Duration) -> bool {
        self.snapshot()
            .iter()
            .any(|active| active.id == id && active.in_time(now))
    }

    /// The faults that are in force, for what they say about events and devices.
    pub(crate) fn in_force(&self, now: Duration) -> Vec<Active> {
        if self.is_empty() {
            return Vec::new();
        }
        self.snapshot()
            .iter()
            .filter(|active| active.in_time(now))
            .cloned()
            .collect()
    }

    /// How often something has happened to a GPU by now, or to one of its links; faults that are over have left their
    /// mark.
    pub(crate) fn incidents(&self, gpu: usize, what: Incident, link: Option<u32>, now: Duration) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let list = self.snapshot();
        let about_it = list.iter().filter(|active| active.fault.strikes(gpu, what, link));
        about_it
            .map(|active| active.fault.occurrences(now.saturating_sub(active.loaded)))
            .sum()
    }

    fn find(&self, now: Duration, wanted: impl Fn(&Active) -> bool) -> Option<Hit> {
        if self.is_empty() {
            return None;
        }
        let list = self.snapshot();
        let mut candidates = list
            .iter()
            .filter(|active| active.fault.touches_calls() && active.in_time(now));
        let hit = candidates.find(|active| wanted(active))?;
        Some(Hit {
            id: hit.id,
            fault: Arc::clone(&hit.fault),
            began: hit.loaded + hit.fault.start.unwrap_or_default(),
        })
    }

    fn snapshot(&self) -> Arc<Vec<Active>> {
        Arc::clone(&self.list.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn reload(&self, now: Duration) {
        let mut loader = self.loader.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = std::fs::metadata(&self.path)
            .ok()
            .map(|metadata| Stamp::from(&metadata));
        if stamp == loader.seen {
            return;
        }
        loader.seen = stamp;
        let faults = match std::fs::read_to_string(&self.path) {
            Ok(text) => parse(&text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(e.to_string()),
        };
        match faults {
            Ok(faults) => self.replace(faults, &mut loader, now),
            // Once for each change of the file, since `seen` is set.
            Err(problem) => {
                complain(&format!(
                    "{}: {problem}; the previous faults stay",
                    self.path.display()
                ));
            }
        }
    }

    /// Puts a new list in force. A fault that was there before keeps its count of calls.
    fn replace(&self, faults: Vec<Fault>, loader: &mut Loader, now: Duration) {
        let mut old: Vec<Active> = self.snapshot().to_vec();
        let mut list = Vec::with_capacity(faults.len());
        for fault in faults {
            if let Some(same) = old.iter().position(|active| *active.fault == fault) {
                list.push(old.remove(same));
                continue;
            }
            loader.next_id += 1;
            list.push(Active {
                id: loader.next_id,
                fault: Arc::new(fault),
                loaded: now,
                matched: Arc::default(),
            });
        }
        self.any.store(!list.is_empty(), Ordering::Release);
        *self.list.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(list);
    }
}

impl Active {
    /// Whether the fault's time has come and is not over.
    fn in_time(&self, now: Duration) -> bool {
        self.fault.in_time(now.saturating_sub(self.loaded))
    }

    /// Counts a match, and says whether it falls into the window and the share of calls that are touched.
    fn fires(&self, seed: u64) -> bool {
        let number = self.matched.fetch_add(1, Ordering::Relaxed);
        let Some(number) = number.checked_sub(self.fault.skip) else {
            return false;
        };
        if self.fault.times.is_some_and(|times| number >= times) {
            return false;
        }
        self.fault
            .probability
            .is_none_or(|share| crate::engine::chance(seed ^ self.id, number) < share)
    }
}

impl Hit {
    /// The wrong values of this fault, if it has any.
    pub(crate) fn values(&self) -> Option<&Values> {
        Some(&self.fault.values).filter(|values| !values.is_empty())
    }
}
