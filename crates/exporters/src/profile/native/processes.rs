//! Who is on the GPUs: how many, and if the configuration wants it a few series for each. A process is described in
//! labels that change when it does, so that nobody gets them without having asked.

use gpulse_models::{GpuProcess, Percent, ProcessUtilization, Reading};

use super::super::{
    View,
    row::{Labelled, OnFirst},
};
use crate::family::{Family, Kind, Sink};

pub(super) fn expose(view: &View<'_>, gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let family = Family::new(Kind::Gauge, "gpulse_processes", "Processes on the GPU.");
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        let table = gpu.seen.sample().map(|sample| &sample.processes.readings);
        let count = table.and_then(|table| table.overview().count.value().copied());
        if let Some(count) = count {
            family.series(&gpu.labels, &[], count as f64);
        }
    }
    if view.per_process {
        described(gpus, sink);
        memory(gpus, sink);
        share(
            (
                "gpulse_process_sm_ratio",
                "Share of the streaming multiprocessors that the process used.",
            ),
            |used| &used.sm,
            gpus,
            sink,
        );
        share(
            (
                "gpulse_process_memory_ratio",
                "Share of the memory interface that the process used; not occupancy.",
            ),
            |used| &used.memory,
            gpus,
            sink,
        );
    }
}

fn described(gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let family = Family::new(
        Kind::Info,
        "gpulse_process_info",
        "A process on the GPU, and whose it is.",
    );
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        for process in processes(gpu) {
            let found = process.identity.found();
            let container = found.and_then(|found| found.container.value()?.clone());
            let job = found.and_then(|found| found.slurm_job.value()?.clone());
            let said = [
                ("pid", process.pid.to_string()),
                ("name", process.name.value().cloned().unwrap_or_default()),
                (
                    "user",
                    found
                        .and_then(|found| Some(found.user.value()?.label()))
                        .unwrap_or_default(),
                ),
                (
                    "container_id",
                    container.map(|container| container.id).unwrap_or_default(),
                ),
                (
                    "pod_uid",
                    found
                        .and_then(|found| found.pod_uid.value()?.clone())
                        .unwrap_or_default(),
                ),
                (
                    "slurm_job_id",
                    job.map(|job| job.id.to_string()).unwrap_or_default(),
                ),
            ];
            let said = said.iter().filter(|(_, value)| !value.is_empty());
            let said: Vec<_> = said.map(|(name, value)| (*name, value.as_str())).collect();
            family.series(&gpu.labels, &said, 1.0);
        }
    }
}

fn memory(gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let help = "GPU memory that the process holds.";
    let family = Family::new(Kind::Gauge, "gpulse_process_memory_used_bytes", help);
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        for process in processes(gpu) {
            if let Some(memory) = process.used_memory.value() {
                family.series(&gpu.labels, &[("pid", &process.pid.to_string())], memory.0 as f64);
            }
        }
    }
}

fn share(
    (name, help): (&'static str, &'static str),
    of: fn(&ProcessUtilization) -> &Reading<Percent>,
    gpus: &[Labelled<'_, '_>],
    sink: &mut dyn Sink,
) {
    let family = Family::new(Kind::Gauge, name, help);
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        for process in processes(gpu) {
            let used = process.utilization.value().and_then(Option::as_ref);
            if let Some(share) = used.and_then(|used| of(used).value()) {
                family.series(&gpu.labels, &[("pid", &process.pid.to_string())], share.0 / 100.0);
            }
        }
    }
}

/// The processes that are described: as many as `sampler.max_processes` permits.
fn processes<'a>(gpu: &Labelled<'_, 'a>) -> impl Iterator<Item = &'a GpuProcess> {
    let list = gpu.seen.sample().and_then(|sample| sample.processes.list.value());
    list.into_iter().flat_map(|list| &list.processes)
}
