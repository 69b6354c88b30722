//! Where a waiter is: written by its thread, read by the actor that looks after it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gpulse_aggregator::Counters;
use tokio::time::Instant;

use crate::counted::{Outcome, counted};

/// Where a waiter is, and what it is told.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    counters: Arc<Counters>,
    inside: Mutex<Option<Inside>>,
    left_out: Mutex<Vec<u32>>,
    abandoned: AtomicBool,
}

/// The call under way.
#[derive(Clone, Copy, Debug)]
struct Inside {
    call: &'static str,
    gpu: Option<u32>,
    since: Instant,
}

impl Progress {
    /// Calls are counted in `counters`.
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self(Arc::new(Shared {
            counters,
            inside: Mutex::default(),
            left_out: Mutex::default(),
            abandoned: AtomicBool::new(false),
        }))
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    /// Makes a call that may not return, about one GPU or none.
    pub(crate) fn during<T: Outcome>(
        &self,
        call: &'static str,
        gpu: Option<u32>,
        make: impl FnOnce() -> T,
    ) -> T {
        *self.inside() = Some(Inside {
            call,
            gpu,
            since: Instant::now(),
        });
        let result = counted(self.0.counters.calls(), call, make);
        *self.inside() = None;
        result
    }

    /// The call that has not returned for longer than `limit`.
    pub(crate) fn stuck(&self, now: Instant, limit: Duration) -> Option<&'static str> {
        let inside = *self.inside();
        inside
            .filter(|inside| now.saturating_duration_since(inside.since) > limit)
            .map(|inside| inside.call)
    }

    /// The GPU that the call under way is about.
    pub(crate) fn gpu(&self) -> Option<u32> {
        (*self.inside()).and_then(|inside| inside.gpu)
    }

    /// Whether the thread has ended: nobody else holds this any more.
    pub(crate) fn is_over(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Tells the waiter to end as soon as it can, and to keep what it hears to itself.
    pub(crate) fn abandon(&self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.abandoned.load(Ordering::Relaxed)
    }

    /// Tells which GPUs are not to be touched.
    pub(crate) fn leave_out(&self, gpus: Vec<u32>) {
        *self.left_out() = gpus;
    }

    pub(crate) fn is_left_out(&self, gpu: u32) -> bool {
        self.left_out().contains(&gpu)
    }

    fn inside(&self) -> MutexGuard<'_, Option<Inside>> {
        self.0.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left_out(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
