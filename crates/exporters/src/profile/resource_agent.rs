//! The names that the pipeline of resource-agent queries.

use std::sync::LazyLock;

use gpulse_models::{DriverStatus, GpuSnapshot, Percent};

use super::{
    Row, Table, View,
    row::{Labelled, OnFirst, rows},
};
use crate::{
    family::{Family, Kind, Labels, Sink},
    seen::Seen,
};

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(ROWS));

const ROWS: &[Row] = rows! {
    gauge "gpu_utilization_percent" "Share of time in which a kernel ran." reading "load.gpu_percent";
    gauge "gpu_memory_utilization_percent" "Share of the memory that is allocated." made "`memory.used_bytes` of `memory.total_bytes`", occupancy;
    gauge "gpu_memory_used_bytes" "Device memory that is allocated." reading "memory.used_bytes";
    gauge "gpu_memory_total_bytes" "Device memory." reading "memory.total_bytes";
    gauge "gpu_temperature_celsius" "Core temperature." reading "thermal.gpu_celsius";
    gauge "gpu_power_draw_watts" "Power draw." reading "power.draw_watts";
};

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
