//! The parts of one GPU's body.

use serde::{Deserialize, Serialize};

/// A process on the GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuProcessInfo {
    /// Process id, as the driver sees it.
    #[cfg_attr(feature = "openapi", schema(maximum = 4294967295i64))]
    pub pid: u32,
    /// Name, or `unknown`.
    pub process_name: String,
    /// Memory that the process holds, in units of 1,048,576 bytes; 0.0 if the driver does not say.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0))]
    pub used_memory_mb: f64,
}

/// Current clocks, in MHz.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuClockSpeeds {
    /// Graphics clock (`nvmlDeviceGetClockInfo`).
    pub graphics_clock_mhz: f64,
    /// Streaming multiprocessors' clock.
    pub sm_clock_mhz: f64,
    /// Memory clock.
    pub memory_clock_mhz: f64,
    /// Video engines' clock.
    pub video_clock_mhz: Option<f64>,
}

/// How busy the engines were, 0 to 100.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuUtilization {
    /// Share of time in which a kernel ran (`nvmlDeviceGetUtilizationRates`).
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 100.0))]
    pub gpu_percent: f64,
    /// Share of time in which memory was read or written; not how full it is.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 100.0))]
    pub memory_percent: f64,
    /// Video encoder (`nvmlDeviceGetEncoderUtilization`).
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 100.0))]
    pub encoder_percent: Option<f64>,
    /// Video decoder (`nvmlDeviceGetDecoderUtilization`).
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 100.0))]
    pub decoder_percent: Option<f64>,
}

/// Device memory, in units of 1,048,576 bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuMemory {
    /// All of it (`nvmlDeviceGetMemoryInfo_v2`).
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0))]
    pub total_mb: f64,
    /// Allocated.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0))]
    pub used_mb: f64,
    /// Not allocated.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0))]
    pub free_mb: f64,
    /// Used of total, 0 to 100.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 100.0))]
    pub utilization_percent: f64,
}

/// Power, in watts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuPower {
    /// Draw (`nvmlDeviceGetPowerUsage`).
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0))]
    pub power_draw_watts: f64,
    /// The limit that is set (`nvmlDeviceGetPowerManagementLimit`).
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0))]
    pub power_limit_watts: f64,
    /// Draw of limit, 0 to 100; 0 if there is no limit.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 100.0))]
    pub power_usage_percent: f64,
    /// The limit in force, all limiters considered (`nvmlDeviceGetEnforcedPowerLimit`).
    pub enforced_limit_watts: Option<f64>,
    /// The limit after a reset (`nvmlDeviceGetPowerManagementDefaultLimit`).
    pub default_limit_watts: Option<f64>,
    /// The lowest limit that can be set (`nvmlDeviceGetPowerManagementLimitConstraints`).
    pub min_limit_watts: Option<f64>,
    /// The highest limit that can be set (`nvmlDeviceGetPowerManagementLimitConstraints`).
    pub max_limit_watts: Option<f64>,
    /// Energy since the driver was loaded, in joules (`nvmlDeviceGetTotalEnergyConsumption`).
    pub total_energy_joules: Option<f64>,
}

/// Temperatures, in degrees Celsius.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuTemperature {
    /// Core (`nvmlDeviceGetTemperature`).
    pub current_celsius: f64,
    /// Clocks are lowered from here (`nvmlDeviceGetTemperatureThreshold`).
    pub slowdown_threshold_celsius: Option<f64>,
    /// The GPU switches off from here (`nvmlDeviceGetTemperatureThreshold`).
    pub shutdown_threshold_celsius: Option<f64>,
}

/// The PCIe link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuPcie {
    /// Current generation (`nvmlDeviceGetCurrPcieLinkGeneration`).
    pub generation: Option<u32>,
    /// Highest generation of GPU and slot (`nvmlDeviceGetMaxPcieLinkGeneration`).
    pub generation_max: Option<u32>,
    /// Current width in lanes (`nvmlDeviceGetCurrPcieLinkWidth`).
    pub width: Option<u32>,
    /// Highest width in lanes (`nvmlDeviceGetMaxPcieLinkWidth`).
    pub width_max: Option<u32>,
}

/// Memory errors (`nvmlDeviceGetTotalEccErrors`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GpuEcc {
    /// Mended, since the driver was loaded.
    pub corrected_volatile: Option<u64>,
    /// Not mended, since the driver was loaded.
    pub uncorrected_volatile: Option<u64>,
    /// Mended, over the board's life.
    pub corrected_aggregate: Option<u64>,
    /// Not mended, over the board's life.
    pub uncorrected_aggregate: Option<u64>,
}
