//! Looks after the thread that waits for the driver's events, and never waits itself.
//!
//! 1. One thread per initialisation, the waiter, holds one event set and is the only caller of `nvmlEventSetWait`.
//! 2. A waiter that does not return from a call is abandoned. The next one leaves out the GPU that the call was
//!    about, until that call has returned.
//! 3. A waiter that ended, which it does only by a panic, is replaced after a pause that doubles.

use std::{
    io,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::Duration,
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler};
use gpulse_aggregator::Counters;
use tokio::time::Instant;

use crate::{lateness::is_late, port::Alive, sampler::Retire};

mod kinds;
mod progress;
mod trial;
pub(crate) mod waiter;

pub(crate) use progress::Progress;
use trial::Trials;

/// Waiters that may live at a time, stuck ones included: as with readers, a second and a third try tell a passing
/// stall from a lasting one.
const MAX_WAITERS: usize = 3;

/// The first pause before a waiter that ended is replaced; it doubles from there.
const RESTART_FIRST: Duration = Duration::from_secs(1);

/// The longest such pause.
const RESTART_MAX: Duration = Duration::from_secs(60);

/// A waiter's end of the connection. Dropping it tells that the waiter is gone.
pub(crate) struct WaiterPort {
    /// Where it is, and which GPUs it is to leave out.
    pub(crate) progress: Progress,
    /// Which GPUs are being tried, by this or an earlier waiter.
    pub(crate) trials: Trials,
    /// Counts the waiter for as long as it lives.
    pub(crate) _alive: Alive,
}

/// Starts a waiter behind the port.
pub(crate) type SpawnWaiter = Box<dyn FnMut(WaiterPort) -> io::Result<()> + Send>;

/// The actor that looks after the waiter.
pub(crate) struct EventWatch {
    spawn_waiter: SpawnWaiter,
    /// A call that takes longer than this is stuck.
    stuck_after: Duration,
    waiter: Option<Progress>,
    abandoned: Vec<Progress>,
    alive: Arc<AtomicUsize>,
    trials: Trials,
    counters: Arc<Counters>,
    retry_at: Instant,
    pause: Duration,
    /// When the next look is due.
    look_at: Instant,
    /// Whether the last one came too late to judge by.
    was_late: bool,
}

impl EventWatch {
    pub(crate) fn new(stuck_after: Duration, spawn_waiter: SpawnWaiter, counters: Arc<Counters>) -> Self {
        Self {
            spawn_waiter,
            stuck_after,
            waiter: None,
            abandoned: Vec::new(),
            alive: Arc::default(),
            trials: Trials::default(),
            counters,
            retry_at: Instant::now(),
            pause: RESTART_FIRST,
            look_at: Instant::now(),
            was_late: false,
        }
    }

    fn check(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        self.abandoned.retain(|progress| !progress.is_over());
        // A waiter that stood still with all of the process is looked at the next time, however late that is.
        self.was_late = !self.was_late && is_late(self.look_at, now);
        if !self.was_late
            && let Some(waiter) = self.waiter.take()
        {
            self.waiter = self.still_good(waiter, now);
        }
        let room = self.alive.load(Ordering::Relaxed) < MAX_WAITERS;
        if self.waiter.is_none() && room && now >= self.retry_at {
            self.start_waiter(now);
        }
        if let Some(waiter) = &self.waiter {
            waiter.leave_out(self.abandoned.iter().filter_map(Progress::gpu).collect());
        }
        self.look_at = now + self.stuck_after;
        ctx.run_later(self.stuck_after, Self::check);
    }

    /// The waiter, unless it ended or is stuck.
    fn still_good(&mut self, waiter: Progress, now: Instant) -> Option<Progress> {
        if waiter.is_over() {
            tracing::error!(pause = ?self.pause, "the thread that waits for events ended; it is started again");
            self.back_off(now);
            return None;
        }
        let Some(call) = waiter.stuck(now, self.stuck_after) else {
            return Some(waiter);
        };
        let gpu = waiter.gpu();
        tracing::warn!(
            call,
            gpu,
            "waiting for events does not return; another thread takes over"
        );
        self.counters.calls().hung(call);
        waiter.abandon();
        self.abandoned.push(waiter);
        None
    }

    fn start_waiter(&mut self, now: Instant) {
        let progress = Progress::new(Arc::clone(&self.counters));
        progress.leave_out(self.abandoned.iter().filter_map(Progress::gpu).collect());
        let port = WaiterPort {
            progress: progress.clone(),
            trials: self.trials.clone(),
            _alive: Alive::count_in(&self.alive),
        };
        match (self.spawn_waiter)(port) {
            Ok(()) => self.waiter = Some(progress),
            Err(error) => {
                tracing::error!(%error, "no thread can be started to wait for events");
                self.back_off(now);
            }
        }
    }

    fn back_off(&mut self, now: Instant) {
        self.retry_at = now + self.pause;
        self.pause = (self.pause * 2).min(RESTART_MAX);
    }
}

impl Actor for EventWatch {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.check(ctx);
    }
}

impl Handler<Retire> for EventWatch {
    type Result = ();

    fn handle(&mut self, _: Retire, ctx: &mut Self::Context) {
        if let Some(waiter) = self.waiter.take() {
            waiter.abandon();
        }
        ctx.stop();
    }
}

#[cfg(test)]
mod tests;
