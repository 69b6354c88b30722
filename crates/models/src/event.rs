//! What happened to a GPU or to the driver, apart from the clock of the samplers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DriverReason, GpuId, GpuSnapshot, GpuState, PciBusId, Reason, Recent, Xid, XidSeverity};

/// Something that happened, at its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number, from 1; never goes back while the process lives.
    pub sequence: u64,
    /// When the agent heard of it.
    pub at: Timestamp,
    /// Whom it concerns; nobody in particular when it is about the driver.
    pub gpu: Option<EventGpu>,
    /// What happened.
    pub kind: EventKind,
}

/// The GPU that an event concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventGpu {
    /// NVML's index at the last initialisation.
    pub index: u32,
    /// Identity, or the placeholder until the GPU has said it.
    pub id: GpuId,
    /// The MIG instance; nothing if it concerns the whole GPU, or if the driver's answer does not reach the agent.
    pub instance: Option<MigInstance>,
}

impl EventGpu {
    /// `gpu` as events name it.
    pub fn of(gpu: &GpuSnapshot) -> Self {
        Self {
            index: gpu.index,
            id: gpu.id.clone(),
            instance: None,
        }
    }
}

/// A MIG instance as events name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigInstance {
    /// GPU instance id.
    pub gpu_instance: u32,
    /// Compute instance id; nothing if the whole GPU instance is meant.
    pub compute_instance: Option<u32>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The driver reported an error by its number; nothing if it did not say which (`nvmlEventTypeXidCriticalError`).
    Xid(Option<u64>),
    /// Memory corrected an error (`nvmlEventTypeSingleBitEccError`).
    SingleBitEcc,
    /// Memory met an error that it could not correct (`nvmlEventTypeDoubleBitEccError`).
    DoubleBitEcc,
    /// The performance state changed (`nvmlEventTypePState`).
    PerformanceState,
    /// A clock changed (`nvmlEventTypeClock`).
    Clock,
    /// The power source changed (`nvmlEventTypePowerSourceChange`).
    PowerSource,
    /// Memory corrects one error after the other (`nvmlEventTypeSingleBitEccErrorStorm`).
    SingleBitEccStorm,
    /// A page or row of memory was taken out of use (`nvmlEventTypeDramRetirementEvent`).
    PageRetirement,
    /// One could not be taken out of use (`nvmlEventTypeDramRetirementFailure`).
    PageRetirementFailure,
    /// Poisoned data was met, and what met it can be stopped by itself (`nvmlEventTypeNonFatalPoisonError`).
    Poison,
    /// Poisoned data was met, and the GPU cannot go on (`nvmlEventTypeFatalPoisonError`).
    FatalPoison,
    /// The GPU cannot be used (`nvmlEventTypeGpuUnavailableError`).
    GpuUnavailable,
    /// Something has to be done to bring the GPU back into order (`nvmlEventTypeGpuRecoveryAction`).
    RecoveryAction,
    /// MIG instances were made or removed (`nvmlEventMigConfigChange`).
    MigConfig,
    /// The driver reported something that this agent has no name for.
    Unknown,
    /// The agent sees the GPU in another state than before.
    GpuState {
        /// The state before.
        before: GpuState,
        /// The state now.
        now: GpuState,
    },
    /// NVML does not know a GPU that the machine should have, the one that sits there; nothing if all that is known is
    /// how many are missing.
    GpuMissing(Option<PciBusId>),
    /// A GPU that was missing is there again.
    GpuFound(Option<PciBusId>),
    /// A GPU that was missing is not expected any more: it was taken out or given to another driver.
    GpuNotExpected(Option<PciBusId>),
    /// NVML can be used from now on (nothing), or cannot, and why.
    Driver(Option<DriverReason>),
}

impl EventKind {
    /// One of each kind, with nothing said beside it.
    pub const ALL: [Self; 20] = [
        Self::Xid(None),
        Self::SingleBitEcc,
        Self::DoubleBitEcc,
        Self::PerformanceState,
        Self::Clock,
        Self::PowerSource,
        Self::MigConfig,
        Self::SingleBitEccStorm,
        Self::PageRetirement,
        Self::PageRetirementFailure,
        Self::Poison,
        Self::FatalPoison,
        Self::GpuUnavailable,
        Self::RecoveryAction,
        Self::Unknown,
        Self::GpuState {
            before: GpuState::Ok,
            now: GpuState::Ok,
        },
        Self::GpuMissing(None),
        Self::GpuFound(None),
        Self::GpuNotExpected(None),
        Self::Driver(None),
    ];

    /// What happened, for a person.
    pub fn description(&self) -> &'static str {
        match self {
            Self::Xid(_) => "The driver reported an error by its number, which is explained below.",
            Self::SingleBitEcc => "Memory corrected an error.",
            Self::DoubleBitEcc => "Memory met an error that it could not correct.",
            Self::PerformanceState => "The performance state changed.",
            Self::Clock => "A clock changed.",
            Self::PowerSource => "The power source changed.",
            Self::MigConfig => "MIG instances were made or removed.",
            Self::SingleBitEccStorm => "Memory corrects one error after the other.",
            Self::PageRetirement => "A page or row of memory was taken out of use.",
            Self::PageRetirementFailure => "A page or row of memory could not be taken out of use.",
            Self::Poison => "Poisoned data was met, and what met it can be stopped by itself.",
            Self::FatalPoison => "Poisoned data was met, and the GPU cannot go on.",
            Self::GpuUnavailable => "The GPU cannot be used.",
            Self::RecoveryAction => {
                "Something has to be done to bring the GPU back into order: see `reliability.recovery_action`."
            }
            Self::Unknown => "The driver reported something that this agent has no name for.",
            Self::GpuState { .. } => "The agent sees the GPU in another state than before.",
            Self::GpuMissing(_) => "NVML does not know a GPU that the machine should have.",
            Self::GpuFound(_) => "A GPU that was missing is there again.",
            Self::GpuNotExpected(_) => {
                "A GPU that was missing is not expected any more: it was taken out or given to another driver."
            }
            Self::Driver(_) => "NVML can be used from now on, or cannot, and why.",
        }
    }

    /// How bad it is. An XID without a number may be any of them.
    pub fn severity(&self) -> XidSeverity {
        match self {
            Self::Xid(code) => code.map_or(XidSeverity::Warning, |code| Xid::of(code).severity),
            Self::GpuState { now, .. } => now.severity(),
            Self::FatalPoison | Self::GpuUnavailable => XidSeverity::Fatal,
            Self::DoubleBitEcc
            | Self::PageRetirementFailure
            | Self::RecoveryAction
            | Self::GpuMissing(_)
            | Self::Driver(Some(_)) => XidSeverity::Critical,
            Self::SingleBitEccStorm | Self::PageRetirement | Self::Poison | Self::PowerSource => {
                XidSeverity::Warning
            }
            Self::SingleBitEcc
            | Self::PerformanceState
            | Self::Clock
            | Self::MigConfig
            | Self::Unknown
            | Self::GpuFound(_)
            | Self::GpuNotExpected(_)
            | Self::Driver(None) => XidSeverity::Info,
        }
    }

    /// The name used on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Xid(_) => "xid",
            Self::SingleBitEcc => "single_bit_ecc",
            Self::DoubleBitEcc => "double_bit_ecc",
            Self::PerformanceState => "performance_state",
            Self::Clock => "clock",
            Self::PowerSource => "power_source",
            Self::SingleBitEccStorm => "single_bit_ecc_storm",
            Self::PageRetirement => "page_retirement",
            Self::PageRetirementFailure => "page_retirement_failure",
            Self::Poison => "poison",
            Self::FatalPoison => "fatal_poison",
            Self::GpuUnavailable => "gpu_unavailable",
            Self::RecoveryAction => "recovery_action",
            Self::MigConfig => "mig_config",
            Self::Unknown => "unknown",
            Self::GpuState { .. } => "gpu_state",
            Self::GpuMissing(_) => "gpu_missing",
            Self::GpuFound(_) => "gpu_found",
            Self::GpuNotExpected(_) => "gpu_not_expected",
            Self::Driver(_) => "driver",
        }
    }
}

/// How often things happened to one GPU since the agent started, whatever the log still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCounters {
    /// By the name of their kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// XIDs by code, as many different ones as are told apart.
    pub xids: BTreeMap<u64, XidTally>,
    /// XIDs beyond those that are told apart, and those without a code.
    pub other_xids: u64,
    /// The latest XID that came with a code.
    pub last_xid: Option<LastXid>,
    /// Why the driver's events of this GPU do not reach the agent; nothing if they do.
    pub unwatched: Option<Reason>,
}

/// How often an XID came, and when the agent last heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XidTally {
    /// How often, since the agent started.
    pub count: u64,
    /// When last.
    pub at: Timestamp,
    /// How often lately.
    pub recent: Recent,
}

impl XidTally {
    /// One that came at `at` for the first time.
    pub fn first(at: Timestamp) -> Self {
        let mut tally = Self {
            count: 0,
            at,
            recent: Recent::default(),
        };
        tally.add(at);
        tally
    }

    /// It came again.
    pub fn add(&mut self, at: Timestamp) {
        self.count += 1;
        self.at = at;
        self.recent.add(at);
    }
}

/// The latest XID of a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastXid {
    /// Its code.
    pub code: u64,
    /// The number of its event.
    pub sequence: u64,
    /// When the agent heard of it.
    pub at: Timestamp,
}

impl EventCounters {
    /// Nothing has happened, and nobody has asked the driver for events yet.
    pub fn new() -> Self {
        Self {
            kinds: BTreeMap::new(),
            xids: BTreeMap::new(),
            other_xids: 0,
            last_xid: None,
            unwatched: Some(Reason::NotReady),
        }
    }
}

impl Default for EventCounters {
    fn default() -> Self {
        Self::new()
    }
}
