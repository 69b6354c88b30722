//! What is true of a GPU: the types that every other crate speaks in.
//!
//! Nothing here does I/O, runs an actor or asks a clock. Reading order: a [`Reading`] is a value or the reason
//! why there is none; a [`Sample`] is what one tick read; a [`GpuSnapshot`] is a GPU's last sample beside its
//! health; a [`HostSnapshot`] is all GPUs at one generation; an [`Event`] is what happened in between; an [`Xid`] is
//! what one of the driver's error numbers means; [`AgentStats`] is what the agent knows of itself; [`catalogue`]
//! describes all readings; [`seed`] is the shape that REST clients know.

mod agent_stats;
pub mod catalogue;
mod driver;
mod event;
#[cfg(any(test, feature = "example"))]
pub mod example;
mod facts;
mod id;
mod inventory;
mod pods;
mod process;
mod reading;
mod recent;
mod sample;
pub mod seed;
mod selector;
mod snapshot;
mod state;
mod throttle;
mod topology;
mod totals;
mod units;
mod xid;

pub use agent_stats::{
    AgentStats, AggregatorStats, BuildInfo, CALL_BUCKETS, CallErrors, CallStats, ConnectionStats, DropReason,
    HttpMethod, HttpStats, Latencies, OTHER_ROUTE, ProcessStats, PushStats, RequestCount, SamplerStats,
    StreamStats,
};
pub use driver::{DriverFault, DriverInfo, DriverReason, DriverStatus};
pub use event::{Event, EventCounters, EventGpu, EventKind, LastXid, MigInstance, XidTally};
pub use facts::{GpuFacts, GpuIdentity, GpuLimits};
pub use id::{GpuId, InvalidPciBusId, PciBusId};
pub use inventory::{Absence, ExpectedGpus, Inventory, PciGpu};
pub use pods::{
    MAX_HELD_DEVICES, MAX_HOLDERS, PodAssignments, PodContainer, PodDevice, PodHolders, UnknownDevice,
};
pub use process::{
    BriefProcess, CommandLine, CommandLines, Container, ContainerRuntime, GpuProcess, Identity, MigPlace,
    OtherProcesses, OtherRow, PidNamespace, ProcessIdentity, ProcessKinds, ProcessList, ProcessOverview,
    ProcessRow, ProcessTable, ProcessUtilization, SlurmJob, User,
};
pub use reading::{Reading, Reason};
pub use recent::Recent;
pub use sample::{
    AccountedProcess, Activity, Clocks, Fabric, Fan, LicenseFeature, Load, LoadInterval, Memory, Mig,
    MigDevice, Modes, Nvlink, NvlinkLink, Pcie, PercentSpread, PerformanceState, Power, Reliability,
    RemappedRows, Sample, Sessions, SramErrors, Thermal, Timed, Vgpu, Violations, WattsSpread,
};
pub use selector::{GpuSelector, InvalidSelector};
pub use snapshot::{GpuSnapshot, Health, HostSnapshot};
pub use state::{Failure, GpuState};
pub use throttle::ThrottleReasons;
pub use topology::{
    Topology, TopologyGpu, TopologyGpuRow, TopologyOverview, TopologyPair, TopologyPairRow, nvlinks_between,
};
pub use totals::{HostSums, HostTotals, Totals};
pub use units::{
    Bits, Bytes, BytesPerSecond, Celsius, FramesPerSecond, Joules, Label, Megabits, Megahertz, Microseconds,
    Percent, Revolutions, Seconds, Watts,
};
pub use xid::{Xid, XidAction, XidCause, XidSeverity};

/// A point in time as it is published: RFC 3339 in UTC, with `Z`.
pub use jiff::Timestamp;

/// `at` cut to whole microseconds, which is what every client's date type can hold.
pub fn microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
