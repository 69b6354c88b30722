//! The names of nvidia_gpu_exporter: fields of `nvidia-smi --query-gpu`, in base units, and what it reads of NVML beside them.

mod collection;
mod mig;
mod numbers;
mod processes;
mod table;
mod xids;

use std::sync::LazyLock;

use gpulse_models::{DriverStatus, GpuSnapshot, Reading};

use super::{
    Table, View,
    row::{Labelled, OnFirst},
};
use crate::{
    family::{Family, Kind, Labels, Sink},
    seen::Seen,
};

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(table::ROWS));

const INFO: (&str, &str) = ("nvidia_smi_gpu_info", "What the GPU is.");

pub(super) fn expose(view: &View<'_>, seen: &[Seen<'_>], sink: &mut dyn Sink) {
    let of_gpu = |gpu: &GpuSnapshot| Labels::new([("uuid", uuid(gpu))]);
    let gpus = Labelled::all(seen, of_gpu, |gpu, _| of_gpu(gpu));
    info(view, seen, sink);
    TABLE.expose(&gpus, sink);
    mig::expose(&gpus, sink);
    xids::expose(view, &gpus, sink);
    if view.per_process {
        processes::expose(&gpus, sink);
    }
    collection::expose(view, sink);
}

/// A UUID as that exporter writes it: without `GPU-`.
fn uuid(gpu: &GpuSnapshot) -> String {
    let uuid = gpu.uuid().map(ToString::to_string).unwrap_or_default();
    uuid.strip_prefix("GPU-").map(str::to_owned).unwrap_or(uuid)
}

fn info(view: &View<'_>, seen: &[Seen<'_>], sink: &mut dyn Sink) {
    let family = Family::new(Kind::Info, INFO.0, INFO.1);
    let mut family = OnFirst::new(&family, sink);
    let cuda = match &view.host.driver {
        DriverStatus::Ready(driver) => driver.cuda_driver_version.clone().unwrap_or_default(),
        _ => String::new(),
    };
    for seen in seen {
        let Some(facts) = seen.gpu.facts.as_ref() else {
            continue;
        };
        let identity = &facts.identity;
        let text = |reading: &Reading<String>| reading.value().cloned().unwrap_or_default();
        let labels = Labels::new([
            ("uuid", uuid(seen.gpu)),
            ("name", text(&identity.name)),
            ("driver_version", view.driver_version().to_owned()),
            ("cuda_version", cuda.clone()),
            ("compute_cap", text(&identity.compute_capability)),
            ("vbios_version", text(&identity.vbios_version)),
            (
                "pci_bus_id",
                seen.gpu.pci_bus_id().map(|id| id.to_string()).unwrap_or_default(),
            ),
            ("pci_sub_device_id", text(&identity.pci_subsystem_id)),
            ("serial", text(&identity.serial)),
            ("index", seen.gpu.index.to_string()),
        ]);
        family.series(&labels, &[], 1.0);
    }
}
