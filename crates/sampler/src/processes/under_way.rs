//! Which command lines are being read, so that one that never comes is waited for once.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A process: its pid and when it started, in clock ticks from boot.
pub(super) type Key = (u32, u64);

/// The reads under way of all readers of one GPU, those included that were abandoned because they hang.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnderWay(Arc<Mutex<BTreeSet<Key>>>);

impl UnderWay {
    /// Reads something of a process, unless another reader is at it and has not returned.
    pub(super) fn read<T>(&self, process: Key, read: impl FnOnce() -> T) -> Option<T> {
        if !self.keys().insert(process) {
            return None;
        }
        // Nothing is held while this may hang.
        let read = read();
        self.keys().remove(&process);
        Some(read)
    }

    /// Whether nothing is being read.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.keys().is_empty()
    }

    fn keys(&self) -> MutexGuard<'_, BTreeSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
