//! Initialises NVML and starts a sampler per GPU; where that fails, says why and tries again.
//!
//! 1. A plain thread initialises NVML: it may take long or never return. There is never more than one of them.
//! 2. It failed: the aggregator is told why; the next attempt comes after a back-off with jitter.
//! 3. It does not return in time: the aggregator is told that; its answer still counts when it comes.
//! 4. It succeeded: the aggregator seeds its roster, then the samplers start, and waiting for events. Where the driver
//!    knows no GPU, they are counted again with the same back-off.

use std::{io, path::PathBuf, thread, time::Duration};

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, ContextFutureSpawner, Recipient, SpawnHandle, WrapFuture,
};
use gpulse_aggregator::{DriverDown, EventBatch, Joined, Record, Roster, Watch};
use gpulse_models::{DriverFault, DriverReason, Reason, Timestamp, catalogue::Group, microseconds};
use nvml_wrapper::Nvml;
use tokio::sync::oneshot;

use crate::{
    SamplerSettings,
    book::Books,
    driver::{self, Driver, Refusal},
    events::{EventWatch, waiter},
    port::ReaderPort,
    processes::{Processes, UnderWay},
    reader::{self, ReaderSettings},
    sampler::{Place, Sampler},
    topology,
};

/// Initialisation takes up to a second without persistence mode; beyond this it is reported as stuck.
const INIT_DEADLINE: Duration = Duration::from_secs(10);

/// Attempts are spread by this share of the pause, so that the agents of a fleet do not try in step.
const JITTER: f64 = 0.2;

/// A wait for events that returns late is not stuck yet, however short the deadline of a read is: giving it up on a
/// busy machine would cost the events that it brings.
const LEAST_PATIENCE: Duration = Duration::from_secs(2);

/// How NVML is found and how often that is tried.
#[derive(Clone, Debug)]
pub struct DiscoverySettings {
    /// The library to load; by default it is searched for where drivers put it.
    pub library: Option<PathBuf>,
    /// Pause after the first failed attempt; it doubles from there.
    pub retry_first: Duration,
    /// The longest pause.
    pub retry_max: Duration,
    /// Whether to wait for what the driver reports by itself.
    pub events: bool,
}

/// Where what was found is reported to.
#[derive(Clone, Debug)]
pub struct Reports {
    /// GPUs that were found.
    pub roster: Recipient<Roster>,
    /// Why NVML cannot be used.
    pub down: Recipient<DriverDown>,
    /// What was read of a GPU.
    pub records: Recipient<Record>,
    /// What the driver reported by itself.
    pub events: Recipient<EventBatch>,
    /// How the GPUs are joined.
    pub joined: Recipient<Joined>,
}

/// Initialises NVML and starts the samplers. Start it in the arbiter that the samplers share.
pub struct Discovery {
    settings: DiscoverySettings,
    sampling: SamplerSettings,
    reports: Reports,
    /// What is remembered of GPUs across initialisations.
    books: Books,
    attempts: u32,
    failing_since: Option<Timestamp>,
    deadline: SpawnHandle,
    epoch: u64,
    /// A driver that knows no GPU so far.
    empty: Option<Driver>,
    no_gpus_published: bool,
}

impl Discovery {
    /// A discovery that reports to the aggregator behind these addresses.
    pub fn new(settings: DiscoverySettings, sampling: SamplerSettings, reports: Reports) -> Self {
        Self {
            settings,
            sampling,
            reports,
            books: Books::default(),
            attempts: 0,
            failing_since: None,
            deadline: SpawnHandle::default(),
            epoch: 0,
            empty: None,
            no_gpus_published: false,
        }
    }

    fn attempt(&mut self, ctx: &mut Context<Self>) {
        self.attempts = self.attempts.saturating_add(1);
        let library = self.settings.library.clone();
        let empty = self.empty.take();
        let (tell, told) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("nvml-init".to_owned())
            .spawn(move || {
                // Nobody listens any more only while the agent ends.
                let _ = tell.send(match empty {
                    Some(driver) => driver::count_again(driver),
                    None => driver::load(library.as_deref()),
                });
            });
        if let Err(error) = thread {
            return self.failed(no_thread(&error), ctx);
        }
        self.deadline = ctx.run_later(INIT_DEADLINE, |discovery, ctx| discovery.overdue(ctx));
        told.into_actor(self)
            .map(|answer, discovery, ctx| {
                ctx.cancel_future(discovery.deadline);
                match answer {
                    Ok(Ok(driver)) if driver.gpus == 0 => discovery.found_none(driver, ctx),
                    Ok(Ok(driver)) => discovery.found(driver, ctx),
                    Ok(Err(refusal)) => discovery.failed(refusal, ctx),
                    Err(_) => discovery.failed(panicked(), ctx),
                }
            })
            .spawn(ctx);
    }

    /// The driver answers and knows no GPU: that is published once, and the GPUs are counted again with back-off.
    fn found_none(&mut self, driver: Driver, ctx: &mut Context<Self>) {
        if !self.no_gpus_published {
            self.no_gpus_published = true;
            self.found(
                Driver {
                    info: driver.info.clone(),
                    ..driver
                },
                ctx,
            );
        }
        self.empty = Some(driver);
        ctx.run_later(self.pause(), Self::attempt);
    }

    fn found(&mut self, driver: Driver, ctx: &mut Context<Self>) {
        self.epoch += 1;
        let info = &driver.info;
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
        let roster = Roster {
            epoch: self.epoch,
            driver: driver.info,
            gpus: driver.gpus,
        };
        let (nvml, gpus) = (driver.nvml, driver.gpus);
        // Samplers start once the roster is in its place, so that none of their records comes too early.
        self.reports
            .roster
            .send(roster)
            .into_actor(self)
            .map(move |_, discovery, _| {
                if gpus > 0 {
                    discovery.watch_events(nvml, gpus);
                    discovery.read_topology(nvml, gpus);
                }
                for index in 0..gpus {
                    discovery.start_sampler(nvml, index);
                }
            })
            .spawn(ctx);
    }

    fn start_sampler(&self, nvml: &'static Nvml, index: u32) {
        let SamplerSettings {
            schedule, processes, ..
        } = self.sampling;
        let (commands, books) = (UnderWay::default(), self.books.clone());
        let spawn = move |port: ReaderPort| {
            let every = schedule.interval(Group::Processes).unwrap_or_default();
            let processes = Processes::new(processes, every, commands.clone(), port.call.clone());
            let settings = ReaderSettings {
                nvml,
                index,
                schedule,
                processes,
                books: books.clone(),
            };
            reader::spawn(settings, port)
        };
        let place = Place {
            epoch: self.epoch,
            index,
        };
        Sampler::new(
            place,
            self.sampling,
            self.reports.records.clone(),
            Box::new(spawn),
        )
        .start();
    }

    /// Starts asking how the GPUs are joined.
    fn read_topology(&self, nvml: &'static Nvml, gpus: u32) {
        if let Err(error) = topology::spawn(nvml, self.epoch, gpus, self.reports.joined.clone()) {
            tracing::warn!(%error, "no thread can be started to ask how GPUs are joined");
        }
    }

    /// Starts waiting for events of all GPUs.
    fn watch_events(&self, nvml: &'static Nvml, gpus: u32) {
        if !self.settings.events {
            return self.leave_events(gpus);
        }
        let (epoch, events) = (self.epoch, self.reports.events.clone());
        let spawn = move |port| waiter::spawn(nvml, epoch, gpus, events.clone(), port);
        let stuck_after = waiter::WAIT + self.sampling.deadline.max(LEAST_PATIENCE);
        EventWatch::new(stuck_after, Box::new(spawn)).start();
    }

    /// Says of each GPU that nobody waits for its events.
    fn leave_events(&self, gpus: u32) {
        let unwatched = Some(Reason::Disabled);
        let batch = EventBatch {
            epoch: self.epoch,
            watches: (0..gpus).map(|index| Watch { index, unwatched }).collect(),
            ..EventBatch::default()
        };
        // A mailbox that is full before anything was read is closed soon: nobody will miss it.
        let _ = self.reports.events.try_send(batch);
    }

    fn failed(&mut self, refusal: Refusal, ctx: &mut Context<Self>) {
        let pause = self.pause();
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
            tracing::debug!(
                reason,
                error = message,
                attempts = self.attempts,
                ?pause,
                "NVML still cannot be used"
            );
        }
        self.no_gpus_published = false;
        self.report(refusal, ctx);
        ctx.run_later(pause, Self::attempt);
    }

    fn overdue(&mut self, ctx: &mut Context<Self>) {
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
        self.attempt(ctx);
    }
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
