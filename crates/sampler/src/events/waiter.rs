//! The thread that waits for the driver's events: the only caller of `nvmlEventSetWait`.
//!
//! 1. Each GPU is tried on a thread of its own; who passed is registered in the one event set.
//! 2. Waits. A first event opens a batch, which gathers what comes in the next moments.
//! 3. The batch goes to the aggregator's mailbox. What a full mailbox refuses is counted, not kept.
//! 4. A wait that fails costs the set: it is made anew after a pause that doubles, with every GPU that still passes.

use std::{
    io,
    sync::Arc,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use actix::{Recipient, prelude::SendError};
use gpulse_aggregator::{EventBatch, GpuEvent, Watch};
use gpulse_models::{MigInstance, Reason, Timestamp, microseconds};
use nvml_wrapper::{EventSet, bitmasks::event::EventTypes, error::NvmlError};
use tokio::time::Instant;

use super::{WaiterPort, kinds, trial::Verdict};
use crate::{
    convert,
    library::Library,
    raw::{self, Handle},
};

/// One wait; the thread wakes this often while nothing happens. An abandoned waiter notices at its end.
pub(crate) const WAIT: Duration = Duration::from_secs(1);

/// How long a batch gathers: a storm becomes ten messages a second, and a single event is not late for anybody.
const GATHER: Duration = Duration::from_millis(100);

/// Events in a batch: ten times what a storm of 1,000 a second brings in [`GATHER`]. More than that waits in the
/// driver until the batch's time is over, which also bounds the work of a driver that reports without end.
const EVENTS_PER_BATCH: usize = 1_024;

/// How long the first wait is put off for trials under way: they take milliseconds, unless they hang.
const SETTLE: Duration = Duration::from_secs(1);

/// The first pause after a failure; it doubles from there.
const RETRY_FIRST: Duration = Duration::from_secs(1);

/// The longest pause after a failure.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// How a GPU stands with the event set.
enum Standing {
    /// It is tried when this time has come; `pause` follows if that fails.
    Idle { at: Instant, pause: Duration },
    /// A trial is under way since then.
    Trying {
        since: Instant,
        pause: Duration,
        told: bool,
    },
    /// It is in the set, and goes by this handle.
    Watched { handle: Handle, pause: Duration },
    /// It has no events.
    Never,
}

struct Waiter<'n> {
    nvml: &'n Arc<Library>,
    aggregator: Recipient<EventBatch>,
    port: WaiterPort,
    standings: Vec<Standing>,
    tell: SyncSender<Verdict>,
    verdicts: Receiver<Verdict>,
    set: Option<EventSet<'n>>,
    batch: EventBatch,
    pause: Duration,
}

/// Starts the waiter of an initialisation that saw so many GPUs.
pub(crate) fn spawn(
    nvml: Arc<Library>,
    epoch: u64,
    gpus: u32,
    aggregator: Recipient<EventBatch>,
    port: WaiterPort,
) -> io::Result<()> {
    thread::Builder::new()
        .name("nvml-events".to_owned())
        .spawn(move || run(&nvml, epoch, gpus, aggregator, port))
        .map(drop)
}

/// Holds the library for as long as it runs.
fn run(nvml: &Arc<Library>, epoch: u64, gpus: u32, aggregator: Recipient<EventBatch>, port: WaiterPort) {
    let now = Instant::now();
    // Room for a verdict on each GPU: there is one trial of each at a time.
    let (tell, verdicts) = sync_channel(gpus.max(1) as usize);
    let idle = |_| Standing::Idle {
        at: now,
        pause: RETRY_FIRST,
    };
    let waiter = Waiter {
        nvml,
        aggregator,
        port,
        standings: (0..gpus).map(idle).collect(),
        tell,
        verdicts,
        set: None,
        batch: EventBatch {
            epoch,
            ..EventBatch::default()
        },
        pause: RETRY_FIRST,
    };
    waiter.run();
}

impl Waiter<'_> {
    fn run(mut self) {
        while !self.port.progress.is_abandoned() {
            if self.start_trials() {
                self.settle();
            }
            while let Ok(verdict) = self.verdicts.try_recv() {
                self.judge(verdict);
            }
            self.tell_of_hanging_trials();
            if !self.send() {
                return;
            }
            match self.wait(WAIT) {
                Ok(Some(event)) => self.gather(&event),
                Ok(None) => {}
                Err(error) => self.give_up_the_set(&error),
            }
        }
    }

    /// Starts the trials that are due. Returns whether there were any.
    fn start_trials(&mut self) -> bool {
        let now = Instant::now();
        let mut started = false;
        for (index, standing) in (0..).zip(&mut self.standings) {
            let Standing::Idle { at, pause } = *standing else {
                continue;
            };
            if now < at || self.port.progress.is_left_out(index) {
                continue;
            }
            let (tell, counters) = (self.tell.clone(), Arc::clone(self.port.progress.counters()));
            match self.port.trials.start(self.nvml, index, tell, counters) {
                Ok(true) => {
                    started = true;
                    *standing = Standing::Trying {
                        since: now,
                        pause,
                        told: false,
                    };
                }
                // An earlier waiter's trial of it hangs.
                Ok(false) => *standing = later(now, pause),
                Err(error) => {
                    tracing::debug!(gpu = index, %error, "no thread can be started to register for events");
                    *standing = later(now, pause);
                }
            }
        }
        started
    }

    /// Waits for trials under way, but for no hanging one.
    fn settle(&mut self) {
        let end = Instant::now() + SETTLE;
        while self
            .standings
            .iter()
            .any(|standing| matches!(standing, Standing::Trying { told: false, .. }))
        {
            match self
                .verdicts
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(verdict) => self.judge(verdict),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn judge(&mut self, Verdict { index, outcome }: Verdict) {
        let pause = match self.standings.get(index as usize) {
            Some(Standing::Trying { pause, .. }) => *pause,
            _ => RETRY_FIRST,
        };
        let outcome = outcome.and_then(|types| self.register(index, types));
        let (standing, unwatched) = match outcome {
            Ok(handle) => (Standing::Watched { handle, pause }, None),
            Err(reason) if reason.is_permanent() => (Standing::Never, Some(reason)),
            Err(reason) => (later(Instant::now(), pause), Some(reason)),
        };
        tracing::debug!(gpu = index, ?unwatched, "registered for events, or why not");
        if let Some(place) = self.standings.get_mut(index as usize) {
            *place = standing;
        }
        self.batch.watches.push(Watch { index, unwatched });
    }

    /// Puts a GPU that passed its trial into the set.
    fn register(&mut self, index: u32, types: EventTypes) -> Result<Handle, Reason> {
        let progress = &self.port.progress;
        let device = progress
            .during("nvmlDeviceGetHandleByIndex_v2", Some(index), || {
                self.nvml.device_by_index(index)
            })
            .map_err(|error| convert::reason(&error))?;
        let set = match self.set.take() {
            Some(set) => set,
            None => progress
                .during("nvmlEventSetCreate", None, || self.nvml.create_event_set())
                .map_err(|error| convert::reason(&error))?,
        };
        let registered = progress.during("nvmlDeviceRegisterEvents", Some(index), || {
            device.register_events(types, set)
        });
        match registered {
            Ok(set) => {
                self.set = Some(set);
                Ok(Handle::of(&device))
            }
            Err(error) => {
                // The set went with it: the others have to be registered again.
                self.try_again_at(Instant::now());
                Err(convert::reason(&error.error))
            }
        }
    }

    fn tell_of_hanging_trials(&mut self) {
        let now = Instant::now();
        for (index, standing) in (0..).zip(&mut self.standings) {
            if let Standing::Trying { since, told, .. } = standing
                && !*told
                && now.saturating_duration_since(*since) >= SETTLE
            {
                *told = true;
                tracing::warn!(gpu = index, "registering for the GPU's events does not return");
                let unwatched = Some(Reason::Timeout);
                self.batch.watches.push(Watch { index, unwatched });
            }
        }
    }

    /// The next event, if there is one within `time`.
    fn wait(&mut self, time: Duration) -> Result<Option<raw::Event>, NvmlError> {
        let Some(set) = &self.set else {
            // Nobody to wait for; a verdict may change that.
            if let Ok(verdict) = self.verdicts.recv_timeout(time) {
                self.judge(verdict);
            }
            return Ok(None);
        };
        let nvml = self.nvml;
        let milliseconds = u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1);
        let wait = || match raw::wait(nvml, set, milliseconds) {
            // Nothing happened, or a signal interrupted the wait.
            Err(NvmlError::Timeout) => Ok(None),
            answer => answer.map(Some),
        };
        let event = self.port.progress.during("nvmlEventSetWait_v2", None, wait)?;
        self.pause = RETRY_FIRST;
        Ok(event)
    }

    fn gather(&mut self, first: &raw::Event) {
        let end = Instant::now() + GATHER;
        self.note(first);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if self.batch.events.len() >= EVENTS_PER_BATCH {
                return thread::sleep(left);
            }
            match self.wait(left) {
                Ok(Some(event)) => self.note(&event),
                Ok(None) => {}
                Err(error) => return self.give_up_the_set(&error),
            }
        }
    }

    fn note(&mut self, event: &raw::Event) {
        let index = (0..)
            .zip(&self.standings)
            .find_map(|(index, standing)| match standing {
                Standing::Watched { handle, .. } if *handle == event.device => Some(index),
                _ => None,
            });
        let Some(index) = index else {
            self.batch.dropped += 1;
            return;
        };
        let at = microseconds(Timestamp::now());
        let instance = event.gpu_instance.map(|gpu_instance| MigInstance {
            gpu_instance,
            compute_instance: event.compute_instance,
        });
        for kind in kinds::kinds(event.types, event.data) {
            self.batch.events.push(GpuEvent {
                index,
                at,
                kind,
                instance,
            });
        }
    }

    /// Waiting failed: frees the set, which may be beyond repair, and begins anew after a pause.
    fn give_up_the_set(&mut self, error: &NvmlError) {
        if self.pause == RETRY_FIRST {
            tracing::warn!(%error, "waiting for events failed; GPUs are registered again");
        } else {
            tracing::debug!(%error, pause = ?self.pause, "waiting for events fails still");
        }
        let reason = convert::reason(error);
        for (index, standing) in (0..).zip(&self.standings) {
            if let Standing::Watched { .. } = standing {
                let unwatched = Some(reason);
                self.batch.watches.push(Watch { index, unwatched });
            }
        }
        let set = self.set.take();
        self.port.progress.during("nvmlEventSetFree", None, || drop(set));
        self.try_again_at(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(RETRY_MAX);
    }

    fn try_again_at(&mut self, at: Instant) {
        for standing in &mut self.standings {
            if let Standing::Watched { pause, .. } = *standing {
                *standing = Standing::Idle { at, pause };
            }
        }
    }

    /// Sends what there is to say. Returns false once nobody listens any more.
    fn send(&mut self) -> bool {
        let batch = &mut self.batch;
        if batch.events.is_empty() && batch.watches.is_empty() && batch.dropped == 0 {
            return true;
        }
        let epoch = batch.epoch;
        let full = std::mem::replace(
            batch,
            EventBatch {
                epoch,
                ..EventBatch::default()
            },
        );
        // An abandoned waiter has a successor that speaks for it.
        if self.port.progress.is_abandoned() {
            return false;
        }
        match self.aggregator.try_send(full) {
            Ok(()) => true,
            Err(SendError::Full(refused)) => {
                batch.dropped = refused.dropped + refused.events.len() as u64;
                batch.watches = refused.watches;
                true
            }
            Err(SendError::Closed(_)) => false,
        }
    }
}

/// Tried again after `pause`, and then after twice as long.
fn later(now: Instant, pause: Duration) -> Standing {
    Standing::Idle {
        at: now + pause,
        pause: (pause * 2).min(RETRY_MAX),
    }
}
