//! The groups of readings of one GPU: each is read when its clock says so, and kept in between.

mod activity;
mod clocks;
mod counting;
mod fields;
mod load;
mod memory;
mod mig;
mod modes;
mod nvlink;
mod pcie;
mod power;
mod reliability;
mod ring;
mod sessions;
mod thermal;

use std::{sync::Arc, time::Instant};

use gpulse_models::{
    Activity, Clocks, Load, Memory, Mig, Modes, Nvlink, Pcie, Power, ProcessTable, Reason, Reliability,
    Sample, Sessions, Thermal, Timed, Timestamp,
    catalogue::{Catalogued, Group},
};
use nvml_wrapper::{Device, Nvml};

use crate::{Schedule, asker::Asker, book::Book, processes::Processes, schedule::Clock};

/// What is asked while a sample is read.
pub(crate) struct Gpu<'a, 'n> {
    pub(crate) asker: &'a mut Asker,
    pub(crate) nvml: &'n Nvml,
    pub(crate) device: &'a Device<'n>,
    /// What is remembered of the GPU for as long as the agent lives.
    pub(crate) book: &'a Book,
    /// When the sample began.
    pub(crate) now: Timestamp,
    pub(crate) at: Instant,
}

/// The groups of one GPU.
pub(crate) struct Groups<'n> {
    load: Kept<Load>,
    activity: Kept<Activity>,
    memory: Kept<Memory>,
    power: Kept<Power>,
    thermal: Kept<Thermal>,
    clocks: Kept<Clocks>,
    mig: Kept<Mig>,
    pcie: Kept<Pcie>,
    nvlink: Kept<Nvlink>,
    reliability: Kept<Reliability>,
    modes: Kept<Modes>,
    sessions: Kept<Sessions>,
    processes: Kept<ProcessTable>,
    monitor: activity::Monitor<'n>,
    links: nvlink::Links,
    instances: mig::Instances<'n>,
    who: Processes,
}

/// The last readings of a group, and when the next ones are due.
struct Kept<T> {
    clock: Clock,
    latest: Arc<Timed<T>>,
}

impl<T: Catalogued> Kept<T> {
    fn new(schedule: &Schedule, group: Group) -> Self {
        let clock = schedule.clock(group);
        let reason = if clock.is_off() {
            Reason::Disabled
        } else {
            Reason::NotReady
        };
        Self {
            clock,
            latest: Timed::absent(reason),
        }
    }

    /// The readings: new ones if they are due.
    fn read<'n>(&mut self, gpu: &mut Gpu<'_, 'n>, read: impl FnOnce(&mut Gpu<'_, 'n>) -> T) -> Arc<Timed<T>> {
        if self.clock.strike(gpu.at) {
            self.latest = Arc::new(Timed {
                read_at: Some(gpu.now),
                readings: read(gpu),
            });
        }
        Arc::clone(&self.latest)
    }
}

impl<'n> Groups<'n> {
    pub(crate) fn new(schedule: &Schedule, who: Processes) -> Self {
        Self {
            load: Kept::new(schedule, Group::Load),
            activity: Kept::new(schedule, Group::Activity),
            memory: Kept::new(schedule, Group::Memory),
            power: Kept::new(schedule, Group::Power),
            thermal: Kept::new(schedule, Group::Thermal),
            clocks: Kept::new(schedule, Group::Clocks),
            mig: Kept::new(schedule, Group::Mig),
            pcie: Kept::new(schedule, Group::Pcie),
            nvlink: Kept::new(schedule, Group::Nvlink),
            reliability: Kept::new(schedule, Group::Reliability),
            modes: Kept::new(schedule, Group::Modes),
            sessions: Kept::new(schedule, Group::Sessions),
            processes: Kept::new(schedule, Group::Processes),
            monitor: activity::Monitor::default(),
            links: nvlink::Links::default(),
            instances: mig::Instances::default(),
            who,
        }
    }

    /// Reads what is due. What changes fastest comes first, so that it is of one moment.
    pub(crate) fn read(&mut self, gpu: &mut Gpu<'_, 'n>) -> Sample {
        let Self {
            monitor,
            links,
            instances,
            who,
            ..
        } = self;
        // Whether the GPU is cut decides what can be asked of it as a whole.
        let mig = self.mig.read(gpu, |gpu| instances.read(gpu));
        Sample {
            taken_at: gpu.now,
            load: self.load.read(gpu, load::read),
            activity: self.activity.read(gpu, |gpu| monitor.read(gpu)),
            memory: self.memory.read(gpu, memory::read),
            power: self.power.read(gpu, power::read),
            thermal: self.thermal.read(gpu, thermal::read),
            clocks: self.clocks.read(gpu, clocks::read),
            mig,
            pcie: self.pcie.read(gpu, pcie::read),
            nvlink: self.nvlink.read(gpu, |gpu| links.read(gpu)),
            reliability: self.reliability.read(gpu, reliability::read),
            modes: self.modes.read(gpu, modes::read),
            sessions: self.sessions.read(gpu, sessions::read),
            processes: self.processes.read(gpu, |gpu| who.read(gpu)),
        }
    }

    /// Makes every group due at once: what was read last may be half of the truth.
    pub(crate) fn hurry(&mut self) {
        let clocks = [
            &mut self.load.clock,
            &mut self.activity.clock,
            &mut self.memory.clock,
            &mut self.power.clock,
            &mut self.thermal.clock,
            &mut self.clocks.clock,
            &mut self.mig.clock,
            &mut self.pcie.clock,
            &mut self.nvlink.clock,
            &mut self.reliability.clock,
            &mut self.modes.clock,
            &mut self.sessions.clock,
            &mut self.processes.clock,
        ];
        for clock in clocks {
            clock.hurry();
        }
    }
}
