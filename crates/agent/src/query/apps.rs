//! The names of `nvidia-smi --query-compute-apps`: a line for each process that computes.

use serde_json::{Value, json};

use super::{
    field::{Field, From, fields},
    made,
};
use crate::shown::{Cell, cell};

/// All that are answered. Their paths are those of a process, with its GPU below `gpu`.
pub(super) const FIELDS: &[Field] = fields! {
    "timestamp" [] "" Made(&["sampled_at"], made::timestamp);
    "gpu_name" [] "" Text("gpu.identity.name");
    "gpu_bus_id" [] "" Text("gpu.identity.pci_bus_id");
    "gpu_serial" [] "" Text("gpu.identity.serial");
    "gpu_uuid" [] "" Text("gpu.uuid");
    "pid" [] "" Whole("pid");
    "process_name" ["name"] "" Text("name");
    "used_gpu_memory" ["used_memory"] "MiB" Mebibytes("memory_used_bytes");
};

/// What of the GPUs has to be asked for.
pub(super) const PATHS: [&str; 5] = [
    "sampled_at",
    "identity.name",
    "identity.pci_bus_id",
    "identity.serial",
    "processes",
];

/// Where the processes are.
const LIST: &str = "processes.processes";

/// The processes of `gpu` that compute, each with its GPU below `gpu` and its own reasons in `unavailable`.
pub(super) fn computing(gpu: &Value) -> Vec<Value> {
    let Cell::One(Value::Array(list)) = cell(gpu, LIST) else {
        return Vec::new();
    };
    let reasons = gpu["unavailable"].as_object();
    let mut about_gpu = gpu.clone();
    if let Some(keys) = about_gpu.as_object_mut() {
        keys.remove("processes");
    }
    let computes = |process: &&(usize, Value)| {
        let kinds = process.1["kinds"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "compute"))
    };
    let list: Vec<_> = list.into_iter().enumerate().collect();
    let made = list.iter().filter(computes).map(|(place, process)| {
        let own = format!("{LIST}.{place}.");
        let mut unavailable: serde_json::Map<_, _> = reasons
            .into_iter()
            .flatten()
            .filter_map(|(path, reason)| Some((path.strip_prefix(&own)?.to_owned(), reason.clone())))
            .collect();
        for (path, reason) in reasons.into_iter().flatten() {
            unavailable.insert(format!("gpu.{path}"), reason.clone());
        }
        let mut process = process.clone();
        process["gpu"] = about_gpu.clone();
        process["sampled_at"] = gpu["sampled_at"].clone();
        process["unavailable"] = json!(unavailable);
        process
    });
    made.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::field::About;

    #[test]
    fn processes_that_compute_are_shown_with_their_gpu() {
        let gpu = json!({
            "uuid": "GPU-1", "identity": { "name": "NVIDIA T4", "serial": null },
            "processes": { "processes": [
                { "pid": 1, "name": "Xorg", "kinds": ["graphics"], "memory_used_bytes": 1 },
                { "pid": 2, "name": "python3", "kinds": ["compute"], "memory_used_bytes": null },
            ] },
            "unavailable": { "identity.serial": "not_supported", "processes.processes.1.memory_used_bytes": "no_permission" },
        });
        let processes = computing(&gpu);
        assert_eq!(processes.len(), 1);
        let about = About {
            of: &processes[0],
            published_at: "",
            host: &Value::Null,
        };
        let line: Vec<_> = FIELDS[1..]
            .iter()
            .map(|field| field.value(&about, true))
            .collect();
        assert_eq!(
            line,
            [
                "NVIDIA T4",
                "[N/A]",
                "[N/A]",
                "GPU-1",
                "2",
                "python3",
                "[Insufficient Permissions]"
            ]
        );
    }

    #[test]
    fn a_gpu_whose_processes_are_unknown_shows_none() {
        let gpu = json!({ "processes": null, "unavailable": { "processes": "gpu_lost" } });
        assert!(computing(&gpu).is_empty());
    }
}
