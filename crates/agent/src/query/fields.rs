//! The names of `nvidia-smi --query-gpu`: a table of the readings behind them, and how that program writes their values.
//!
//! What stands behind a name is the reading of the same NVML call. A name whose value gpulse does not read is known as such
//! ([`UNREAD`]), so that a script is told apart from a typing error.

use super::{
    field::{Field, From, fields},
    made,
};

/// All that are answered, in the order of `nvidia-smi --help-query-gpu`.
pub(super) const FIELDS: &[Field] = fields! {
    "timestamp" [] "" Made(&["sampled_at"], made::timestamp);
    "driver_version" [] "" Made(&[], made::driver_version);
    "count" [] "" Made(&[], made::count);
    "name" ["gpu_name"] "" Text("identity.name");
    "serial" ["gpu_serial"] "" Text("identity.serial");
    "uuid" ["gpu_uuid"] "" Text("uuid");
    "pci.bus_id" ["gpu_bus_id"] "" Text("identity.pci_bus_id");
    "pci.domain" [] "" Made(&["identity.pci_bus_id"], made::pci_domain);
    "pci.bus" [] "" Made(&["identity.pci_bus_id"], made::pci_bus);
    "pci.device" [] "" Made(&["identity.pci_bus_id"], made::pci_device);
    "pci.device_id" [] "" Text("identity.pci_device_id");
    "pci.sub_device_id" [] "" Text("identity.pci_subsystem_id");
    "pcie.link.gen.current" ["pcie.link.gen.gpucurrent"] "" Whole("pcie.generation");
    "pcie.link.gen.max" [] "" Whole("limits.pcie_generation_max");
    "pcie.link.width.current" [] "" Whole("pcie.width");
    "pcie.link.width.max" [] "" Whole("limits.pcie_width_max");
    "index" [] "" Whole("index");
    "display_mode" [] "" Switch("modes.display_connected");
    "display_attached" [] "" YesNo("modes.display_connected");
    "display_active" [] "" Switch("modes.display_active");
    "persistence_mode" [] "" Switch("modes.persistence");
    "addressing_mode" [] "" Words("identity.addressing_mode");
    "accounting.mode" [] "" Switch("modes.accounting");
    "vbios_version" [] "" Text("identity.vbios_version");
    "fan.speed" [] "%" Made(&["thermal.fans.speed_percent"], made::fan);
    "pstate" [] "" Text("clocks.performance_state");
    "clocks_event_reasons.active" ["clocks_throttle_reasons.active"] "" Made(&["clocks.event_reasons"], made::reasons_mask);
    "clocks_event_reasons.gpu_idle" ["clocks_throttle_reasons.gpu_idle"] "" Reason("gpu_idle");
    "clocks_event_reasons.applications_clocks_setting" ["clocks_throttle_reasons.applications_clocks_setting"] "" Reason("applications_clocks_setting");
    "clocks_event_reasons.sw_power_cap" ["clocks_throttle_reasons.sw_power_cap"] "" Reason("sw_power_cap");
    "clocks_event_reasons.hw_slowdown" ["clocks_throttle_reasons.hw_slowdown"] "" Reason("hw_slowdown");
    "clocks_event_reasons.hw_thermal_slowdown" ["clocks_throttle_reasons.hw_thermal_slowdown"] "" Reason("hw_thermal_slowdown");
    "clocks_event_reasons.hw_power_brake_slowdown" ["clocks_throttle_reasons.hw_power_brake_slowdown"] "" Reason("hw_power_brake_slowdown");
    "clocks_event_reasons.sw_thermal_slowdown" ["clocks_throttle_reasons.sw_thermal_slowdown"] "" Reason("sw_thermal_slowdown");
    "clocks_event_reasons.sync_boost" ["clocks_throttle_reasons.sync_boost"] "" Reason("sync_boost");
    "memory.total" [] "MiB" Mebibytes("memory.total_bytes");
    "memory.reserved" [] "MiB" Mebibytes("memory.reserved_bytes");
    "memory.used" [] "MiB" Mebibytes("memory.used_bytes");
    "memory.free" [] "MiB" Mebibytes("memory.free_bytes");
    "compute_mode" [] "" Words("modes.compute_mode");
    "compute_cap" [] "" Text("identity.compute_capability");
    "utilization.gpu" [] "%" Whole("load.gpu_percent");
    "utilization.memory" [] "%" Whole("load.memory_percent");
    "utilization.encoder" [] "%" Whole("load.encoder_percent");
    "utilization.decoder" [] "%" Whole("load.decoder_percent");
    "utilization.jpeg" [] "%" Whole("load.jpeg_percent");
    "utilization.ofa" [] "%" Whole("load.ofa_percent");
    "encoder.stats.sessionCount" [] "" Whole("sessions.encoder_sessions");
    "encoder.stats.averageFps" [] "" Whole("sessions.encoder_average_fps");
    "encoder.stats.averageLatency" [] "" Whole("sessions.encoder_latency_microseconds");
    "ecc.mode.current" [] "" Switch("reliability.ecc_enabled");
    "ecc.mode.pending" [] "" Switch("reliability.ecc_enabled_after_reset");
    "ecc.errors.corrected.volatile.total" [] "" Whole("reliability.corrected_volatile");
    "ecc.errors.corrected.aggregate.total" [] "" Whole("reliability.corrected_aggregate");
    "ecc.errors.uncorrected.volatile.total" [] "" Whole("reliability.uncorrected_volatile");
    "ecc.errors.uncorrected.aggregate.total" [] "" Whole("reliability.uncorrected_aggregate");
    "ecc.errors.corrected.volatile.sram" [] "" Whole("reliability.sram.corrected_volatile");
    "ecc.errors.corrected.aggregate.sram" [] "" Whole("reliability.sram.corrected_aggregate");
    "ecc.errors.uncorrected.volatile.sram.parity" [] "" Whole("reliability.sram.uncorrected_parity_volatile");
    "ecc.errors.uncorrected.volatile.sram.secded" [] "" Whole("reliability.sram.uncorrected_secded_volatile");
    "ecc.errors.uncorrected.aggregate.sram.parity" [] "" Whole("reliability.sram.uncorrected_parity_aggregate");
    "ecc.errors.uncorrected.aggregate.sram.secded" [] "" Whole("reliability.sram.uncorrected_secded_aggregate");
    "ecc.errors.uncorrected.aggregate.sram.thresholdExceeded" [] "" YesNo("reliability.sram.threshold_exceeded");
    "retired_pages.single_bit_ecc.count" ["retired_pages.sbe"] "" Whole("reliability.retired_pages_corrected");
    "retired_pages.double_bit.count" ["retired_pages.dbe"] "" Whole("reliability.retired_pages_uncorrected");
    "retired_pages.pending" [] "" YesNo("reliability.retirement_pending");
    "remapped_rows.correctable" [] "" Whole("reliability.remapped_rows.corrected");
    "remapped_rows.uncorrectable" [] "" Whole("reliability.remapped_rows.uncorrected");
    "remapped_rows.pending" [] "" YesNo("reliability.remapped_rows.pending");
    "remapped_rows.failure" [] "" YesNo("reliability.remapped_rows.failed");
    "remapped_rows.histogram.max" [] "" Whole("reliability.remapped_rows.banks_max_spare");
    "remapped_rows.histogram.high" [] "" Whole("reliability.remapped_rows.banks_high_spare");
    "remapped_rows.histogram.partial" [] "" Whole("reliability.remapped_rows.banks_partial_spare");
    "remapped_rows.histogram.low" [] "" Whole("reliability.remapped_rows.banks_low_spare");
    "remapped_rows.histogram.none" [] "" Whole("reliability.remapped_rows.banks_no_spare");
    "temperature.gpu" [] "" Whole("thermal.gpu_celsius");
    "temperature.gpu.tlimit" [] "" Whole("thermal.margin_celsius");
    "temperature.memory" [] "" Whole("thermal.memory_celsius");
    "power.draw" [] "W" Hundredths("power.draw_watts");
    "power.draw.average" [] "W" Hundredths("power.average_watts");
    "power.draw.instant" [] "W" Hundredths("power.instant_watts");
    "power.limit" [] "W" Hundredths("power.management_limit_watts");
    "enforced.power.limit" [] "W" Hundredths("power.enforced_limit_watts");
    "power.default_limit" [] "W" Hundredths("limits.power_default_watts");
    "power.min_limit" [] "W" Hundredths("limits.power_min_watts");
    "power.max_limit" [] "W" Hundredths("limits.power_max_watts");
    "clocks.current.graphics" ["clocks.gr"] "MHz" Whole("clocks.graphics_mhz");
    "clocks.current.sm" ["clocks.sm"] "MHz" Whole("clocks.sm_mhz");
    "clocks.current.memory" ["clocks.mem"] "MHz" Whole("clocks.memory_mhz");
    "clocks.current.video" ["clocks.video"] "MHz" Whole("clocks.video_mhz");
    "clocks.applications.graphics" ["clocks.applications.gr"] "MHz" Whole("clocks.application_graphics_mhz");
    "clocks.applications.memory" ["clocks.applications.mem"] "MHz" Whole("clocks.application_memory_mhz");
    "clocks.default_applications.graphics" ["clocks.default_applications.gr"] "MHz" Whole("limits.application_graphics_default_mhz");
    "clocks.default_applications.memory" ["clocks.default_applications.mem"] "MHz" Whole("limits.application_memory_default_mhz");
    "clocks.max.graphics" ["clocks.max.gr"] "MHz" Whole("limits.graphics_max_mhz");
    "clocks.max.sm" [] "MHz" Whole("limits.sm_max_mhz");
    "clocks.max.memory" ["clocks.max.mem"] "MHz" Whole("limits.memory_max_mhz");
    "mig.mode.current" [] "" Switch("mig.enabled");
    "mig.mode.pending" [] "" Switch("mig.enabled_after_reset");
    "c2c.mode" [] "" Switch("modes.chip_to_chip");
    "fabric.state" [] "" Words("reliability.fabric.state");
    "fabric.status" [] "" Words("reliability.fabric.status");
    "fabric.cliqueId" [] "" Whole("reliability.fabric.clique_id");
    "fabric.clusterUuid" [] "" Text("reliability.fabric.cluster_uuid");
};

/// Names of nvidia-smi, or their beginnings, whose values gpulse does not read.
pub(super) const UNREAD: &[&str] = &[
    "vgpu_driver_capability.",
    "vgpu_device_capability.",
    "pcie.link.gen.gpumax",
    "pcie.link.gen.hostmax",
    "accounting.buffer_size",
    "driver_model.",
    "inforom.",
    "gom.",
    "clocks_event_reasons.supported",
    "clocks_throttle_reasons.supported",
    "clocks_event_reasons_counters.",
    "dramEncryption.",
    "ecc.errors.",
    "remapped_rows.correctable_inactive",
    "remapped_rows.uncorrectable_inactive",
    "power.management",
    "edpp_multiplier",
    "module.",
    "gsp.mode.",
    "protected_memory.",
    "platform.",
];
