//! What one tick read of one GPU.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Bytes, Celsius, Joules, Megahertz, Percent, ProcessList, Reading, ThrottleReasons, Watts};

/// What one tick read of one GPU. Each reading is a value or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When the reading began.
    pub taken_at: Timestamp,
    /// How busy the engines were.
    pub utilization: Utilization,
    /// Device memory (`nvmlDeviceGetMemoryInfo_v2`).
    pub memory: Reading<Memory>,
    /// Core temperature (`nvmlDeviceGetTemperature`).
    pub temperature: Reading<Celsius>,
    /// Draw, limits and energy.
    pub power: Power,
    /// Current clocks (`nvmlDeviceGetClockInfo`).
    pub clocks: Clocks,
    /// P0 to P15 (`nvmlDeviceGetPerformanceState`).
    pub performance_state: Reading<PerformanceState>,
    /// Why clocks are lowered (`nvmlDeviceGetCurrentClocksThrottleReasons`).
    pub throttle_reasons: Reading<ThrottleReasons>,
    /// Intended speed of the first fan (`nvmlDeviceGetFanSpeed_v2`).
    pub fan_speed: Reading<Percent>,
    /// What is read on the slow clock; shared by the samples in between.
    pub slow: Arc<SlowSample>,
}

/// What is read on the slow clock, because it is dear to read or seldom changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlowSample {
    /// When the reading began.
    pub taken_at: Timestamp,
    /// Current PCIe link.
    pub pcie: PcieLink,
    /// Error counts.
    pub ecc: EccTotals,
    /// Processes on the GPU.
    pub processes: Reading<ProcessList>,
}

/// How busy the engines were over the driver's own averaging period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Utilization {
    /// Time in which a kernel ran (`nvmlDeviceGetUtilizationRates`).
    pub gpu: Reading<Percent>,
    /// Time in which memory was read or written (`nvmlDeviceGetUtilizationRates`); not occupancy.
    pub memory: Reading<Percent>,
    /// `nvmlDeviceGetEncoderUtilization`
    pub encoder: Reading<Percent>,
    /// `nvmlDeviceGetDecoderUtilization`
    pub decoder: Reading<Percent>,
}

/// Device memory, as the driver counts it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// All of it.
    pub total: Bytes,
    /// Allocated.
    pub used: Bytes,
    /// Not allocated.
    pub free: Bytes,
}

/// Draw, limits and energy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Draw (`nvmlDeviceGetPowerUsage`); a one-second average on most GPUs since Ampere.
    pub draw: Reading<Watts>,
    /// The limit that is set (`nvmlDeviceGetPowerManagementLimit`).
    pub management_limit: Reading<Watts>,
    /// The limit in force, all limiters considered (`nvmlDeviceGetEnforcedPowerLimit`).
    pub enforced_limit: Reading<Watts>,
    /// Energy since the driver was loaded (`nvmlDeviceGetTotalEnergyConsumption`).
    pub total_energy: Reading<Joules>,
}

/// Current clocks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clocks {
    /// `NVML_CLOCK_GRAPHICS`
    pub graphics: Reading<Megahertz>,
    /// `NVML_CLOCK_SM`
    pub sm: Reading<Megahertz>,
    /// `NVML_CLOCK_MEM`
    pub memory: Reading<Megahertz>,
    /// `NVML_CLOCK_VIDEO`
    pub video: Reading<Megahertz>,
}

/// Current PCIe link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PcieLink {
    /// `nvmlDeviceGetCurrPcieLinkGeneration`
    pub generation: Reading<u32>,
    /// Lanes (`nvmlDeviceGetCurrPcieLinkWidth`)
    pub width: Reading<u32>,
}

/// Errors that the memories found (`nvmlDeviceGetTotalEccErrors`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EccTotals {
    /// Since the driver was loaded.
    pub volatile: EccErrors,
    /// Over the board's life.
    pub aggregate: EccErrors,
}

/// Error counts by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EccErrors {
    /// Mended by ECC.
    pub corrected: Reading<u64>,
    /// Not mended: data was lost.
    pub uncorrected: Reading<u64>,
}

/// P0 (fastest) to P15, or unknown to the driver itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PerformanceState {
    /// `P` and this number, 0 to 15.
    P(u8),
    /// The driver answered that it does not know (`NVML_PSTATE_UNKNOWN`, 32).
    Unknown,
}

impl fmt::Display for PerformanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P(number) => write!(f, "P{number}"),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}
