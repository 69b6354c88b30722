//! What runs over one initialisation of NVML: samplers, the wait for events, the question how GPUs are joined.

use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use actix::{Actor, Addr};
use gpulse_aggregator::{Counters, EventBatch, Watch};
use gpulse_models::{Reason, catalogue::Group};

use super::{DiscoverySettings, LEAST_PATIENCE, Reports};
use crate::{
    SamplerSettings,
    book::Books,
    driver::Driver,
    events::{EventWatch, waiter},
    library::LetGo,
    names::Names,
    port::{ONE, ReaderPort},
    processes::{Processes, UnderWay},
    reader::{self, ReaderSettings},
    sampler::{Place, Retire, Sampler},
    topology,
};

/// What runs over one initialisation.
pub(super) struct Session {
    pub(super) driver: Driver,
    pub(super) names: Names,
    epoch: u64,
    samplers: Vec<Addr<Sampler>>,
    events: Option<Addr<EventWatch>>,
    /// Dropped with the session, which ends the thread of the topology.
    topology: Option<SyncSender<()>>,
}

impl Session {
    /// A session in which nothing runs yet.
    pub(super) fn new(epoch: u64, driver: Driver) -> Self {
        Self {
            driver,
            names: Names::default(),
            epoch,
            samplers: Vec::new(),
            events: None,
            topology: None,
        }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Starts everything.
    pub(super) fn start(
        &mut self,
        sampling: SamplerSettings,
        settings: &DiscoverySettings,
        reports: &Reports,
        books: &Books,
    ) {
        if self.driver.gpus == 0 {
            return;
        }
        let counters = &settings.counters;
        if settings.events {
            self.watch_events(sampling, reports, counters);
        } else {
            self.leave_events(reports);
        }
        self.read_topology(reports, counters);
        let sampler = |index| self.start_sampler(index, sampling, reports, books, counters);
        self.samplers = (0..self.driver.gpus).map(sampler).collect();
    }

    /// Lets everything end. The library is unloaded once the last thread has come back from it, which this tells.
    pub(super) fn end(self) -> LetGo {
        // A mailbox that is full belongs to an actor that has stopped moving: there is nobody to tell.
        for sampler in &self.samplers {
            let _ = sampler.try_send(Retire);
        }
        if let Some(events) = &self.events {
            let _ = events.try_send(Retire);
        }
        let library = LetGo::of(&self.driver.nvml);
        // Whoever lets go last unloads the library, which may take long: that must not be an actor.
        let driver = self.driver;
        if let Err(error) = thread::Builder::new()
            .name("nvml-unload".to_owned())
            .spawn(move || drop(driver))
        {
            tracing::warn!(%error, "no thread can be started to unload NVML");
        }
        library
    }

    fn start_sampler(
        &self,
        index: u32,
        sampling: SamplerSettings,
        reports: &Reports,
        books: &Books,
        counters: &Arc<Counters>,
    ) -> Addr<Sampler> {
        let SamplerSettings {
            schedule, processes, ..
        } = sampling;
        let (nvml, commands) = (Arc::downgrade(&self.driver.nvml), UnderWay::default());
        let (books, names) = (books.clone(), self.names.clone());
        let spawn = move |port: ReaderPort| {
            let Some(nvml) = nvml.upgrade() else {
                return Ok(());
            };
            let every = schedule.interval(Group::Processes).unwrap_or_default();
            let processes = Processes::new(processes, every, commands.clone(), port.call.clone());
            let settings = ReaderSettings {
                nvml,
                index,
                schedule,
                processes,
                books: books.clone(),
                names: names.clone(),
            };
            reader::spawn(settings, port)
        };
        let place = Place {
            epoch: self.epoch,
            index,
        };
        Sampler::new(
            place,
            sampling,
            reports.records.clone(),
            Box::new(spawn),
            Arc::clone(counters),
        )
        .start()
    }

    fn read_topology(&mut self, reports: &Reports, counters: &Arc<Counters>) {
        let (nvml, counters) = (Arc::downgrade(&self.driver.nvml), Arc::clone(counters));
        let (session, ended) = sync_channel(ONE);
        let (epoch, gpus) = (self.epoch, self.driver.gpus);
        if let Err(error) = topology::spawn(nvml, epoch, gpus, reports.joined.clone(), counters, ended) {
            tracing::warn!(%error, "no thread can be started to ask how GPUs are joined");
        }
        self.topology = Some(session);
    }

    fn watch_events(&mut self, sampling: SamplerSettings, reports: &Reports, counters: &Arc<Counters>) {
        let (nvml, epoch, gpus) = (Arc::downgrade(&self.driver.nvml), self.epoch, self.driver.gpus);
        let events = reports.events.clone();
        let spawn = move |port| match nvml.upgrade() {
            Some(nvml) => waiter::spawn(nvml, epoch, gpus, events.clone(), port),
            None => Ok(()),
        };
        let stuck_after = waiter::WAIT + sampling.deadline.max(LEAST_PATIENCE);
        self.events = Some(EventWatch::new(stuck_after, Box::new(spawn), Arc::clone(counters)).start());
    }

    /// Says of each GPU that nobody waits for its events.
    fn leave_events(&self, reports: &Reports) {
        let unwatched = Some(Reason::Disabled);
        let batch = EventBatch {
            epoch: self.epoch,
            watches: (0..self.driver.gpus)
                .map(|index| Watch { index, unwatched })
                .collect(),
            ..EventBatch::default()
        };
        // A mailbox that is full before anything was read is closed soon: nobody will miss it.
        let _ = reports.events.try_send(batch);
    }
}
