//! What one tick read of one GPU: a part for each group, each with the time at which it was read.

mod activity;
mod clocks;
mod load;
mod memory;
mod mig;
mod modes;
mod nvlink;
mod pcie;
mod power;
mod reliability;
mod sessions;
mod thermal;

use std::{ops::Deref, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use activity::Activity;
pub use clocks::{Clocks, PerformanceState, Violations};
pub use load::{Load, LoadInterval, PercentSpread};
pub use memory::Memory;
pub use mig::{Mig, MigDevice};
pub use modes::{LicenseFeature, Modes};
pub use nvlink::{Nvlink, NvlinkLink};
pub use pcie::Pcie;
pub use power::{Power, WattsSpread};
pub use reliability::{Fabric, Reliability, RemappedRows, SramErrors};
pub use sessions::{AccountedProcess, Sessions, Vgpu};
pub use thermal::{Fan, Thermal};

use crate::{
    Reason,
    catalogue::{Catalogued, Group, Readings},
    process::ProcessTable,
};

/// What one tick read of one GPU. A group that was not due is shared with the sample before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When the reading began.
    pub taken_at: Timestamp,
    /// How busy the engines are.
    pub load: Arc<Timed<Load>>,
    /// Which parts of the GPU work.
    pub activity: Arc<Timed<Activity>>,
    /// Device memory.
    pub memory: Arc<Timed<Memory>>,
    /// Draw, limits and energy.
    pub power: Arc<Timed<Power>>,
    /// Temperatures and fans.
    pub thermal: Arc<Timed<Thermal>>,
    /// Clocks, and why they are lower than they could be.
    pub clocks: Arc<Timed<Clocks>>,
    /// The instances that the GPU is cut into.
    pub mig: Arc<Timed<Mig>>,
    /// The link to the host.
    pub pcie: Arc<Timed<Pcie>>,
    /// The links to other GPUs.
    pub nvlink: Arc<Timed<Nvlink>>,
    /// Errors, and what was done about them.
    pub reliability: Arc<Timed<Reliability>>,
    /// What is switched on.
    pub modes: Arc<Timed<Modes>>,
    /// Who encodes, captures and virtualises.
    pub sessions: Arc<Timed<Sessions>>,
    /// Who is on the GPU.
    pub processes: Arc<Timed<ProcessTable>>,
}

impl Sample {
    /// A sample in which everything is absent for one reason.
    pub fn absent(taken_at: Timestamp, reason: Reason) -> Self {
        Self {
            taken_at,
            load: Timed::absent(reason),
            activity: Timed::absent(reason),
            memory: Timed::absent(reason),
            power: Timed::absent(reason),
            thermal: Timed::absent(reason),
            clocks: Timed::absent(reason),
            mig: Timed::absent(reason),
            pcie: Timed::absent(reason),
            nvlink: Timed::absent(reason),
            reliability: Timed::absent(reason),
            modes: Timed::absent(reason),
            sessions: Timed::absent(reason),
            processes: Timed::absent(reason),
        }
    }

    /// The readings of a group and when they were read; nothing for the groups of [`crate::GpuFacts`].
    pub fn group(&self, group: Group) -> Option<(&dyn Readings, Option<Timestamp>)> {
        fn of<T: Readings>(part: &Timed<T>) -> Option<(&dyn Readings, Option<Timestamp>)> {
            Some((&part.readings, part.read_at))
        }
        match group {
            Group::Identity | Group::Limits => None,
            Group::Load => of(&self.load),
            Group::Activity => of(&self.activity),
            Group::Memory => of(&self.memory),
            Group::Power => of(&self.power),
            Group::Thermal => of(&self.thermal),
            Group::Clocks => of(&self.clocks),
            Group::Mig => of(&self.mig),
            Group::Pcie => of(&self.pcie),
            Group::Nvlink => of(&self.nvlink),
            Group::Reliability => of(&self.reliability),
            Group::Modes => of(&self.modes),
            Group::Sessions => of(&self.sessions),
            Group::Processes => of(&self.processes),
        }
    }
}

/// Readings and when they were read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed<T> {
    /// When the reading began; nothing if they were not read.
    pub read_at: Option<Timestamp>,
    /// What was read.
    pub readings: T,
}

impl<T: Catalogued> Timed<T> {
    /// Readings that are all absent for one reason, without having been read.
    pub fn absent(reason: Reason) -> Arc<Self> {
        Arc::new(Self {
            read_at: None,
            readings: T::absent(reason),
        })
    }
}

impl<T> Deref for Timed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.readings
    }
}
