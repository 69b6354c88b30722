//! Who is on a GPU.

mod identity;
mod list;
mod row;

use serde::{Deserialize, Serialize};

pub use identity::{
    CommandLine, CommandLines, Container, ContainerRuntime, Identity, PidNamespace, ProcessIdentity,
    SlurmJob, User,
};
pub use list::{BriefProcess, OtherProcesses, ProcessList};
pub use row::{OtherRow, ProcessOverview, ProcessRow, ProcessTable};

use crate::{Bytes, Percent, Reading};

/// One process on one GPU; its compute, graphics and MPS entries are merged by pid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GpuProcess {
    /// Process id as NVML sees it. It is used again after the process ended; with the start time it is unique.
    pub pid: u32,
    /// Name as NVML gives it (`nvmlSystemGetProcessName`).
    pub name: Reading<String>,
    /// GPU memory that the process holds.
    pub used_memory: Reading<Bytes>,
    /// In which of NVML's lists it stood.
    pub kinds: ProcessKinds,
    /// The MIG instance that it runs on; none where it has the GPU as a whole.
    pub mig: Option<MigPlace>,
    /// Its share of the GPU's engines. No value: since it was last asked the driver took no sample of it.
    pub utilization: Reading<Option<ProcessUtilization>>,
    /// Who it is, by the host's own account.
    pub identity: Identity,
}

/// In which of NVML's process lists a process stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessKinds {
    /// `nvmlDeviceGetComputeRunningProcesses`
    pub compute: bool,
    /// `nvmlDeviceGetGraphicsRunningProcesses`
    pub graphics: bool,
    /// `nvmlDeviceGetMPSComputeRunningProcesses`
    pub mps: bool,
}

/// A MIG instance by the ids that NVML gives with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigPlace {
    /// Id of the GPU instance.
    pub gpu_instance: u32,
    /// Id of the compute instance within it, where NVML names one.
    pub compute_instance: Option<u32>,
}

/// What a process used of a GPU in the driver's latest sample of it (`nvmlDeviceGetProcessUtilization`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessUtilization {
    /// Of the streaming multiprocessors.
    pub sm: Reading<Percent>,
    /// Of the memory interface; not occupancy.
    pub memory: Reading<Percent>,
    /// Of the encoders.
    pub encoder: Reading<Percent>,
    /// Of the decoders.
    pub decoder: Reading<Percent>,
}
