//! The groups that readings are read in, each on a clock of its own.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Catalogued, Metric};
use crate::{
    Activity, Clocks, GpuIdentity, GpuLimits, Load, Memory, Mig, Modes, Nvlink, Pcie, Power, ProcessTable,
    Reliability, Sessions, Thermal,
};

/// Declares the groups: variant, name, clock unless configured otherwise, type of its readings.
macro_rules! groups {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal $cadence:expr, $type:ty;)*) => {
        /// A group of readings that are read together.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Group { $($(#[doc = $doc])* $variant,)* }

        impl Group {
            /// All of them, in the order in which they are shown.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The key of its readings.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is about.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*),)* }
            }

            /// When it is read unless configured otherwise.
            pub const fn usual_cadence(self) -> Cadence {
                match self { $(Self::$variant => $cadence,)* }
            }

            /// What is in it.
            pub fn metrics(self) -> &'static [Metric] {
                match self { $(Self::$variant => <$type as Catalogued>::METRICS,)* }
            }
        }
    };
}

groups! {
    /// What the GPU is.
    Identity "identity" Cadence::Once, GpuIdentity;
    /// What the GPU can be driven to.
    Limits "limits" Cadence::Once, GpuLimits;
    /// How busy the engines are.
    Load "load" Cadence::Tick, Load;
    /// Which parts of the GPU work, by its performance monitor (GPM).
    Activity "activity" Cadence::Tick, Activity;
    /// Device memory.
    Memory "memory" Cadence::Tick, Memory;
    /// Draw, limits and energy.
    Power "power" Cadence::Tick, Power;
    /// Temperatures and fans.
    Thermal "thermal" Cadence::Tick, Thermal;
    /// Clocks, and why they are lower than they could be.
    Clocks "clocks" Cadence::Tick, Clocks;
    /// The instances that the GPU is cut into.
    Mig "mig" Cadence::Tick, Mig;
    /// The link to the host.
    Pcie "pcie" Cadence::Slow, Pcie;
    /// The links to other GPUs.
    Nvlink "nvlink" Cadence::Slow, Nvlink;
    /// Errors, and what was done about them.
    Reliability "reliability" Cadence::Slow, Reliability;
    /// What is switched on.
    Modes "modes" Cadence::Slow, Modes;
    /// Who encodes, captures and virtualises.
    Sessions "sessions" Cadence::Slow, Sessions;
    /// Who is on the GPU.
    Processes "processes" Cadence::Slow, ProcessTable;
}

impl Group {
    /// Whether it can be configured when the group is read. What the GPU is, is read once and always.
    pub fn is_configurable(self) -> bool {
        self.usual_cadence() != Cadence::Once
    }
}

impl FromStr for Group {
    type Err = UnknownGroup;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|group| group.as_str() == text);
        found.ok_or(UnknownGroup)
    }
}

/// A text that names no group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such group of readings")]
pub struct UnknownGroup;

/// When a group is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// Once per initialisation of the driver.
    Once,
    /// At every tick.
    Tick,
    /// On the slow clock.
    Slow,
    /// At the first tick after this time has passed.
    Every(Duration),
    /// Never: its readings are absent.
    Off,
}

impl Cadence {
    /// What is between two reads, where a tick comes every `tick` and the slow clock beats every `slow`; nothing if
    /// there is no second one.
    pub fn interval(self, tick: Duration, slow: Duration) -> Option<Duration> {
        match self {
            Self::Once | Self::Off => None,
            Self::Tick => Some(tick),
            Self::Slow => Some(slow),
            Self::Every(interval) => Some(interval),
        }
    }
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once => f.write_str("once"),
            Self::Tick => f.write_str("tick"),
            Self::Slow => f.write_str("slow"),
            Self::Every(interval) => write!(f, "{interval:?}"),
            Self::Off => f.write_str("off"),
        }
    }
}
