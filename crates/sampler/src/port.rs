//! The connection between a sampler and its reader thread: one request, one answer, and which call is under way.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
    mpsc::Receiver,
};

use gpulse_aggregator::Counters;
use gpulse_models::{Failure, GpuFacts, Sample};
use tokio::sync::mpsc::Sender;

use crate::counted::{Outcome, counted};

/// One request may wait, one answer may wait: a sampler asks again only after it was answered.
pub(crate) const ONE: usize = 1;

/// A sampler's wish for one read.
#[derive(Debug)]
pub(crate) struct Request;

/// What a read brought.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The reader that gave it; the answer of an abandoned one is dropped.
    pub(crate) reader: u64,
    /// Static facts, once the probe succeeded.
    pub(crate) facts: Option<Arc<GpuFacts>>,
    /// What was read, or why nothing was.
    pub(crate) outcome: Result<Arc<Sample>, Failure>,
}

/// A reader's end of the connection. Dropping it tells that the reader is gone.
pub(crate) struct ReaderPort {
    /// Number of this reader.
    pub(crate) reader: u64,
    /// Ends when the sampler abandons the reader.
    pub(crate) requests: Receiver<Request>,
    /// Closed when the sampler abandons the reader.
    pub(crate) answers: Sender<Answer>,
    /// The call under way, for a sampler that waits in vain.
    pub(crate) call: CurrentCall,
    /// Counts the reader for as long as it lives.
    pub(crate) _alive: Alive,
}

/// The NVML call that a reader is inside of, and whether anybody still waits for it.
#[derive(Clone, Debug)]
pub(crate) struct CurrentCall(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    counters: Arc<Counters>,
    call: Mutex<&'static str>,
    abandoned: AtomicBool,
}

impl CurrentCall {
    /// Calls are counted in `counters`.
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self(Arc::new(Watched {
            counters,
            call: Mutex::new("start of the reader thread"),
            abandoned: AtomicBool::new(false),
        }))
    }

    /// Makes a call that may not return, under this name.
    pub(crate) fn during<T: Outcome>(&self, call: &'static str, make: impl FnOnce() -> T) -> T {
        self.set(call);
        counted(self.0.counters.calls(), call, make)
    }

    /// Notes what is being done that is no call.
    pub(crate) fn set(&self, call: &'static str) {
        *self.0.call.lock().unwrap_or_else(PoisonError::into_inner) = call;
    }

    pub(crate) fn get(&self) -> &'static str {
        *self.0.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the reader that another has taken its place: it asks nothing more and touches nothing that is shared.
    pub(crate) fn abandon(&self) {
        self.0.abandoned.store(true, Ordering::Release);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.abandoned.load(Ordering::Acquire)
    }
}

/// Counts living readers of one GPU, abandoned ones included.
#[derive(Debug)]
pub(crate) struct Alive(Arc<AtomicUsize>);

impl Alive {
    pub(crate) fn count_in(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
