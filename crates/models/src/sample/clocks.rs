//! Clocks, and why they are lower than they could be.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Megahertz, Seconds, ThrottleReasons, catalogue::readings};

readings! {
    /// Clocks, and why they are lower than they could be.
    pub struct Clocks {
        /// Graphics.
        reading graphics_mhz: Megahertz, gauge, "nvmlDeviceGetClockInfo(graphics)", Fermi;
        /// Streaming multiprocessors.
        reading sm_mhz: Megahertz, gauge, "nvmlDeviceGetClockInfo(sm)", Fermi;
        /// Device memory.
        reading memory_mhz: Megahertz, gauge, "nvmlDeviceGetClockInfo(memory)", Fermi;
        /// Video engines.
        reading video_mhz: Megahertz, gauge, "nvmlDeviceGetClockInfo(video)", Maxwell;
        /// Graphics clock that applications run at unless something lowers it.
        reading application_graphics_mhz: Megahertz, gauge, "nvmlDeviceGetApplicationsClock(graphics)", Kepler;
        /// Memory clock that applications run at unless something lowers it.
        reading application_memory_mhz: Megahertz, gauge, "nvmlDeviceGetApplicationsClock(memory)", Kepler;
        /// `P0` (fastest) to `P15`, or `Unknown` to the driver itself.
        reading performance_state: PerformanceState, info, "nvmlDeviceGetPerformanceState", Fermi;
        /// Why the clocks are lower than they could be; empty where they are not.
        reading event_reasons: ThrottleReasons, info, "nvmlDeviceGetCurrentClocksEventReasons", Kepler;
        /// For how long the clocks have been lowered, by cause.
        part lowered: Violations;
    }

    /// For how long clocks have been lower than wanted, going on where the driver's counters begin anew.
    pub struct Violations {
        /// By the power limit.
        reading power_seconds_total: Seconds, counter, "nvmlDeviceGetFieldValues(74)", Kepler;
        /// By heat.
        reading thermal_seconds_total: Seconds, counter, "nvmlDeviceGetFieldValues(75)", Kepler;
        /// By another GPU of the same sync boost group.
        reading sync_boost_seconds_total: Seconds, counter, "nvmlDeviceGetFieldValues(76)", Pascal;
        /// By the board's power or current limit.
        reading board_limit_seconds_total: Seconds, counter, "nvmlDeviceGetFieldValues(77)", Pascal;
        /// By low use of the GPU.
        reading low_utilization_seconds_total: Seconds, counter, "nvmlDeviceGetFieldValues(78)", Pascal;
        /// By the voltage that reliability permits.
        reading reliability_seconds_total: Seconds, counter, "nvmlDeviceGetFieldValues(79)", Pascal;
        /// In total below the applications' clocks.
        reading application_clocks_seconds_total: Seconds, counter, "nvmlDeviceGetFieldValues(80)", Pascal;
        /// In total below the base clocks.
        reading base_clocks_seconds_total: Seconds, counter, "nvmlDeviceGetFieldValues(81)", Pascal;
        /// How often one of the driver's counters was seen to begin anew.
        reading resets_total: u64, counter, "nvmlDeviceGetFieldValues(74 to 81)", Kepler;
    }
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
