//! Processes that compute, where they are wanted.

use gpulse_models::GpuProcess;

use super::super::row::{Labelled, OnFirst};
use crate::family::{Extra, Family, Kind, Labels, Sink};

const INFO: (&str, &str) = (
    "nvidia_smi_compute_app_info",
    "A process that computes on the GPU.",
);
const MEMORY: (&str, &str) = (
    "nvidia_smi_compute_app_used_memory_bytes",
    "Memory of a process that computes on the GPU.",
);
const SUCCESS: (&str, &str) = (
    "nvidia_smi_compute_apps_last_collect_success",
    "Whether the processes of each GPU could be read.",
);

pub(super) fn expose(gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let mut each =
        |kind, (name, help): (&'static str, &'static str), value: fn(&GpuProcess) -> Option<f64>| {
            let family = Family::new(kind, name, help);
            let mut family = OnFirst::new(&family, sink);
            for (gpu, process) in computing(gpus) {
                let pid = process.pid.to_string();
                let name = process.name.value().map_or("", String::as_str);
                let who: [Extra<'_>; 2] = [("pid", &pid), ("process_name", name)];
                if let Some(value) = value(process) {
                    family.series(&gpu.labels, &who, value);
                }
            }
        };
    each(Kind::Info, INFO, |_| Some(1.0));
    each(Kind::Gauge, MEMORY, |process| {
        process.used_memory.value().map(|memory| memory.0 as f64)
    });
    let read = |gpu: &Labelled<'_, '_>| {
        let sample = gpu.seen.sample();
        sample.is_some_and(|sample| sample.processes.list.value().is_some())
    };
    let family = Family::new(Kind::Gauge, SUCCESS.0, SUCCESS.1);
    let all = f64::from(u8::from(gpus.iter().all(read)));
    OnFirst::new(&family, sink).series(&Labels::default(), &[], all);
}

/// Each process that computes, with its GPU.
fn computing<'g>(
    gpus: &'g [Labelled<'_, '_>],
) -> impl Iterator<Item = (&'g Labelled<'g, 'g>, &'g GpuProcess)> {
    gpus.iter().flat_map(|gpu| {
        let list = gpu.seen.sample().and_then(|sample| sample.processes.list.value());
        let processes = list.into_iter().flat_map(|list| &list.processes);
        processes
            .filter(|process| process.kinds.compute)
            .map(move |process| (gpu, process))
    })
}
