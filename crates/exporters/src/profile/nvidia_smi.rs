//! The names of nvidia_gpu_exporter: fields of `nvidia-smi --query-gpu`, in base units.

use std::sync::LazyLock;

use gpulse_models::GpuSnapshot;

use super::{
    Row, Scale, Table, View, dcgm,
    row::{Labelled, OnFirst, rows},
};
use crate::{
    family::{Family, Kind, Labels, Sink},
    seen::Seen,
};

const HERTZ: Scale = Scale::Times(1e6);
const RATIO: Scale = Scale::Over(100.0);

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(ROWS));

/// Whether the reason with NVML's bit `BIT` holds.
fn reason<const BIT: u32>(seen: &Seen<'_>) -> Option<f64> {
    let reasons = seen.sample()?.clocks.event_reasons.value()?;
    Some(f64::from(u8::from(reasons.0 >> BIT & 1 == 1)))
}

fn fan(seen: &Seen<'_>) -> Option<f64> {
    dcgm::fan(seen).map(|percent| RATIO.apply(percent))
}

/// Where the reasons why clocks are lowered come from.
const REASONS: &str = "`clocks.event_reasons`";

const ROWS: &[Row] = rows! {
    gauge "nvidia_smi_index" "Index of the GPU." made "NVML's index", |seen| { Some(f64::from(seen.gpu.index)) };
    gauge "nvidia_smi_utilization_gpu_ratio" "Share of time in which a kernel ran." reading "load.gpu_percent", RATIO;
    gauge "nvidia_smi_utilization_memory_ratio" "Share of time in which memory was read or written." reading "load.memory_percent", RATIO;
    gauge "nvidia_smi_utilization_encoder_ratio" "Use of the video encoders." reading "load.encoder_percent", RATIO;
    gauge "nvidia_smi_utilization_decoder_ratio" "Use of the video decoders." reading "load.decoder_percent", RATIO;
    gauge "nvidia_smi_utilization_jpeg_ratio" "Use of the JPEG engines." reading "load.jpeg_percent", RATIO;
    gauge "nvidia_smi_utilization_ofa_ratio" "Use of the optical flow engines." reading "load.ofa_percent", RATIO;
    gauge "nvidia_smi_memory_total_bytes" "Device memory." reading "memory.total_bytes";
    gauge "nvidia_smi_memory_used_bytes" "Device memory that is allocated." reading "memory.used_bytes";
    gauge "nvidia_smi_memory_free_bytes" "Device memory that is not allocated." reading "memory.free_bytes";
    gauge "nvidia_smi_memory_reserved_bytes" "Device memory that driver and firmware keep." reading "memory.reserved_bytes";
    gauge "nvidia_smi_power_draw_watts" "Power draw." reading "power.draw_watts";
    gauge "nvidia_smi_power_draw_average_watts" "Power draw, averaged by the driver." reading "power.average_watts";
    gauge "nvidia_smi_power_draw_instant_watts" "Power draw at this moment." reading "power.instant_watts";
    gauge "nvidia_smi_power_limit_watts" "The power limit that is set." reading "power.management_limit_watts";
    gauge "nvidia_smi_power_default_limit_watts" "The power limit after a reset." reading "limits.power_default_watts";
    gauge "nvidia_smi_power_min_limit_watts" "The lowest power limit that can be set." reading "limits.power_min_watts";
    gauge "nvidia_smi_power_max_limit_watts" "The highest power limit that can be set." reading "limits.power_max_watts";
    gauge "nvidia_smi_enforced_power_limit_watts" "The power limit in force." reading "power.enforced_limit_watts";
    counter "nvidia_smi_energy_joules_total" "Energy." reading "power.energy_joules_total";
    gauge "nvidia_smi_temperature_gpu" "Core temperature, in °C." reading "thermal.gpu_celsius";
    gauge "nvidia_smi_temperature_memory" "Memory temperature, in °C." reading "thermal.memory_celsius";
    gauge "nvidia_smi_clocks_current_graphics_clock_hz" "Graphics clock." reading "clocks.graphics_mhz", HERTZ;
    gauge "nvidia_smi_clocks_current_sm_clock_hz" "SM clock." reading "clocks.sm_mhz", HERTZ;
    gauge "nvidia_smi_clocks_current_memory_clock_hz" "Memory clock." reading "clocks.memory_mhz", HERTZ;
    gauge "nvidia_smi_clocks_current_video_clock_hz" "Clock of the video engines." reading "clocks.video_mhz", HERTZ;
    gauge "nvidia_smi_clocks_max_graphics_clock_hz" "The highest graphics clock." reading "limits.graphics_max_mhz", HERTZ;
    gauge "nvidia_smi_clocks_max_sm_clock_hz" "The highest SM clock." reading "limits.sm_max_mhz", HERTZ;
    gauge "nvidia_smi_clocks_max_memory_clock_hz" "The highest memory clock." reading "limits.memory_max_mhz", HERTZ;
    gauge "nvidia_smi_clocks_event_reasons_gpu_idle" "Clocks are lowered because the GPU is idle." made REASONS, reason::<0>;
    gauge "nvidia_smi_clocks_event_reasons_applications_clocks_setting" "Clocks are lowered by the setting of applications' clocks." made REASONS, reason::<1>;
    gauge "nvidia_smi_clocks_event_reasons_sw_power_cap" "Clocks are lowered by the power limit." made REASONS, reason::<2>;
    gauge "nvidia_smi_clocks_event_reasons_hw_slowdown" "Clocks are lowered by the hardware." made REASONS, reason::<3>;
    gauge "nvidia_smi_clocks_event_reasons_sync_boost" "Clocks are lowered by another GPU of the sync boost group." made REASONS, reason::<4>;
    gauge "nvidia_smi_clocks_event_reasons_sw_thermal_slowdown" "Clocks are lowered by heat, by the driver." made REASONS, reason::<5>;
    gauge "nvidia_smi_clocks_event_reasons_hw_thermal_slowdown" "Clocks are lowered by heat, by the hardware." made REASONS, reason::<6>;
    gauge "nvidia_smi_clocks_event_reasons_hw_power_brake_slowdown" "Clocks are lowered by the power brake." made REASONS, reason::<7>;
    gauge "nvidia_smi_fan_speed_ratio" "Speed that the first fan is driven at." made "`speed_percent` of the first of `thermal.fans`", fan;
    gauge "nvidia_smi_pstate" "Performance state, 0 for the fastest." made "`clocks.performance_state`", dcgm::performance_state;
    counter "nvidia_smi_ecc_errors_corrected_volatile_total" "Corrected memory errors since the driver was loaded." reading "reliability.corrected_volatile";
    counter "nvidia_smi_ecc_errors_uncorrected_volatile_total" "Uncorrected memory errors since the driver was loaded." reading "reliability.uncorrected_volatile";
    counter "nvidia_smi_ecc_errors_corrected_aggregate_total" "Corrected memory errors over the board's life." reading "reliability.corrected_aggregate";
    counter "nvidia_smi_ecc_errors_uncorrected_aggregate_total" "Uncorrected memory errors over the board's life." reading "reliability.uncorrected_aggregate";
    gauge "nvidia_smi_pcie_link_gen_current" "Generation of the PCIe link." reading "pcie.generation";
    gauge "nvidia_smi_pcie_link_width_current" "Lanes of the PCIe link." reading "pcie.width";
    gauge "nvidia_smi_pcie_throughput_tx_bytes_per_second" "Sent over PCIe." reading "pcie.sent_bytes_per_second";
    gauge "nvidia_smi_pcie_throughput_rx_bytes_per_second" "Received over PCIe." reading "pcie.received_bytes_per_second";
};

const INFO: (&str, &str) = ("nvidia_smi_gpu_info", "What the GPU is.");
const XIDS: (&str, &str) = (
    "nvidia_smi_xid_errors_total",
    "XIDs since the agent started, by number.",
);
const APPS: (&str, &str) = (
    "nvidia_smi_compute_app_info",
    "A process that computes on the GPU.",
);
const APP_MEMORY: (&str, &str) = (
    "nvidia_smi_compute_app_used_memory_bytes",
    "Memory of a process that computes on the GPU.",
);

pub(super) fn expose(view: &View<'_>, seen: &[Seen<'_>], sink: &mut dyn Sink) {
    let gpus = Labelled::all(
        seen,
        |gpu| Labels::new([("uuid", uuid(gpu))]),
        |gpu, _| Labels::new([("uuid", uuid(gpu))]),
    );
    info(view, seen, sink);
    TABLE.expose(&gpus, sink);
    let family = Family::new(Kind::Counter, XIDS.0, XIDS.1);
    let mut family = OnFirst::new(&family, sink);
    for gpu in &gpus {
        for (code, count) in view
            .events_of(gpu.seen.gpu)
            .into_iter()
            .flat_map(|events| &events.xids)
        {
            family.series(&gpu.labels, &[("xid", &code.to_string())], *count as f64);
        }
    }
    if view.per_process {
        processes(&gpus, sink);
    }
}

/// A UUID as that exporter writes it: without `GPU-`.
fn uuid(gpu: &GpuSnapshot) -> String {
    let uuid = gpu.uuid().map(ToString::to_string).unwrap_or_default();
    uuid.strip_prefix("GPU-").map(str::to_owned).unwrap_or(uuid)
}

fn info(view: &View<'_>, seen: &[Seen<'_>], sink: &mut dyn Sink) {
    let family = Family::new(Kind::Info, INFO.0, INFO.1);
    let mut family = OnFirst::new(&family, sink);
    for seen in seen {
        let Some(facts) = seen.gpu.facts.as_ref() else {
            continue;
        };
        let identity = &facts.identity;
        let text = |reading: &gpulse_models::Reading<String>| reading.value().cloned().unwrap_or_default();
        let labels = Labels::new([
            ("uuid", uuid(seen.gpu)),
            ("name", text(&identity.name)),
            ("driver_version", view.driver_version().to_owned()),
            ("vbios_version", text(&identity.vbios_version)),
            (
                "pci_bus_id",
                seen.gpu.pci_bus_id().map(|id| id.to_string()).unwrap_or_default(),
            ),
            ("serial", text(&identity.serial)),
            ("index", seen.gpu.index.to_string()),
        ]);
        family.series(&labels, &[], 1.0);
    }
}

fn processes(gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let family = Family::new(Kind::Info, APPS.0, APPS.1);
    let mut family = OnFirst::new(&family, sink);
    for (gpu, process) in computing(gpus) {
        let name = process.name.value().map_or("", String::as_str);
        let extra = [
            ("pid", process.pid.to_string()),
            ("process_name", name.to_owned()),
        ];
        let extra = extra.each_ref().map(|(key, value)| (*key, value.as_str()));
        family.series(&gpu.labels, &extra, 1.0);
    }
    let family = Family::new(Kind::Gauge, APP_MEMORY.0, APP_MEMORY.1);
    let mut family = OnFirst::new(&family, sink);
    for (gpu, process) in computing(gpus) {
        if let Some(memory) = process.used_memory.value() {
            family.series(&gpu.labels, &[("pid", &process.pid.to_string())], memory.0 as f64);
        }
    }
}

/// Each process that computes, with its GPU.
fn computing<'g>(
    gpus: &'g [Labelled<'_, '_>],
) -> impl Iterator<Item = (&'g Labelled<'g, 'g>, &'g gpulse_models::GpuProcess)> {
    gpus.iter().flat_map(|gpu| {
        let list = gpu.seen.sample().and_then(|sample| sample.processes.list.value());
        let processes = list.into_iter().flat_map(|list| &list.processes);
        processes
            .filter(|process| process.kinds.compute)
            .map(move |process| (gpu, process))
    })
}
