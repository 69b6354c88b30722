//! Initialises NVML and starts a sampler per GPU; where that fails, says why and tries again; lets go of a driver that is gone.
//!
//! 1. A plain thread initialises NVML: it may take long or never return. There is never more than one of them.
//! 2. It failed: the aggregator is told why; the next attempt comes after a back-off with jitter.
//! 3. It does not return in time: the aggregator is told that; its answer still counts when it comes.
//! 4. It succeeded: the aggregator seeds its roster, then a [`Session`] starts the samplers and the wait for events.
//! 5. Once a second another plain thread asks the driver how many GPUs it knows. A driver that no longer answers, or knows
//!    another number, is let go and loaded anew. So is one that knows no GPU, with the back-off of failed attempts.
//! 6. Letting go: the session ends, its threads come back from the library one by one, and the last of them unloads it. A
//!    thread that is stuck keeps it loaded, which does not keep the next attempt from being made.
//! 7. Whoever wants the GPUs parked has the driver let go and not loaded again until told so.

mod life;
mod session;
mod settings;

use std::{io, sync::Arc, thread, time::Duration};

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, ContextFutureSpawner, SpawnHandle, StreamHandler,
    WrapFuture,
};
use gpulse_aggregator::{DriverDown, Roster};
use gpulse_models::{DriverFault, DriverReason, Timestamp, microseconds};
use tokio::sync::oneshot;
use tokio_stream::wrappers::WatchStream;

pub use self::settings::{DiscoverySettings, Reports};
use self::{life::CHECK_EVERY, session::Session};
use crate::{
    SamplerSettings,
    book::Books,
    driver::{self, Driver, Refusal},
    library::LetGo,
};

/// Initialisation takes up to a second without persistence mode; beyond this it is reported as stuck.
const INIT_DEADLINE: Duration = Duration::from_secs(10);

/// Attempts are spread by this share of the pause, so that the agents of a fleet do not try in step.
const JITTER: f64 = 0.2;

/// A wait for events that returns late is not stuck yet, however short the deadline of a read is: giving it up on a
/// busy machine would cost the events that it brings.
const LEAST_PATIENCE: Duration = Duration::from_secs(2);

/// Initialises NVML and starts the samplers. Start it in the arbiter that the samplers share.
pub struct Discovery {
    settings: DiscoverySettings,
    sampling: SamplerSettings,
    reports: Reports,
    /// What is remembered of GPUs across initialisations.
    books: Books,
    phase: Phase,
    attempts: u32,
    failing_since: Option<Timestamp>,
    deadline: SpawnHandle,
    epoch: u64,
    parked: bool,
    /// Refusals of a driver that is in use, in a row.
    refusals: u32,
    /// Libraries that were let go while threads were stuck inside.
    left: Vec<LetGo>,
}

/// What goes on.
enum Phase {
    /// A thread initialises NVML.
    Initialising,
    /// A pause until the next attempt; the handle ends it.
    Waiting(SpawnHandle),
    /// NVML is in use.
    Running(Session),
    /// Threads come back from a library that is let go.
    LettingGo,
    /// The GPUs are let go, and wait for being wanted again.
    Parked,
}

impl Discovery {
    /// A discovery that reports to the aggregator behind these addresses.
    pub fn new(settings: DiscoverySettings, sampling: SamplerSettings, reports: Reports) -> Self {
        Self {
            settings,
            sampling,
            reports,
            books: Books::default(),
            phase: Phase::LettingGo,
            attempts: 0,
            failing_since: None,
            deadline: SpawnHandle::default(),
            epoch: 0,
            parked: false,
            refusals: 0,
            left: Vec::new(),
        }
    }

    fn attempt(&mut self, ctx: &mut Context<Self>) {
        self.attempts = self.attempts.saturating_add(1);
        if let Some(refusal) = self.too_many_stuck() {
            return self.failed(refusal, ctx);
        }
        self.phase = Phase::Initialising;
        let (library, counters) = (self.settings.library.clone(), Arc::clone(&self.settings.counters));
        let (tell, told) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("nvml-init".to_owned())
            .spawn(move || {
                // Nobody listens any more only while the agent ends.
                let _ = tell.send(driver::load(library.as_deref(), counters.calls()));
            });
        if let Err(error) = thread {
            return self.failed(no_thread(&error), ctx);
        }
        self.deadline = ctx.run_later(INIT_DEADLINE, |discovery, ctx| discovery.overdue(ctx));
        told.into_actor(self)
            .map(|answer, discovery, ctx| {
                ctx.cancel_future(discovery.deadline);
                match answer {
                    Ok(Ok(driver)) => discovery.found(driver, ctx),
                    Ok(Err(refusal)) => discovery.failed(refusal, ctx),
                    Err(_) => discovery.failed(panicked(), ctx),
                }
            })
            .spawn(ctx);
    }

    fn found(&mut self, driver: Driver, ctx: &mut Context<Self>) {
        if self.parked {
            return self.let_go(Session::new(self.epoch, driver), ctx);
        }
        let info = driver.info.clone();
        self.epoch += 1;
        tracing::info!(
            gpus = driver.gpus,
            driver = info.driver_version,
            library = %info.library.display(),
            simulated = info.simulated,
            "NVML is initialised"
        );
        if info.simulated {
            tracing::warn!("these GPUs are SIMULATED: no number that follows is of real hardware");
        }
        if driver.gpus > 0 {
            (self.attempts, self.failing_since) = (0, None);
        }
        self.refusals = 0;
        let (epoch, gpus) = (self.epoch, driver.gpus);
        self.phase = Phase::Running(Session::new(epoch, driver));
        // Samplers start once the roster is in its place, so that none of their records comes too early.
        let roster = Roster {
            epoch,
            driver: info,
            gpus,
        };
        self.reports
            .roster
            .send(roster)
            .into_actor(self)
            .map(move |_, discovery, ctx| discovery.start(epoch, ctx))
            .spawn(ctx);
    }

    fn start(&mut self, epoch: u64, ctx: &mut Context<Self>) {
        let pause = self.pause();
        if let Phase::Running(session) = &mut self.phase
            && session.epoch() == epoch
        {
            session.start(self.sampling, &self.settings, &self.reports, &self.books);
            let pause = if session.driver.gpus == 0 {
                pause
            } else {
                CHECK_EVERY
            };
            ctx.run_later(pause, move |discovery, ctx| discovery.check(epoch, ctx));
        }
    }

    fn failed(&mut self, refusal: Refusal, ctx: &mut Context<Self>) {
        if self.parked {
            return self.park(ctx);
        }
        let (reason, message) = (refusal.reason.as_str(), &refusal.message);
        if self.failing_since.is_none() {
            let hint = driver::hint(refusal.reason);
            tracing::warn!(
                reason,
                error = message,
                hint,
                "NVML cannot be used; the agent goes on without GPUs"
            );
        } else {
            let attempts = self.attempts;
            tracing::debug!(reason, error = message, attempts, "NVML still cannot be used");
        }
        self.report(refusal, ctx);
        self.wait(ctx);
    }

    fn overdue(&mut self, ctx: &mut Context<Self>) {
        self.settings.counters.calls().hung(driver::INIT);
        tracing::warn!("NVML has not returned from its initialisation for {INIT_DEADLINE:?}; still waiting");
        let message = format!("the initialisation of NVML has not returned for {INIT_DEADLINE:?}");
        self.report(
            Refusal {
                reason: DriverReason::Timeout,
                message,
                library_loaded: true,
            },
            ctx,
        );
    }

    fn report(&mut self, refusal: Refusal, ctx: &mut Context<Self>) {
        let since = *self
            .failing_since
            .get_or_insert_with(|| microseconds(Timestamp::now()));
        let fault = DriverFault {
            reason: refusal.reason,
            message: refusal.message,
            hint: driver::hint(refusal.reason),
            library_loaded: refusal.library_loaded,
            attempts: self.attempts,
            since,
        };
        self.reports
            .down
            .send(DriverDown(fault))
            .into_actor(self)
            .map(|_, _, _| ())
            .spawn(ctx);
    }

    /// Doubles with every attempt up to the longest pause, give or take the jitter.
    fn pause(&self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).min(16);
        let pause = self
            .settings
            .retry_first
            .saturating_mul(1 << doublings)
            .min(self.settings.retry_max);
        pause.mul_f64(1.0 + JITTER * (fastrand::f64() * 2.0 - 1.0))
    }
}

impl Actor for Discovery {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // Brings the wish as it is now first.
        ctx.add_stream(WatchStream::new(self.settings.parking.clone()));
    }
}

impl StreamHandler<bool> for Discovery {
    fn handle(&mut self, parked: bool, ctx: &mut Self::Context) {
        self.parked = parked;
        match (parked, std::mem::replace(&mut self.phase, Phase::LettingGo)) {
            (true, Phase::Running(session)) => self.let_go(session, ctx),
            (true, Phase::Waiting(pause)) => {
                ctx.cancel_future(pause);
                self.park(ctx);
            }
            (false, Phase::Parked) => {
                (self.attempts, self.failing_since) = (0, None);
                self.attempt(ctx);
            }
            // What is under way looks at the wish when it is done.
            (_, Phase::LettingGo) if self.attempts > 0 || self.epoch > 0 => {}
            (true, Phase::LettingGo) => self.park(ctx),
            (false, Phase::LettingGo) => self.attempt(ctx),
            (_, phase) => self.phase = phase,
        }
    }

    /// Whoever had the wish is gone, which happens only while the agent ends.
    fn finished(&mut self, _: &mut Self::Context) {}
}

fn panicked() -> Refusal {
    let message = "the NVML library panicked while it was initialised".to_owned();
    Refusal {
        reason: DriverReason::Error,
        message,
        library_loaded: true,
    }
}

fn no_thread(error: &io::Error) -> Refusal {
    let message = format!("no thread can be started for NVML: {error}");
    Refusal {
        reason: DriverReason::Error,
        message,
        library_loaded: false,
    }
}
