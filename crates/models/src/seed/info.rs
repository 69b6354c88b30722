//! The body of `/gpu/info`: whether there are GPUs, and if not, why and what to do.

use serde::{Deserialize, Serialize};

use crate::{DriverReason, DriverStatus, GpuSnapshot, GpuState, HostSnapshot};

/// Whether there are GPUs, and if not, why and what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuInfo {
    /// Whether NVML answers.
    pub available: bool,
    /// GPUs of the roster; 0 while NVML does not answer.
    pub gpu_count: usize,
    /// Whether the NVML library was loaded; the name is kept for old clients.
    pub pynvml_installed: bool,
    /// Version of the NVIDIA driver.
    pub driver_version: Option<String>,
    /// CUDA version that the driver supports.
    pub cuda_driver_version: Option<String>,
    /// Version of the NVML library.
    pub nvml_version: Option<String>,
    /// The library that was loaded.
    pub library: Option<String>,
    /// Whether the GPUs are simulated ones.
    pub simulated: bool,
    /// Why there are no GPUs; null if there are.
    pub reason: Option<DriverReason>,
    /// What happened, for a person.
    pub message: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// A line per GPU.
    pub gpus: Vec<GpuLine>,
}

/// One GPU of the roster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuLine {
    /// NVML's index.
    #[cfg_attr(feature = "openapi", schema(maximum = 4294967295i64))]
    pub gpu_id: u32,
    /// Model; null until the GPU has said it.
    pub gpu_name: Option<String>,
    /// NVML UUID; null until the GPU has said it.
    pub gpu_uuid: Option<String>,
    /// Where it sits; null until the GPU has said it.
    pub pci_bus_id: Option<String>,
    /// How it is doing.
    pub state: GpuState,
    /// The last failure, until a good sample comes.
    pub last_error: Option<String>,
}

impl GpuLine {
    fn of(gpu: &GpuSnapshot) -> Self {
        let facts = gpu.facts.as_deref();
        Self {
            gpu_id: gpu.index,
            gpu_name: facts.and_then(|facts| facts.identity.name.value().cloned()),
            gpu_uuid: gpu.uuid().map(ToString::to_string),
            pci_bus_id: gpu.pci_bus_id().map(|id| id.to_string()),
            state: gpu.health.state,
            last_error: gpu
                .health
                .last_error
                .as_ref()
                .map(|failure| failure.message.clone()),
        }
    }
}

impl GpuInfo {
    /// The body of `host`.
    pub fn of(host: &HostSnapshot) -> Self {
        let mut info = Self {
            available: false,
            gpu_count: host.gpus.len(),
            pynvml_installed: false,
            driver_version: None,
            cuda_driver_version: None,
            nvml_version: None,
            library: None,
            simulated: false,
            reason: None,
            message: None,
            hint: None,
            gpus: host.gpus.iter().map(|gpu| GpuLine::of(gpu)).collect(),
        };
        match &host.driver {
            DriverStatus::Starting => {
                info.reason = Some(DriverReason::Starting);
                info.hint = Some("NVML is being initialised; ask again in a moment".to_owned());
            }
            DriverStatus::Unavailable(fault) => {
                info.pynvml_installed = fault.library_loaded;
                info.reason = Some(fault.reason);
                info.message = Some(fault.message.clone());
                info.hint = Some(fault.hint.to_owned());
            }
            DriverStatus::Ready(driver) => {
                info.available = true;
                info.pynvml_installed = true;
                info.driver_version = Some(driver.driver_version.clone());
                info.cuda_driver_version.clone_from(&driver.cuda_driver_version);
                info.nvml_version.clone_from(&driver.nvml_version);
                info.library = Some(driver.library.display().to_string());
                info.simulated = driver.simulated;
                if host.gpus.is_empty() {
                    info.reason = Some(DriverReason::NoGpus);
                    info.message = Some("the driver answers and knows no GPU".to_owned());
                    info.hint = Some("check `nvidia-smi -L` and `lspci -d 10de:`, and in a container that GPUs are passed in".to_owned());
                }
            }
        }
        info
    }
}
