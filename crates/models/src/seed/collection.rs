//! `GPUMetricsCollection`: the body of all GPUs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{SingleGpuMetrics, Unavailable};
use crate::{DriverStatus, GpuSnapshot, GpuState, HostSnapshot, Reason};

/// All GPUs, with sums and averages over those in `gpus`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = GPUMetricsCollection))]
pub struct GpuMetricsCollection {
    /// When this generation was published.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub timestamp: Timestamp,
    /// The configured agent id.
    pub instance_id: String,
    /// Entries in `gpus`.
    pub gpu_count: usize,
    /// Every GPU that has a sample to show, by index.
    pub gpus: Vec<SingleGpuMetrics>,
    /// Sum of allocated memory.
    pub total_memory_used_mb: f64,
    /// Sum of memory.
    pub total_memory_total_mb: f64,
    /// Mean of `utilization.gpu_percent`.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 100.0))]
    pub average_gpu_utilization: f64,
    /// Mean of `utilization.memory_percent`.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 100.0))]
    pub average_memory_utilization: f64,
    /// Mean of `temperature.current_celsius`.
    pub average_temperature: f64,
    /// Sum of `power.power_draw_watts`.
    pub total_power_draw_watts: f64,
    /// Number of this snapshot of the host; never goes back while the process lives.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub generation: u64,
    /// GPUs of the roster that are not in `gpus`, and why.
    pub missing_gpus: Vec<MissingGpu>,
    /// Which sum or average misses a GPU's contribution, and why.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, Reason>))]
    pub unavailable: Unavailable,
}

/// A GPU that has no sample to show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingGpu {
    /// NVML's index.
    #[cfg_attr(feature = "openapi", schema(maximum = 4294967295i64))]
    pub gpu_id: u32,
    /// NVML UUID; null if the GPU never said it.
    pub gpu_uuid: Option<String>,
    /// How the GPU is doing.
    pub state: GpuState,
    /// Why there is no sample.
    pub reason: Reason,
    /// What happened, for a person.
    pub message: String,
}

impl MissingGpu {
    /// The entry of `gpu`; nothing if it has a sample to show.
    pub fn of(gpu: &GpuSnapshot) -> Option<Self> {
        if gpu.served_sample().is_some() {
            return None;
        }
        Some(Self {
            gpu_id: gpu.index,
            gpu_uuid: gpu.uuid().map(ToString::to_string),
            state: gpu.health.state,
            reason: gpu.absence(),
            message: gpu.absence_message().to_owned(),
        })
    }
}

impl GpuMetricsCollection {
    /// The body of `host`.
    pub fn of(host: &HostSnapshot, instance_id: &str) -> Self {
        let driver_version = match &host.driver {
            DriverStatus::Ready(info) => info.driver_version.as_str(),
            DriverStatus::Starting | DriverStatus::Unavailable(_) => "unknown",
        };
        let gpus: Vec<_> = host
            .gpus
            .iter()
            .filter_map(|gpu| SingleGpuMetrics::of(gpu, driver_version))
            .collect();
        let totals = &host.totals;
        Self {
            timestamp: host.published_at,
            instance_id: instance_id.to_owned(),
            gpu_count: gpus.len(),
            gpus,
            total_memory_used_mb: totals.memory_used_mb,
            total_memory_total_mb: totals.memory_total_mb,
            average_gpu_utilization: totals.average_gpu_utilization,
            average_memory_utilization: totals.average_memory_utilization,
            average_temperature: totals.average_temperature,
            total_power_draw_watts: totals.power_draw_watts,
            generation: host.generation,
            missing_gpus: host.gpus.iter().filter_map(|gpu| MissingGpu::of(gpu)).collect(),
            unavailable: totals
                .unavailable
                .iter()
                .map(|(key, reason)| ((*key).to_owned(), *reason))
                .collect(),
        }
    }
}
