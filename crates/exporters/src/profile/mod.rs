//! Naming profiles: the same readings under the names that a monitoring stack already knows.

mod dcgm;
mod dcgm_4_9;
pub(crate) mod native;
mod nvidia_smi;
mod resource_agent;
mod row;

use std::{fmt, str::FromStr};

use gpulse_aggregator::EventTotals;
use gpulse_models::{AgentStats, EventCounters, GpuSnapshot, HostSnapshot, Timestamp};

pub use row::{Each, Row, Scale, Source, Table};
pub(crate) use row::{holder_as, instance_holders};

use crate::{family::Sink, seen::Seen};

/// What an exposition is made of.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The GPUs at one generation.
    pub host: &'a HostSnapshot,
    /// How often what happened since the agent started.
    pub events: &'a EventTotals,
    /// What the agent knows of itself.
    pub stats: &'a AgentStats,
    /// The name of this node, for profiles that label series with it.
    pub node: &'a str,
    /// When the agent started, which is when its counters began.
    pub started_at: Timestamp,
    /// Now, by which ages are told.
    pub at: Timestamp,
    /// Whether each process has series of its own.
    pub per_process: bool,
}

impl<'a> View<'a> {
    /// How often what happened to `gpu`.
    pub fn events_of(&self, gpu: &GpuSnapshot) -> Option<&'a EventCounters> {
        let of_it = |(other, _): &&(gpulse_models::EventGpu, EventCounters)| other.index == gpu.index;
        self.events.gpus.iter().find(of_it).map(|(_, counters)| counters)
    }

    /// The driver's version, once it has said it.
    pub fn driver_version(&self) -> &'a str {
        match &self.host.driver {
            gpulse_models::DriverStatus::Ready(driver) => &driver.driver_version,
            _ => "",
        }
    }
}

/// A naming profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// Prometheus base units, every reading, and why one is absent.
    Native,
    /// As dcgm-exporter up to 4.8 names them.
    Dcgm,
    /// As dcgm-exporter from 4.9 on names them.
    Dcgm49,
    /// As nvidia_gpu_exporter names them.
    NvidiaSmi,
    /// As the pipeline of resource-agent queries them.
    ResourceAgent,
}

impl Profile {
    /// All there are, in the order in which they are written.
    pub const ALL: [Self; 5] = [
        Self::Native,
        Self::Dcgm,
        Self::Dcgm49,
        Self::NvidiaSmi,
        Self::ResourceAgent,
    ];

    /// The name in the configuration and in `?profile=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Dcgm => "dcgm",
            Self::Dcgm49 => "dcgm-4.9",
            Self::NvidiaSmi => "nvidia_smi",
            Self::ResourceAgent => "resource-agent",
        }
    }

    /// What it is for.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Native => "Prometheus base units, every reading, and why one is absent.",
            Self::Dcgm => "The names of dcgm-exporter up to 4.8, which most dashboards query.",
            Self::Dcgm49 => "The names of dcgm-exporter from 4.9 on, in base units.",
            Self::NvidiaSmi => "The names of nvidia_gpu_exporter.",
            Self::ResourceAgent => "The names that the pipeline of resource-agent queries.",
        }
    }

    /// Its table of readings.
    pub fn table(self) -> &'static Table {
        match self {
            Self::Native => &native::TABLE,
            Self::Dcgm => &dcgm::TABLE,
            Self::Dcgm49 => &dcgm_4_9::TABLE,
            Self::NvidiaSmi => &nvidia_smi::TABLE,
            Self::ResourceAgent => &resource_agent::TABLE,
        }
    }

    /// Shows `sink` all families of this profile.
    pub(crate) fn expose(self, view: &View<'_>, seen: &[Seen<'_>], sink: &mut dyn Sink) {
        match self {
            Self::Native => native::expose(view, seen, sink),
            Self::Dcgm => dcgm::expose(view, seen, sink),
            Self::Dcgm49 => dcgm_4_9::expose(view, seen, sink),
            Self::NvidiaSmi => nvidia_smi::expose(view, seen, sink),
            Self::ResourceAgent => resource_agent::expose(view, seen, sink),
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A text that names no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no profile `{0}`: there are `native`, `dcgm`, `dcgm-4.9`, `nvidia_smi` and `resource-agent`"
)]
pub struct UnknownProfile(pub String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|profile| profile.as_str() == text);
        found.ok_or_else(|| UnknownProfile(text.to_owned()))
    }
}

/// A set of profiles.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Profiles(u8);

impl Profiles {
    /// How many different sets there are.
    pub const SETS: usize = 1 << Profile::ALL.len();

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// A number below [`Self::SETS`], different for each set.
    pub const fn number(self) -> usize {
        self.0 as usize
    }

    /// The profiles, in the order in which they are written.
    pub fn iter(self) -> impl Iterator<Item = Profile> {
        Profile::ALL
            .into_iter()
            .filter(move |profile| self.0 & profile.bit() != 0)
    }
}

impl FromIterator<Profile> for Profiles {
    fn from_iter<I: IntoIterator<Item = Profile>>(profiles: I) -> Self {
        Self(profiles.into_iter().fold(0, |bits, profile| bits | profile.bit()))
    }
}

impl FromStr for Profiles {
    type Err = UnknownProfile;

    /// Names separated by commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(|name| name.trim().parse::<Profile>())
            .collect()
    }
}

impl fmt::Display for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Profile::as_str).collect();
        f.write_str(&names.join(","))
    }
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profiles({self})")
    }
}

#[cfg(test)]
mod tests;
