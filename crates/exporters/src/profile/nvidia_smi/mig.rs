//! MIG instances: who they are by their own UUIDs, and what they have by GPU instance, which has it once however many compute
//! instances share it.

use std::{collections::BTreeSet, sync::LazyLock};

use super::{
    super::{
        Scale,
        row::{Labelled, OnFirst, instance_text},
    },
    table::RATIO,
};
use crate::{
    family::{Family, Kind, Sink},
    seen::{CATALOGUE, Item, LeafId},
};

const INFO: (&str, &str) = ("nvidia_smi_mig_info", "What a MIG instance is.");

/// What a GPU instance has: name, meaning, reading below `mig.instances`.
const ROWS: [(&str, &str, &str, Scale); 9] = [
    (
        "nvidia_smi_mig_memory_total_bytes",
        "Memory of a GPU instance.",
        "memory_total_bytes",
        Scale::One,
    ),
    (
        "nvidia_smi_mig_memory_used_bytes",
        "Memory of a GPU instance that is allocated.",
        "memory_used_bytes",
        Scale::One,
    ),
    (
        "nvidia_smi_mig_memory_free_bytes",
        "Memory of a GPU instance that is not allocated.",
        "memory_free_bytes",
        Scale::One,
    ),
    (
        "nvidia_smi_mig_graphics_activity_ratio",
        "Share of time in which its engines were at work.",
        "activity.graphics_percent",
        RATIO,
    ),
    (
        "nvidia_smi_mig_sm_activity_ratio",
        "Share of time in which its SMs had a warp.",
        "activity.sm_percent",
        RATIO,
    ),
    (
        "nvidia_smi_mig_sm_occupancy_ratio",
        "Warps that were on its SMs, of those that could be.",
        "activity.sm_occupancy_percent",
        RATIO,
    ),
    (
        "nvidia_smi_mig_tensor_activity_ratio",
        "Cycles in which its tensor cores were at work.",
        "activity.tensor_percent",
        RATIO,
    ),
    (
        "nvidia_smi_mig_pcie_throughput_tx_bytes_per_second",
        "Sent over PCIe by a GPU instance.",
        "activity.pcie_sent_bytes_per_second",
        Scale::One,
    ),
    (
        "nvidia_smi_mig_pcie_throughput_rx_bytes_per_second",
        "Received over PCIe by a GPU instance.",
        "activity.pcie_received_bytes_per_second",
        Scale::One,
    ),
];

static LEAVES: LazyLock<[Option<LeafId>; ROWS.len()]> =
    LazyLock::new(|| ROWS.map(|(_, _, path, _)| CATALOGUE.leaf(&format!("mig.instances.{path}"))));

pub(super) fn expose(gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let family = Family::new(Kind::Info, INFO.0, INFO.1);
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        for (_, instance) in &gpu.instances {
            let said = [
                ("mig_uuid", "uuid"),
                ("gpu_instance_id", "gpu_instance_id"),
                ("compute_instance_id", "compute_instance_id"),
                ("profile", "profile"),
            ];
            let said = said.map(|(label, key)| (label, instance_text(instance, key)));
            let said = said.each_ref().map(|(label, text)| (*label, text.as_str()));
            family.series(&gpu.labels, &said, 1.0);
        }
    }
    for ((name, help, _, scale), leaf) in ROWS.iter().zip(&*LEAVES) {
        let family = Family::new(Kind::Gauge, *name, *help);
        let mut family = OnFirst::new(&family, sink);
        for gpu in gpus {
            for (id, instance) in by_gpu_instance(gpu) {
                if let Some(value) = leaf.and_then(|leaf| instance.number(leaf)) {
                    family.series(&gpu.labels, &[("gpu_instance_id", &id)], scale.apply(value));
                }
            }
        }
    }
}

/// The first compute instance of each GPU instance, by the id of the latter.
fn by_gpu_instance<'g, 'a>(gpu: &'g Labelled<'g, 'a>) -> impl Iterator<Item = (String, &'g Item<'a>)> {
    let mut met = BTreeSet::new();
    gpu.instances.iter().filter_map(move |(_, instance)| {
        let id = instance_text(instance, "gpu_instance_id");
        (!id.is_empty() && met.insert(id.clone())).then_some((id, *instance))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reading_exists() {
        assert!(LEAVES.iter().all(Option::is_some), "{:?}", *LEAVES);
    }
}
