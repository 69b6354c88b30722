//! What clients, listeners and the receiver do meanwhile, and what they have done.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

/// Between two looks of one who rests.
const PAUSE: Duration = Duration::from_millis(50);

/// Shared by all who make work for the agent.
#[derive(Debug, Default)]
pub(crate) struct Load {
    done: AtomicBool,
    rests: AtomicBool,
    /// Requests that were answered.
    pub(crate) answers: AtomicU64,
    /// Frames of streams that were read.
    pub(crate) frames: AtomicU64,
}

impl Load {
    /// Whether there is work to make. Waits while all rest.
    pub(crate) fn goes_on(&self) -> bool {
        while self.rests() && !self.done.load(Ordering::Relaxed) {
            thread::sleep(PAUSE);
        }
        !self.done.load(Ordering::Relaxed)
    }

    /// Whether all rest now.
    pub(crate) fn rests(&self) -> bool {
        self.rests.load(Ordering::Relaxed)
    }

    /// Lets all rest while `look` looks.
    pub(crate) fn rest<T>(&self, look: impl FnOnce() -> T) -> T {
        self.rests.store(true, Ordering::Relaxed);
        let seen = look();
        self.rests.store(false, Ordering::Relaxed);
        seen
    }

    /// Nobody makes work any more.
    pub(crate) fn end(&self) {
        self.done.store(true, Ordering::Relaxed);
    }
}
