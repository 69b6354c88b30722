//! The names of dcgm-exporter from 4.9 on: base units, and a node that is called `hostname`.

use std::sync::LazyLock;

use super::{Row, Scale, Table, View, dcgm, row::rows};
use crate::{family::Sink, seen::Seen};

const HERTZ: Scale = Scale::Times(1e6);
const RATIO: Scale = Scale::Over(100.0);

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(ROWS));

const ROWS: &[Row] = rows! {
    gauge "DCGM_FI_DEV_SM_CLOCK_HERTZ" "SM clock." reading "clocks.sm_mhz", HERTZ;
    gauge "DCGM_FI_DEV_MEMORY_CLOCK_HERTZ" "Memory clock." reading "clocks.memory_mhz", HERTZ;
    gauge "DCGM_FI_DEV_GPU_TEMP_CELSIUS" "Core temperature." reading "thermal.gpu_celsius";
    gauge "DCGM_FI_DEV_MEMORY_TEMP_CELSIUS" "Memory temperature." reading "thermal.memory_celsius";
    gauge "DCGM_FI_DEV_BOARD_POWER_WATTS" "Power draw." reading "power.draw_watts";
    counter "DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL" "Energy." reading "power.energy_joules_total";
    gauge "DCGM_FI_DEV_GPU_UTIL_RATIO" "Share of time in which a kernel ran." reading "load.gpu_percent", RATIO;
    gauge "DCGM_FI_DEV_MEMORY_UTIL_RATIO" "Share of time in which memory was read or written." reading "load.memory_percent", RATIO;
    gauge "DCGM_FI_DEV_ENC_UTIL_RATIO" "Use of the video encoders." reading "load.encoder_percent", RATIO;
    gauge "DCGM_FI_DEV_DEC_UTIL_RATIO" "Use of the video decoders." reading "load.decoder_percent", RATIO;
    gauge "DCGM_FI_DEV_FB_CAPACITY_BYTES" "Device memory." both "memory.total_bytes" "memory_total_bytes";
    gauge "DCGM_FI_DEV_FB_FREE_BYTES" "Device memory that is not allocated." both "memory.free_bytes" "memory_free_bytes";
    gauge "DCGM_FI_DEV_FB_USED_BYTES" "Device memory that is allocated." both "memory.used_bytes" "memory_used_bytes";
    gauge "DCGM_FI_DEV_FB_RESERVED_BYTES" "Device memory that driver and firmware keep." reading "memory.reserved_bytes";
    counter "DCGM_FI_DEV_PCIE_REPLAY_TOTAL" "PCIe packets that had to be sent again." reading "pcie.replays_total";
    counter "DCGM_FI_DEV_ROW_REMAP_UNCORRECTABLE_TOTAL" "Memory rows that were replaced after uncorrected errors." reading "reliability.remapped_rows.uncorrected";
    counter "DCGM_FI_DEV_ROW_REMAP_CORRECTABLE_TOTAL" "Memory rows that were replaced after corrected errors." reading "reliability.remapped_rows.corrected";
    gauge "DCGM_FI_DEV_ROW_REMAP_FAILED" "Whether a memory row could not be replaced." reading "reliability.remapped_rows.failed";
    gauge "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO" "Share of time in which an engine was at work." both "activity.graphics_percent" "activity.graphics_percent", RATIO;
    gauge "DCGM_FI_PROF_SM_UTIL_RATIO" "Share of time in which an SM had a warp." both "activity.sm_percent" "activity.sm_percent", RATIO;
    gauge "DCGM_FI_PROF_SM_OCCUPANCY_RATIO" "Warps that were resident, of those that could be." both "activity.sm_occupancy_percent" "activity.sm_occupancy_percent", RATIO;
    gauge "DCGM_FI_PROF_TENSOR_UTIL_RATIO" "Share of cycles in which the tensor cores were at work." both "activity.tensor_percent" "activity.tensor_percent", RATIO;
    gauge "DCGM_FI_PROF_DRAM_UTIL_RATIO" "Share of the memory bandwidth that was used." both "activity.dram_percent" "activity.dram_percent", RATIO;
};

/// What comes from events and not from a sample.
const XID: (&str, &str) = (
    "DCGM_FI_DEV_XID_ERROR",
    "The latest XID; 0 if there was none since the agent started.",
);

pub(super) fn expose(view: &View<'_>, seen: &[Seen<'_>], sink: &mut dyn Sink) {
    let gpus = dcgm::labelled(view, seen, "hostname");
    TABLE.expose(&gpus, sink);
    dcgm::last_xid(XID.0, XID.1, view, &gpus, sink);
}
