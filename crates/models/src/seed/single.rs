//! `SingleGPUMetrics`: the body of one GPU.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    GpuClockSpeeds, GpuEcc, GpuMemory, GpuPcie, GpuPower, GpuProcessInfo, GpuTemperature, GpuUtilization,
    Unavailable, gaps::Gaps,
};
use crate::{
    Bytes, Clocks, GpuFacts, GpuSnapshot, GpuState, Load, Memory, Pcie, Percent, Power, ProcessList,
    ProcessTable, Reading, Reliability, Sample,
};

/// Everything about one GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = SingleGPUMetrics))]
pub struct SingleGpuMetrics {
    /// NVML's index.
    #[cfg_attr(feature = "openapi", schema(maximum = 4294967295i64))]
    pub gpu_id: u32,
    /// Model.
    pub gpu_name: String,
    /// NVML UUID.
    pub gpu_uuid: String,
    /// Version of the NVIDIA driver.
    pub driver_version: String,
    /// How busy the engines were.
    pub utilization: GpuUtilization,
    /// Device memory.
    pub memory: GpuMemory,
    /// Temperatures.
    pub temperature: GpuTemperature,
    /// Power.
    pub power: GpuPower,
    /// Clocks.
    pub clocks: GpuClockSpeeds,
    /// Processes on the GPU, by pid.
    pub processes: Vec<GpuProcessInfo>,
    /// `P0` to `P15`, or `Unknown`.
    #[cfg_attr(feature = "openapi", schema(pattern = r"^(P([0-9]|1[0-5])|Unknown)$"))]
    pub performance_state: String,
    /// Intended speed of the first fan, 0 to 100; null without a fan (`nvmlDeviceGetFanSpeed_v2`).
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 100.0))]
    pub fan_speed_percent: Option<f64>,
    /// How the GPU is doing: `ok`, or why these numbers are not of now.
    pub state: GpuState,
    /// When these numbers were read.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub sampled_at: Timestamp,
    /// When processes, PCIe link and ECC counts were read, which happens less often.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub slow_sampled_at: Timestamp,
    /// Where it sits.
    pub pci_bus_id: Option<String>,
    /// Why clocks are lowered: names of NVML's clock event reasons; null if the driver does not say.
    pub throttle_reasons: Option<Vec<String>>,
    /// The PCIe link.
    pub pcie: GpuPcie,
    /// Memory errors.
    pub ecc: GpuEcc,
    /// Path of each value that is absent (sent as 0.0, null or empty), and why.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, crate::Reason>))]
    pub unavailable: Unavailable,
}

impl SingleGpuMetrics {
    /// The body of `gpu`; nothing if it has no sample to show.
    pub fn of(gpu: &GpuSnapshot, driver_version: &str) -> Option<Self> {
        let sample = gpu.served_sample()?;
        let facts = gpu.facts.as_deref()?;
        let mut gaps = Gaps::default();
        Some(Self {
            gpu_id: gpu.index,
            gpu_name: gaps
                .optional("gpu_name", facts.identity.name.clone())
                .unwrap_or_else(|| "Unknown".to_owned()),
            gpu_uuid: facts.id.to_string(),
            driver_version: driver_version.to_owned(),
            utilization: utilization(&sample.load, &mut gaps),
            memory: memory(&sample.memory, &mut gaps),
            temperature: temperature(sample, facts, &mut gaps),
            power: power(&sample.power, facts, &mut gaps),
            clocks: clocks(&sample.clocks, &mut gaps),
            processes: processes(&sample.processes, &mut gaps),
            performance_state: gaps
                .optional("performance_state", sample.clocks.performance_state)
                .map_or_else(|| "Unknown".to_owned(), |state| state.to_string()),
            fan_speed_percent: gaps.optional(
                "fan_speed_percent",
                sample.thermal.first_fan_speed().map(Percent::clamped),
            ),
            state: gpu.health.state,
            sampled_at: sample.taken_at,
            slow_sampled_at: slow_sampled_at(sample),
            pci_bus_id: gaps.optional("pci_bus_id", facts.identity.pci_bus_id.map(|id| id.to_string())),
            throttle_reasons: gaps.optional(
                "throttle_reasons",
                sample.clocks.event_reasons.map(|mask| mask.names()),
            ),
            pcie: pcie(&sample.pcie, facts, &mut gaps),
            ecc: ecc(&sample.reliability, &mut gaps),
            unavailable: gaps.into_map(),
        })
    }
}

/// When the slow groups of this body were read: the one that was read longest ago speaks for all.
fn slow_sampled_at(sample: &Sample) -> Timestamp {
    let times = [
        sample.processes.read_at,
        sample.pcie.read_at,
        sample.reliability.read_at,
    ];
    times.into_iter().flatten().min().unwrap_or(sample.taken_at)
}

fn utilization(load: &Load, gaps: &mut Gaps) -> GpuUtilization {
    let share = |reading: Reading<Percent>| reading.map(Percent::clamped);
    GpuUtilization {
        gpu_percent: gaps.required("utilization.gpu_percent", share(load.gpu_percent)),
        memory_percent: gaps.required("utilization.memory_percent", share(load.memory_percent)),
        encoder_percent: gaps.optional("utilization.encoder_percent", share(load.encoder_percent)),
        decoder_percent: gaps.optional("utilization.decoder_percent", share(load.decoder_percent)),
    }
}

fn memory(memory: &Memory, gaps: &mut Gaps) -> GpuMemory {
    let share = match (memory.used_bytes, memory.total_bytes) {
        (Reading::Value(used), Reading::Value(total)) => {
            Reading::Value(Percent::of(used.mebibytes(), total.mebibytes()).clamped())
        }
        (Reading::Unavailable(reason), _) | (_, Reading::Unavailable(reason)) => Reading::Unavailable(reason),
    };
    GpuMemory {
        total_mb: gaps.required("memory.total_mb", memory.total_bytes.map(Bytes::mebibytes)),
        used_mb: gaps.required("memory.used_mb", memory.used_bytes.map(Bytes::mebibytes)),
        free_mb: gaps.required("memory.free_mb", memory.free_bytes.map(Bytes::mebibytes)),
        utilization_percent: gaps.required("memory.utilization_percent", share),
    }
}

fn temperature(sample: &Sample, facts: &GpuFacts, gaps: &mut Gaps) -> GpuTemperature {
    let slowdown = facts.limits.slowdown_celsius.map(|t| t.0);
    let shutdown = facts.limits.shutdown_celsius.map(|t| t.0);
    GpuTemperature {
        current_celsius: gaps.required(
            "temperature.current_celsius",
            sample.thermal.gpu_celsius.map(|t| t.0),
        ),
        slowdown_threshold_celsius: gaps.optional("temperature.slowdown_threshold_celsius", slowdown),
        shutdown_threshold_celsius: gaps.optional("temperature.shutdown_threshold_celsius", shutdown),
    }
}

fn power(power: &Power, facts: &GpuFacts, gaps: &mut Gaps) -> GpuPower {
    let usage = match (power.draw_watts, power.management_limit_watts) {
        (Reading::Value(draw), Reading::Value(limit)) => {
            Reading::Value(Percent::of(draw.0, limit.0).clamped())
        }
        (Reading::Unavailable(reason), _) | (_, Reading::Unavailable(reason)) => Reading::Unavailable(reason),
    };
    let limits = &facts.limits;
    GpuPower {
        power_draw_watts: gaps.required("power.power_draw_watts", power.draw_watts.map(|w| w.0)),
        power_limit_watts: gaps.required(
            "power.power_limit_watts",
            power.management_limit_watts.map(|w| w.0),
        ),
        power_usage_percent: gaps.required("power.power_usage_percent", usage),
        enforced_limit_watts: gaps.optional(
            "power.enforced_limit_watts",
            power.enforced_limit_watts.map(|w| w.0),
        ),
        default_limit_watts: gaps.optional(
            "power.default_limit_watts",
            limits.power_default_watts.map(|w| w.0),
        ),
        min_limit_watts: gaps.optional("power.min_limit_watts", limits.power_min_watts.map(|w| w.0)),
        max_limit_watts: gaps.optional("power.max_limit_watts", limits.power_max_watts.map(|w| w.0)),
        total_energy_joules: gaps.optional(
            "power.total_energy_joules",
            power.driver_energy_joules.map(|j| j.0),
        ),
    }
}

fn clocks(clocks: &Clocks, gaps: &mut Gaps) -> GpuClockSpeeds {
    GpuClockSpeeds {
        graphics_clock_mhz: gaps.required("clocks.graphics_clock_mhz", clocks.graphics_mhz.map(|c| c.0)),
        sm_clock_mhz: gaps.required("clocks.sm_clock_mhz", clocks.sm_mhz.map(|c| c.0)),
        memory_clock_mhz: gaps.required("clocks.memory_clock_mhz", clocks.memory_mhz.map(|c| c.0)),
        video_clock_mhz: gaps.optional("clocks.video_clock_mhz", clocks.video_mhz.map(|c| c.0)),
    }
}

/// Everybody that NVML lists, and of each what NVML says.
fn processes(table: &ProcessTable, gaps: &mut Gaps) -> Vec<GpuProcessInfo> {
    let processes = gaps.optional("processes", table.list.as_ref());
    let brief = processes.map(ProcessList::brief).unwrap_or_default();
    brief
        .into_iter()
        .map(|(pid, name, used_memory)| process_info(pid, name, used_memory, gaps))
        .collect()
}

fn process_info(
    pid: u32,
    name: &Reading<String>,
    used_memory: &Reading<Bytes>,
    gaps: &mut Gaps,
) -> GpuProcessInfo {
    let path = |key: &str| format!("processes.{pid}.{key}");
    GpuProcessInfo {
        pid,
        process_name: gaps
            .optional(&path("process_name"), name.clone())
            .unwrap_or_else(|| "unknown".to_owned()),
        used_memory_mb: gaps.required(
            &path("used_memory_mb"),
            used_memory.map(|bytes| bytes.mebibytes()),
        ),
    }
}

fn pcie(pcie: &Pcie, facts: &GpuFacts, gaps: &mut Gaps) -> GpuPcie {
    GpuPcie {
        generation: gaps.optional("pcie.generation", pcie.generation),
        generation_max: gaps.optional("pcie.generation_max", facts.limits.pcie_generation_max),
        width: gaps.optional("pcie.width", pcie.width),
        width_max: gaps.optional("pcie.width_max", facts.limits.pcie_width_max),
    }
}

fn ecc(errors: &Reliability, gaps: &mut Gaps) -> GpuEcc {
    GpuEcc {
        corrected_volatile: gaps.optional("ecc.corrected_volatile", errors.corrected_volatile),
        uncorrected_volatile: gaps.optional("ecc.uncorrected_volatile", errors.uncorrected_volatile),
        corrected_aggregate: gaps.optional("ecc.corrected_aggregate", errors.corrected_aggregate),
        uncorrected_aggregate: gaps.optional("ecc.uncorrected_aggregate", errors.uncorrected_aggregate),
    }
}
