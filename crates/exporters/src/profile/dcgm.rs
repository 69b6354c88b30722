//! The names of dcgm-exporter up to 4.8.

use std::sync::LazyLock;

use gpulse_models::{GpuSnapshot, NvlinkLink, PodContainer, Recent, ThrottleReasons};

use super::{
    Row, Scale, Table, View,
    row::{Labelled, OnFirst, holder, instance_holders, instance_text, rows},
};
use crate::{
    family::{Extra, Family, Kind, Labels, Sink},
    seen::{Item, Seen},
};

const MEBI: Scale = Scale::Over(1_048_576.0);
const NANO: Scale = Scale::Times(1e9);
const MILLI: Scale = Scale::Times(1e3);
const RATIO: Scale = Scale::Over(100.0);

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(ROWS));

/// In the order of that exporter's own list.
const ROWS: &[Row] = rows! {
    gauge "DCGM_FI_DEV_SM_CLOCK" "SM clock, in MHz." reading "clocks.sm_mhz";
    gauge "DCGM_FI_DEV_MEM_CLOCK" "Memory clock, in MHz." reading "clocks.memory_mhz";
    gauge "DCGM_FI_DEV_MEMORY_TEMP" "Memory temperature, in °C." reading "thermal.memory_celsius";
    gauge "DCGM_FI_DEV_GPU_TEMP" "Core temperature, in °C." reading "thermal.gpu_celsius";
    gauge "DCGM_FI_DEV_SLOWDOWN_TEMP" "Clocks are lowered from this temperature on, in °C." reading "limits.slowdown_celsius";
    gauge "DCGM_FI_DEV_SHUTDOWN_TEMP" "The GPU switches off from this temperature on, in °C." reading "limits.shutdown_celsius";
    gauge "DCGM_FI_DEV_POWER_USAGE" "Power draw, in W." reading "power.draw_watts";
    gauge "DCGM_FI_DEV_POWER_MGMT_LIMIT" "The power limit that is set, in W." reading "power.management_limit_watts";
    gauge "DCGM_FI_DEV_ENFORCED_POWER_LIMIT" "The power limit in force, in W." reading "power.enforced_limit_watts";
    counter "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION" "Energy, in mJ." reading "power.energy_joules_total", MILLI;
    counter "DCGM_FI_DEV_PCIE_REPLAY_COUNTER" "PCIe packets that had to be sent again." reading "pcie.replays_total";
    gauge "DCGM_FI_DEV_GPU_UTIL" "Share of time in which a kernel ran, in %." reading "load.gpu_percent";
    gauge "DCGM_FI_DEV_MEM_COPY_UTIL" "Share of time in which memory was read or written, in %." reading "load.memory_percent";
    gauge "DCGM_FI_DEV_ENC_UTIL" "Use of the video encoders, in %." reading "load.encoder_percent";
    gauge "DCGM_FI_DEV_DEC_UTIL" "Use of the video decoders, in %." reading "load.decoder_percent";
    gauge "DCGM_FI_DEV_FB_FREE" "Device memory that is not allocated, in MiB." both "memory.free_bytes" "memory_free_bytes", MEBI;
    gauge "DCGM_FI_DEV_FB_USED" "Device memory that is allocated, in MiB." both "memory.used_bytes" "memory_used_bytes", MEBI;
    gauge "DCGM_FI_DEV_FB_TOTAL" "Device memory, in MiB." both "memory.total_bytes" "memory_total_bytes", MEBI;
    gauge "DCGM_FI_DEV_FB_RESERVED" "Device memory that driver and firmware keep, in MiB." reading "memory.reserved_bytes", MEBI;
    counter "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL" "Data over all NVLinks, both ways, in MiB." made "sum over `nvlink.links` of `sent_bytes_total` and `received_bytes_total`", nvlink;
    counter "DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL" "Packets that had to be sent again over NVLinks." made "sum over `nvlink.links` of `replay_errors_total`", nvlink_replays;
    counter "DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL" "Recoveries of NVLinks." made "sum over `nvlink.links` of `recovery_errors_total`", nvlink_recoveries;
    gauge "DCGM_FI_DEV_VGPU_LICENSE_STATUS" "Whether the vGPU has its licence; 0 also where it takes none." made "`modes.vgpu_licensed`, or 0 by `modes.vgpu_license_supported`", license;
    counter "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS" "Memory rows that were replaced after uncorrected errors." reading "reliability.remapped_rows.uncorrected";
    counter "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS" "Memory rows that were replaced after corrected errors." reading "reliability.remapped_rows.corrected";
    gauge "DCGM_FI_DEV_ROW_REMAP_FAILURE" "Whether a memory row could not be replaced." reading "reliability.remapped_rows.failed";
    gauge "DCGM_FI_DEV_ROW_REMAP_PENDING" "Whether memory rows will be replaced at the next reset." reading "reliability.remapped_rows.pending";
    counter "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL" "Corrected memory errors since the driver was loaded." reading "reliability.corrected_volatile";
    counter "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL" "Uncorrected memory errors since the driver was loaded." reading "reliability.uncorrected_volatile";
    counter "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL" "Corrected memory errors over the board's life." reading "reliability.corrected_aggregate";
    counter "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL" "Uncorrected memory errors over the board's life." reading "reliability.uncorrected_aggregate";
    counter "DCGM_FI_DEV_RETIRED_SBE" "Memory pages that were taken out of use after corrected errors." reading "reliability.retired_pages_corrected";
    counter "DCGM_FI_DEV_RETIRED_DBE" "Memory pages that were taken out of use after an uncorrected error." reading "reliability.retired_pages_uncorrected";
    gauge "DCGM_FI_DEV_RETIRED_PENDING" "Whether memory pages will be taken out of use at the next reset." reading "reliability.retirement_pending";
    counter "DCGM_FI_DEV_POWER_VIOLATION" "Time with clocks lowered by the power limit, in ns." reading "clocks.lowered.power_seconds_total", NANO;
    counter "DCGM_FI_DEV_THERMAL_VIOLATION" "Time with clocks lowered by heat, in ns." reading "clocks.lowered.thermal_seconds_total", NANO;
    counter "DCGM_FI_DEV_SYNC_BOOST_VIOLATION" "Time with clocks lowered by sync boost, in ns." reading "clocks.lowered.sync_boost_seconds_total", NANO;
    counter "DCGM_FI_DEV_BOARD_LIMIT_VIOLATION" "Time with clocks lowered by the board's limit, in ns." reading "clocks.lowered.board_limit_seconds_total", NANO;
    counter "DCGM_FI_DEV_LOW_UTIL_VIOLATION" "Time with clocks lowered by low use, in ns." reading "clocks.lowered.low_utilization_seconds_total", NANO;
    counter "DCGM_FI_DEV_RELIABILITY_VIOLATION" "Time with clocks lowered by the reliable voltage, in ns." reading "clocks.lowered.reliability_seconds_total", NANO;
    gauge "DCGM_FI_DEV_PCIE_LINK_GEN" "Generation of the PCIe link." reading "pcie.generation";
    gauge "DCGM_FI_DEV_PCIE_LINK_WIDTH" "Lanes of the PCIe link." reading "pcie.width";
    gauge "DCGM_FI_DEV_FAN_SPEED" "Speed that the first fan is driven at, in %." made "`speed_percent` of the first of `thermal.fans`", fan;
    gauge "DCGM_FI_DEV_PSTATE" "Performance state, 0 for the fastest." made "`clocks.performance_state`", performance_state;
    gauge "DCGM_FI_DEV_CLOCKS_EVENT_REASONS" "Why clocks are lowered, as NVML's bits." made "`clocks.event_reasons`", event_reasons;
    gauge "DCGM_EXP_CLOCK_EVENTS_COUNT" "1 for each reason why clocks are lowered at the moment." each "`clocks.event_reasons`", clock_events;
    gauge "DCGM_FI_PROF_GR_ENGINE_ACTIVE" "Share of time in which an engine was at work." both "activity.graphics_percent" "activity.graphics_percent", RATIO;
    gauge "DCGM_FI_PROF_SM_ACTIVE" "Share of time in which an SM had a warp." both "activity.sm_percent" "activity.sm_percent", RATIO;
    gauge "DCGM_FI_PROF_SM_OCCUPANCY" "Warps that were resident, of those that could be." both "activity.sm_occupancy_percent" "activity.sm_occupancy_percent", RATIO;
    gauge "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE" "Share of cycles in which the tensor cores were at work." both "activity.tensor_percent" "activity.tensor_percent", RATIO;
    gauge "DCGM_FI_PROF_DRAM_ACTIVE" "Share of the memory bandwidth that was used." both "activity.dram_percent" "activity.dram_percent", RATIO;
    gauge "DCGM_FI_PROF_PIPE_FP64_ACTIVE" "Share of cycles in which the FP64 pipes were at work." both "activity.fp64_percent" "activity.fp64_percent", RATIO;
    gauge "DCGM_FI_PROF_PIPE_FP32_ACTIVE" "Share of cycles in which the FP32 pipes were at work." both "activity.fp32_percent" "activity.fp32_percent", RATIO;
    gauge "DCGM_FI_PROF_PIPE_FP16_ACTIVE" "Share of cycles in which the FP16 pipes were at work." both "activity.fp16_percent" "activity.fp16_percent", RATIO;
    gauge "DCGM_FI_PROF_PCIE_TX_BYTES" "Sent over PCIe, in bytes a second." reading "activity.pcie_sent_bytes_per_second";
    gauge "DCGM_FI_PROF_PCIE_RX_BYTES" "Received over PCIe, in bytes a second." reading "activity.pcie_received_bytes_per_second";
    gauge "DCGM_FI_PROF_NVLINK_TX_BYTES" "Sent over NVLink, in bytes a second." reading "activity.nvlink_sent_bytes_per_second";
    gauge "DCGM_FI_PROF_NVLINK_RX_BYTES" "Received over NVLink, in bytes a second." reading "activity.nvlink_received_bytes_per_second";
};

/// What an XID is under here: families that are not read from a sample.
const XID: (&str, &str) = (
    "DCGM_FI_DEV_XID_ERRORS",
    "The latest XID; 0 if there was none since the agent started.",
);
const XIDS: (&str, &str) = (
    "DCGM_EXP_XID_ERRORS_COUNT",
    "XIDs of the last five minutes, by number; 0 without a number if there was none.",
);

/// The label that says over how long is counted.
const WINDOW: &str = "window_size_in_ms";

pub(super) fn expose(view: &View<'_>, seen: &[Seen<'_>], sink: &mut dyn Sink) {
    let gpus = labelled(view, seen, "Hostname");
    TABLE.expose(&gpus, sink);
    last_xid(XID.0, XID.1, view, &gpus, sink);
    let window = Recent::WINDOW.as_millis().to_string();
    let family = Family::new(Kind::Gauge, XIDS.0, XIDS.1);
    let mut family = OnFirst::new(&family, sink);
    for gpu in &gpus {
        let Some(events) = view.events_of(gpu.seen.gpu) else {
            continue;
        };
        let lately = events
            .xids
            .iter()
            .map(|(code, tally)| (code, tally.recent.count(view.at)));
        let came: Vec<_> = lately.filter(|(_, count)| *count > 0).collect();
        for (code, count) in &came {
            let said = [(WINDOW, window.as_str()), ("xid", &code.to_string())];
            family.series(&gpu.labels, &said, *count as f64);
        }
        // Where there was none it says so, if it would hear of one.
        if came.is_empty() && events.unwatched.is_none() {
            family.series(&gpu.labels, &[(WINDOW, &window)], 0.0);
        }
    }
}

/// The latest XID of each GPU whose events reach the agent.
pub(super) fn last_xid(
    name: &'static str,
    help: &'static str,
    view: &View<'_>,
    gpus: &[Labelled<'_, '_>],
    sink: &mut dyn Sink,
) {
    let family = Family::new(Kind::Gauge, name, help);
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        let Some(events) = view.events_of(gpu.seen.gpu) else {
            continue;
        };
        let code = events.last_xid.map(|last| last.code);
        if let Some(code) = code.or(events.unwatched.is_none().then_some(0)) {
            family.series(&gpu.labels, &[], code as f64);
        }
    }
}

/// Labels as that exporter gives them; `hostname` is what it calls the node.
pub(super) fn labelled<'s, 'a>(
    view: &View<'_>,
    seen: &'s [Seen<'a>],
    hostname: &'static str,
) -> Vec<Labelled<'s, 'a>> {
    let of_gpu = |gpu: &GpuSnapshot| labels(view, gpu, hostname, Vec::new(), view.host.pods.of_gpu(gpu));
    let of_instance = |gpu: &GpuSnapshot, item: &Item<'a>| {
        let own = vec![
            ("GPU_I_PROFILE", instance_text(item, "profile")),
            ("GPU_I_ID", instance_text(item, "gpu_instance_id")),
        ];
        let holders = instance_holders(view, gpu, item);
        labels(view, gpu, hostname, own, holders)
    };
    Labelled::all(seen, of_gpu, of_instance)
}

fn labels(
    view: &View<'_>,
    gpu: &GpuSnapshot,
    hostname: &'static str,
    own: Vec<(&'static str, String)>,
    holders: &[PodContainer],
) -> Labels {
    let identity = gpu.facts.as_ref().map(|facts| &facts.identity);
    let minor = identity.and_then(|identity| identity.minor_number.value().copied());
    let name = identity.and_then(|identity| identity.name.value().cloned());
    let mut pairs = vec![
        ("gpu", gpu.index.to_string()),
        ("UUID", gpu.uuid().map(ToString::to_string).unwrap_or_default()),
        (
            "pci_bus_id",
            gpu.pci_bus_id().map(|id| id.to_string()).unwrap_or_default(),
        ),
        ("device", format!("nvidia{}", minor.unwrap_or(gpu.index))),
        ("modelName", name.unwrap_or_default()),
    ];
    pairs.extend(own);
    pairs.push((hostname, view.node.to_owned()));
    pairs.push(("DCGM_FI_DRIVER_VERSION", view.driver_version().to_owned()));
    pairs.extend(holder(holders));
    Labels::new(pairs)
}

fn nvlink(seen: &Seen<'_>) -> Option<f64> {
    let moved = |link: &NvlinkLink| {
        let sent = link.sent_bytes_total.value()?;
        let received = link.received_bytes_total.value()?;
        Some(sent.0 as f64 + received.0 as f64)
    };
    over_links(seen, moved).map(|bytes| MEBI.apply(bytes))
}

fn nvlink_replays(seen: &Seen<'_>) -> Option<f64> {
    over_links(seen, |link| Some(*link.replay_errors_total.value()? as f64))
}

fn nvlink_recoveries(seen: &Seen<'_>) -> Option<f64> {
    over_links(seen, |link| Some(*link.recovery_errors_total.value()? as f64))
}

/// The sum over all links. One over some of them would be taken for it, so that there is none where one link says nothing.
fn over_links(seen: &Seen<'_>, of: impl Fn(&NvlinkLink) -> Option<f64>) -> Option<f64> {
    let links = seen.sample()?.nvlink.links.value()?;
    let sum = links.iter().map(of).sum::<Option<f64>>()?;
    (!links.is_empty()).then_some(sum)
}

/// Where nothing takes a licence there is none, which that exporter calls 0. Where other things than vGPUs take one, nothing is said.
fn license(seen: &Seen<'_>) -> Option<f64> {
    let modes = &seen.sample()?.modes;
    let licensed = match modes.vgpu_license_supported.value()? {
        true => *modes.vgpu_licensed.value()?,
        false => false,
    };
    Some(f64::from(u8::from(licensed)))
}

pub(super) fn fan(seen: &Seen<'_>) -> Option<f64> {
    seen.sample()?
        .thermal
        .first_fan_speed()
        .value()
        .map(|speed| speed.0)
}

pub(super) fn performance_state(seen: &Seen<'_>) -> Option<f64> {
    match seen.sample()?.clocks.performance_state.value()? {
        gpulse_models::PerformanceState::P(number) => Some(f64::from(*number)),
        gpulse_models::PerformanceState::Unknown => None,
    }
}

fn event_reasons(seen: &Seen<'_>) -> Option<f64> {
    seen.sample()?
        .clocks
        .event_reasons
        .value()
        .map(|reasons| reasons.0 as f64)
}

/// What that exporter calls the reasons, by the name that NVML gives them.
const CLOCK_EVENTS: [(&str, &str); 9] = [
    ("gpu_idle", "gpu_idle"),
    ("applications_clocks_setting", "clocks_setting"),
    ("sw_power_cap", "power_cap"),
    ("hw_slowdown", "hw_slowdown"),
    ("sync_boost", "sync_boost"),
    ("sw_thermal_slowdown", "sw_thermal"),
    ("hw_thermal_slowdown", "hw_thermal"),
    ("hw_power_brake_slowdown", "hw_power_brake"),
    ("display_clock_setting", "display_clocks"),
];

fn clock_events(seen: &Seen<'_>, show: &mut dyn FnMut(&[Extra<'_>], f64)) {
    let reasons = seen
        .sample()
        .and_then(|sample| sample.clocks.event_reasons.value());
    let Some(reasons) = reasons.copied() else { return };
    for (name, holds) in ThrottleReasons::named(reasons) {
        let theirs = CLOCK_EVENTS.iter().find(|(ours, _)| *ours == name);
        if let Some((_, theirs)) = theirs.filter(|_| holds) {
            show(&[("clock_event", theirs)], 1.0);
        }
    }
}
