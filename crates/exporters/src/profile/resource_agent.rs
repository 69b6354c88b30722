//! The names that the pipeline of resource-agent queries.

use std::sync::LazyLock;

use gpulse_models::{DriverStatus, GpuSnapshot, Percent};

use super::{
    Row, Scale, Source, Table, View,
    row::{Labelled, OnFirst},
};
use crate::{
    family::{Family, Kind, Labels, Sink},
    seen::Seen,
};

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(&ROWS));

const fn gauge(name: &'static str, help: &'static str, source: Source) -> Row {
    Row {
        name,
        kind: Kind::Gauge,
        help,
        source,
    }
}

const ROWS: [Row; 6] = [
    gauge(
        "gpu_utilization_percent",
        "Share of time in which a kernel ran.",
        Source::Reading("load.gpu_percent", Scale::One),
    ),
    gauge(
        "gpu_memory_utilization_percent",
        "Share of the memory that is allocated.",
        Source::Made("`memory.used_bytes` of `memory.total_bytes`", occupancy),
    ),
    gauge(
        "gpu_memory_used_bytes",
        "Device memory that is allocated.",
        Source::Reading("memory.used_bytes", Scale::One),
    ),
    gauge(
        "gpu_memory_total_bytes",
        "Device memory.",
        Source::Reading("memory.total_bytes", Scale::One),
    ),
    gauge(
        "gpu_temperature_celsius",
        "Core temperature.",
        Source::Reading("thermal.gpu_celsius", Scale::One),
    ),
    gauge(
        "gpu_power_draw_watts",
        "Power draw.",
        Source::Reading("power.draw_watts", Scale::One),
    ),
];

const SUCCESS: (&str, &str) = ("gpu_exporter_success", "Whether NVML can be used.");

pub(super) fn expose(view: &View<'_>, seen: &[Seen<'_>], sink: &mut dyn Sink) {
    let labels =
        |gpu: &GpuSnapshot| Labels::new([("gpu_id", gpu.index.to_string()), ("node", view.node.to_owned())]);
    TABLE.expose(&Labelled::all(seen, labels, |gpu, _| labels(gpu)), sink);
    let family = Family::new(Kind::Gauge, SUCCESS.0, SUCCESS.1);
    let ready = matches!(view.host.driver, DriverStatus::Ready(_));
    let node = Labels::new([("node", view.node.to_owned())]);
    OnFirst::new(&family, sink).series(&node, &[], f64::from(u8::from(ready)));
}

fn occupancy(seen: &Seen<'_>) -> Option<f64> {
    let memory = &seen.sample()?.memory;
    let (used, total) = (memory.used_bytes.value()?, memory.total_bytes.value()?);
    (total.0 > 0).then(|| Percent::of(used.0 as f64, total.0 as f64).0)
}
