//! Tries on a thread of its own whether a GPU's events can be registered for.
//!
//! All GPUs share one event set, and registering is a call on the GPU: it may fail, which frees the whole set with
//! all that was registered (so does nvml-wrapper), or never return, which would keep the waiter from the others.
//! So each GPU is first registered in a set of its own, where a hang costs one small thread and nothing else. Only a
//! GPU that passed goes into the shared set, from the waiter, a moment later. A GPU that falls ill in that moment
//! stops the waiter; that is what [`EventWatch`](super::EventWatch) is for.

use std::{
    collections::BTreeSet,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::SyncSender},
    thread,
};

use gpulse_aggregator::{Calls, Counters};
use gpulse_models::Reason;
use nvml_wrapper::{Nvml, bitmasks::event::EventTypes};

use crate::{convert, counted::counted, library::Library, raw};

/// The GPUs that are being tried: at most one thread for each, however many waiters there have been.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trials(Arc<Mutex<BTreeSet<u32>>>);

/// What a trial came to.
pub(super) struct Verdict {
    pub(super) index: u32,
    pub(super) outcome: Result<EventTypes, Reason>,
}

/// The right to try a GPU.
struct Turn {
    trials: Trials,
    index: u32,
}

impl Trials {
    /// Tries the GPU at `index` and tells the outcome; false if it is being tried already.
    pub(super) fn start(
        &self,
        nvml: &Arc<Library>,
        index: u32,
        tell: SyncSender<Verdict>,
        counters: Arc<Counters>,
    ) -> io::Result<bool> {
        let Some(turn) = self.take(index) else {
            return Ok(false);
        };
        let nvml = Arc::clone(nvml);
        thread::Builder::new()
            .name(format!("gpu-{index}-events"))
            .spawn(move || {
                let outcome = catch_unwind(AssertUnwindSafe(|| attempt(&nvml, index, counters.calls())))
                    .unwrap_or(Err(Reason::Error));
                drop(turn);
                // The waiter may have been abandoned meanwhile; there is room for a verdict on each GPU.
                let _ = tell.try_send(Verdict { index, outcome });
            })
            .map(|_| true)
    }

    fn take(&self, index: u32) -> Option<Turn> {
        let trials = self.clone();
        self.lock().insert(index).then(|| Turn { trials, index })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.trials.lock().remove(&self.index);
    }
}

fn attempt(nvml: &Nvml, index: u32, calls: &Calls) -> Result<EventTypes, Reason> {
    let device = counted(calls, "nvmlDeviceGetHandleByIndex_v2", || {
        nvml.device_by_index(index)
    })
    .map_err(|error| convert::reason(&error))?;
    let kinds = counted(calls, "nvmlDeviceGetSupportedEventTypes", || {
        raw::supported_types(&device)
    })
    .map_err(|error| convert::reason(&error))?;
    if kinds.is_empty() {
        return Err(Reason::NotSupported);
    }
    let set = counted(calls, "nvmlEventSetCreate", || nvml.create_event_set())
        .map_err(|error| convert::reason(&error))?;
    let set = counted(calls, "nvmlDeviceRegisterEvents", || {
        device.register_events(kinds, set)
    })
    .map_err(|error| convert::reason(&error.error))?;
    counted(calls, "nvmlEventSetFree", || drop(set));
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::Trials;

    #[test]
    fn a_gpu_is_tried_by_one_thread_at_a_time_and_others_beside_it() {
        let trials = Trials::default();
        let first = trials.take(0).expect("nobody tries it");
        assert!(trials.clone().take(0).is_none());
        assert!(trials.take(1).is_some());
        drop(first);
        assert!(trials.take(0).is_some());
    }
}
