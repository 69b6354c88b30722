//! A process on a GPU.

use serde::{Deserialize, Serialize};

use crate::{Bytes, Reading};

/// One process on one GPU; its compute, graphics and MPS entries are merged by pid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GpuProcess {
    /// Process id as NVML sees it.
    pub pid: u32,
    /// Name as NVML gives it (`nvmlSystemGetProcessName`).
    pub name: Reading<String>,
    /// GPU memory that the process holds.
    pub used_memory: Reading<Bytes>,
    /// In which of NVML's lists it stood.
    pub kinds: ProcessKinds,
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
