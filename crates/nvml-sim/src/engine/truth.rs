//! Every reading of one GPU at one moment, in NVML's own integer units.

use std::time::Duration;

use super::gpu::Gpu;
use super::mean::percent;
use super::physics::BUSY;
use super::timeline::Moment;
use crate::profile::{Architecture, GpuSpec};

/// The driver averages power over this window where it averages at all.
const POWER_WINDOW: Duration = Duration::from_secs(1);

/// Clocks move in steps of this many MHz.
const CLOCK_STEP: f64 = 15.0;

/// Memory that the driver takes for itself beside the reserved part.
const DRIVER_MEMORY: u64 = 4 << 20;

/// Bytes per second over PCIe at full load, sent and received; over one NVLink, sent and received.
pub(crate) const PCIE_SHARES: [f64; 2] = [0.6 * 2.4e9, 2.4e9];
pub(crate) const NVLINK_SHARES: [f64; 2] = [9.0e9, 0.98 * 9.0e9];

/// Bits of `nvmlClocksEventReasons`.
const REASON_GPU_IDLE: u64 = 0x1;
const REASON_SW_POWER_CAP: u64 = 0x4;
const REASON_SW_THERMAL: u64 = 0x20;

/// What a GPU's sensors and counters say at one moment, before any fault distorts it.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Milliseconds since the world began, in whole steps.
    pub at_ms: u64,
    /// The end of the last complete sampling period, over which the utilisations are means, in milliseconds since the world
    /// began; 0 when none is complete, and the utilisations are those of the moment.
    pub sampled_ms: u64,
    /// GPU utilisation, percent.
    pub gpu_utilization: u32,
    /// Memory interface utilisation, percent.
    pub memory_utilization: u32,
    /// Encoder utilisation, percent.
    pub encoder_utilization: u32,
    /// Decoder utilisation, percent.
    pub decoder_utilization: u32,
    /// Utilisation of the JPEG engines, percent.
    pub jpeg_utilization: u32,
    /// Utilisation of the optical flow accelerators, percent.
    pub ofa_utilization: u32,
    /// Memory, bytes.
    pub memory_total: u64,
    /// Memory the firmware keeps, bytes.
    pub memory_reserved: u64,
    /// Memory in use without the reserved part, bytes.
    pub memory_used: u64,
    /// Memory left, bytes.
    pub memory_free: u64,
    /// BAR1 window, bytes.
    pub bar1_total: u64,
    /// BAR1 in use, bytes.
    pub bar1_used: u64,
    /// GPU temperature, °C.
    pub temperature: u32,
    /// Memory temperature, °C, where there is a sensor.
    pub memory_temperature: Option<u32>,
    /// Power at this moment, mW.
    pub power_instant_mw: u32,
    /// Mean power of the last second, mW.
    pub power_average_mw: u32,
    /// What `nvmlDeviceGetPowerUsage` says on this chip: one of the two above, mW.
    pub power_usage_mw: u32,
    /// Power limit in force, mW.
    pub power_limit_mw: u32,
    /// Energy since the driver was loaded, mJ.
    pub energy_mj: u64,
    /// Graphics and SM clock, MHz.
    pub graphics_mhz: u32,
    /// Memory clock, MHz.
    pub memory_mhz: u32,
    /// Video clock, MHz.
    pub video_mhz: u32,
    /// Performance state, 0 (highest) to 15.
    pub performance_state: u32,
    /// Why the clocks are what they are: `nvmlClocksEventReasons` bits.
    pub event_reasons: u64,
    /// Time below the wanted clocks because of the power limit, ns.
    pub power_violation_ns: u64,
    /// Time below the wanted clocks because of heat, ns.
    pub thermal_violation_ns: u64,
    /// Fan speed, percent, where there are fans.
    pub fan_percent: Option<u32>,
    /// Fan speed, revolutions per minute, where there are fans.
    pub fan_rpm: Option<u32>,
    /// Generation of the PCIe link now.
    pub pcie_generation: u32,
    /// Bytes sent over PCIe since the driver was loaded.
    pub pcie_tx_bytes: u64,
    /// Bytes received over PCIe since the driver was loaded.
    pub pcie_rx_bytes: u64,
    /// Bytes sent over one NVLink since the driver was loaded; every link that is up carries the same.
    pub nvlink_tx_bytes: u64,
    /// Bytes received over one NVLink since the driver was loaded; every link that is up carries the same.
    pub nvlink_rx_bytes: u64,
    /// Seconds of full load since the driver was loaded: its difference over time is the mean load.
    pub load_seconds: f64,
    /// Seconds of full use of the memory interface since the driver was loaded.
    pub memory_load_seconds: f64,
    /// Seconds of full use of the encoders since the driver was loaded.
    pub encoder_load_seconds: f64,
    /// Seconds of full use of the decoders since the driver was loaded.
    pub decoder_load_seconds: f64,
    /// Memory in use by MIG instance, in the profile's order, bytes.
    pub mig_memory_used: Vec<u64>,
}

/// Reads a GPU at the start of a step.
pub(super) fn read(gpu: &Gpu, at: Duration) -> Truth {
    let (spec, jobs, noise) = (gpu.spec(), gpu.jobs(), gpu.noise());
    let now = gpu.moment(at);
    let window = POWER_WINDOW.min(at);
    let average_w = if window.is_zero() {
        now.power_w
    } else {
        gpu.mean(at - window, at).power_w
    };
    let (sampled, sample) = gpu.sample(at);

    // The driver was loaded some hours before the world began.
    let uptime_s = noise.between(4, 3.0, 60.0) * 3600.0;
    let energy_j = now.total.energy_j + uptime_s * spec.power.idle_w;
    let load_s = now.total.load_s.gpu + uptime_s * 0.1;

    let memory_total = spec.memory.total_mib << 20;
    let memory_reserved = spec.memory.reserved_mib << 20;
    let room = memory_total - memory_reserved;
    let memory_used = (jobs.memory(at, None) + DRIVER_MEMORY).min(room);
    let instant = milliwatts(now.power_w);
    let average = milliwatts(average_w);
    let busy = now.load.gpu > BUSY;

    Truth {
        at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
        sampled_ms: u64::try_from(sampled.as_millis()).unwrap_or(u64::MAX),
        gpu_utilization: percent(sample.gpu),
        memory_utilization: percent(sample.memory),
        encoder_utilization: percent(sample.encoder),
        decoder_utilization: percent(sample.decoder),
        jpeg_utilization: percent(sample.jpeg),
        ofa_utilization: percent(sample.ofa),
        memory_total,
        memory_reserved,
        memory_used,
        memory_free: room - memory_used,
        bar1_total: spec.memory.bar1_mib << 20,
        bar1_used: bar1_used(spec, busy),
        temperature: now.temperature_c.round() as u32,
        memory_temperature: spec
            .thermal
            .memory_max_c
            .map(|_| now.memory_temperature_c.round() as u32),
        power_instant_mw: instant,
        power_average_mw: average,
        power_usage_mw: if spec.power.averaged { average } else { instant },
        power_limit_mw: milliwatts(spec.power.enforced_w()),
        energy_mj: (energy_j * 1e3) as u64,
        graphics_mhz: graphics_clock(spec, &now),
        memory_mhz: if busy {
            spec.clocks.memory_max
        } else {
            spec.clocks.memory_idle
        },
        video_mhz: video_clock(spec, busy),
        performance_state: if busy { 0 } else { spec.idle_performance_state },
        event_reasons: event_reasons(&now, busy),
        power_violation_ns: (now.total.power_capped_s * 1e9) as u64,
        thermal_violation_ns: (now.total.thermally_capped_s * 1e9) as u64,
        fan_percent: spec.fans.as_ref().map(|_| now.fan.round() as u32),
        fan_rpm: spec
            .fans
            .as_ref()
            .map(|fans| (f64::from(fans.max_rpm) * now.fan / 100.0).round() as u32),
        pcie_generation: if busy {
            spec.pcie.generation
        } else {
            spec.pcie.idle_generation
        },
        pcie_tx_bytes: (load_s * PCIE_SHARES[0]) as u64,
        pcie_rx_bytes: (load_s * PCIE_SHARES[1]) as u64,
        nvlink_tx_bytes: (load_s * NVLINK_SHARES[0]) as u64,
        nvlink_rx_bytes: (load_s * NVLINK_SHARES[1]) as u64,
        load_seconds: load_s,
        memory_load_seconds: now.total.load_s.memory,
        encoder_load_seconds: now.total.load_s.encoder,
        decoder_load_seconds: now.total.load_s.decoder,
        mig_memory_used: (0..spec.mig.len())
            .map(|mig| jobs.memory(at, Some(mig)))
            .collect(),
    }
}

fn milliwatts(watts: f64) -> u32 {
    (watts * 1e3).round() as u32
}

fn graphics_clock(spec: &GpuSpec, now: &Moment) -> u32 {
    if now.clock == 0.0 {
        return spec.clocks.graphics_idle;
    }
    let wanted = f64::from(spec.clocks.graphics_max) * now.clock;
    let stepped = (wanted / CLOCK_STEP).round() * CLOCK_STEP;
    (stepped as u32).clamp(spec.clocks.graphics_idle, spec.clocks.graphics_max)
}

fn video_clock(spec: &GpuSpec, busy: bool) -> u32 {
    // Hopper and later run the video clock at its highest whenever they are busy, older chips somewhat lower.
    let share = if spec.architecture >= Architecture::Hopper {
        1.0
    } else {
        0.9
    };
    let share = if busy { share } else { 0.35 };
    (f64::from(spec.clocks.video_max) * share) as u32
}

fn event_reasons(now: &Moment, busy: bool) -> u64 {
    let mut reasons = 0;
    if !busy {
        reasons |= REASON_GPU_IDLE;
    }
    if now.power_capped {
        reasons |= REASON_SW_POWER_CAP;
    }
    if now.thermally_capped {
        reasons |= REASON_SW_THERMAL;
    }
    reasons
}

fn bar1_used(spec: &GpuSpec, busy: bool) -> u64 {
    let used: u64 = if busy { 9 << 20 } else { 1 << 20 };
    used.min(spec.memory.bar1_mib << 20)
}
