//! Wrong values that a call reports as if nothing were the matter.

use serde::{Deserialize, Serialize};

use crate::engine::Truth;

/// The values to report in place of the true ones; what is absent stays true.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Values {
    /// Power, instant and average, mW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_mw: Option<u32>,
    /// Power limit in force, mW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_limit_mw: Option<u32>,
    /// Energy counter, mJ: a small number is a counter that was reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_mj: Option<u64>,
    /// Energy, violation times, PCIe and NVLink traffic and errors, and volatile memory errors count from 0 since the fault began,
    /// as after a reset of the GPU or a driver that was loaded again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub counters_restart: bool,
    /// GPU temperature, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<u32>,
    /// Memory temperature, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_temperature: Option<u32>,
    /// GPU utilisation, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_utilization: Option<u32>,
    /// Memory interface utilisation, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_utilization: Option<u32>,
    /// Encoder utilisation, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder_utilization: Option<u32>,
    /// Decoder utilisation, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder_utilization: Option<u32>,
    /// Total memory, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_total: Option<u64>,
    /// Used memory, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_used: Option<u64>,
    /// Free memory, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_free: Option<u64>,
    /// Fan speed, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan_percent: Option<u32>,
    /// Performance state; 32 is "unknown".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance_state: Option<u32>,
    /// Graphics and SM clock, MHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graphics_mhz: Option<u32>,
    /// Clock event reasons, bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_reasons: Option<u64>,
    /// PCIe replay counter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pcie_replays: Option<u32>,
    /// Uncorrected memory errors, volatile and aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecc_uncorrected: Option<u64>,
    /// Corrected memory errors, volatile and aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecc_corrected: Option<u64>,
    /// Corrected errors of the memory inside the chip, volatile and aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sram_corrected: Option<u64>,
    /// Uncorrected errors of the memory inside the chip, volatile and aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sram_uncorrected: Option<u64>,
    /// The memory inside the chip has had more errors than it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sram_threshold_exceeded: Option<bool>,
    /// Rows remapped because of uncorrected errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remapped_uncorrected: Option<u32>,
    /// Rows remapped because of corrected errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remapped_corrected: Option<u32>,
    /// Rows wait for a reset to be remapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remapping_pending: Option<bool>,
    /// Remapping a row has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remapping_failed: Option<bool>,
    /// Banks of memory without spare rows for another remapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banks_without_spare: Option<u32>,
    /// Pages retired because of single-bit errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_single_bit: Option<u32>,
    /// Pages retired because of a double-bit error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_double_bit: Option<u32>,
    /// Pages wait for a reset to be retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retirement_pending: Option<bool>,
    /// What the GPU needs to recover, as NVML's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_action: Option<u32>,
    /// Lanes of the PCIe link that are in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pcie_width: Option<u32>,
    /// Whether all that takes a licence has one, or none of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licensed: Option<bool>,
    /// NVLinks that are down: they carry nothing and lead nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvlink_down: Option<Vec<u32>>,

    /// Process ids in place of the true ones, in the order of the list; a longer list adds processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<Vec<u32>>,
    /// Process memory is reported as not available (all bits set).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub process_memory_unavailable: bool,
    /// So many processes whose numbers are NVML's blank value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blank_processes: Option<u32>,
    /// SM utilisation of every process, percent; above 100 is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_utilization: Option<u32>,
    /// The name of every process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_name: Option<String>,
    /// The name of every process, in bytes that need not be UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_name_bytes: Option<Vec<u8>>,
    /// A list always turns out one longer than the room that the caller made for it: 7 on every call with
    /// room.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub count_race: bool,
}

impl Values {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Puts the wrong values over the true ones.
    pub(crate) fn distort(&self, truth: &mut Truth) {
        if let Some(power) = self.power_mw {
            truth.power_usage_mw = power;
            truth.power_instant_mw = power;
            truth.power_average_mw = power;
        }
        if let Some(used) = self.memory_used {
            truth.memory_used = used;
            truth.mig_memory_used.fill(used);
        }
        replace(&mut truth.power_limit_mw, self.power_limit_mw);
        replace(&mut truth.energy_mj, self.energy_mj);
        replace(&mut truth.temperature, self.temperature);
        replace(&mut truth.gpu_utilization, self.gpu_utilization);
        replace(&mut truth.memory_utilization, self.memory_utilization);
        replace(&mut truth.encoder_utilization, self.encoder_utilization);
        replace(&mut truth.decoder_utilization, self.decoder_utilization);
        replace(&mut truth.memory_total, self.memory_total);
        replace(&mut truth.memory_free, self.memory_free);
        replace(&mut truth.performance_state, self.performance_state);
        replace(&mut truth.graphics_mhz, self.graphics_mhz);
        replace(&mut truth.event_reasons, self.event_reasons);
        truth.memory_temperature = self.memory_temperature.or(truth.memory_temperature);
        truth.fan_percent = self.fan_percent.or(truth.fan_percent);
    }
}

/// Lets all counters begin at what they were.
pub(crate) fn restart(truth: &mut Truth, base: &Truth) {
    for (counter, base) in [
        (&mut truth.energy_mj, base.energy_mj),
        (&mut truth.power_violation_ns, base.power_violation_ns),
        (&mut truth.thermal_violation_ns, base.thermal_violation_ns),
        (&mut truth.pcie_tx_bytes, base.pcie_tx_bytes),
        (&mut truth.pcie_rx_bytes, base.pcie_rx_bytes),
        (&mut truth.nvlink_tx_bytes, base.nvlink_tx_bytes),
        (&mut truth.nvlink_rx_bytes, base.nvlink_rx_bytes),
    ] {
        *counter = counter.saturating_sub(base);
    }
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
