//! How the GPUs of a host are joined to each other and to its processors.

mod rows;

use serde::{Deserialize, Serialize};

pub use rows::{TopologyGpuRow, TopologyOverview, TopologyPairRow};

use crate::{
    GpuSnapshot, HostSnapshot, Label, Reading, Reason, Timestamp,
    catalogue::{Catalogued, readings},
};

/// How the GPUs of a host are joined. Read once per initialisation, and again while something is missing for a reason that
/// may pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    /// When it was read.
    pub read_at: Timestamp,
    /// Where each GPU is, by index.
    pub gpus: Vec<TopologyGpu>,
    /// Each two different GPUs, once: by the lower index, then by the higher.
    pub pairs: Vec<TopologyPair>,
}

readings! {
    /// Where a GPU is, as seen from the processors.
    pub struct TopologyGpu {
        /// NVML's index.
        reading index: u32, info, "nvmlDeviceGetHandleByIndex_v2", Fermi;
        /// Processors that are nearest to it, as the kernel writes lists: `0-15,64-79`.
        reading cpu_affinity: String, info, "nvmlDeviceGetCpuAffinity", Kepler;
        /// NUMA nodes that are nearest to it, likewise.
        reading memory_affinity: String, info, "nvmlDeviceGetMemoryAffinity", Kepler;
    }

    /// How two GPUs are joined.
    pub struct TopologyPair {
        /// NVML's index of the one.
        reading first: u32, info, "nvmlDeviceGetHandleByIndex_v2", Fermi;
        /// NVML's index of the other.
        reading second: u32, info, "nvmlDeviceGetHandleByIndex_v2", Fermi;
        /// The nearest place on PCIe that both hang on: `internal` (one board), `single` (one switch), `multiple`
        /// (several switches), `host_bridge`, `node` (one NUMA node) or `system` (between NUMA nodes).
        reading common_ancestor: Label, info, "nvmlDeviceGetTopologyCommonAncestor", Fermi;
        /// Whether the one can read the other's memory: `ok`, or why not.
        reading p2p_read: Label, info, "nvmlDeviceGetP2PStatus(read)", Kepler;
        /// Whether the one can write the other's memory: `ok`, or why not.
        reading p2p_write: Label, info, "nvmlDeviceGetP2PStatus(write)", Kepler;
        /// Whether the one reaches the other over NVLink: `ok`, or why not.
        reading p2p_nvlink: Label, info, "nvmlDeviceGetP2PStatus(nvlink)", Pascal;
    }
}

/// How many NVLinks join two GPUs: those that end at the other, or, where both hang on switches, those that the one with
/// fewer has to them.
pub fn nvlinks_between(first: &GpuSnapshot, second: &GpuSnapshot) -> Reading<u32> {
    let one_way = |from: &GpuSnapshot, to: &GpuSnapshot| -> Reading<(u32, u32, Option<Reason>)> {
        let Some(sample) = from.served_sample() else {
            return Reading::Unavailable(from.absence());
        };
        let far = to.pci_bus_id();
        sample.nvlink.links.as_ref().map(|links| {
            let up = links
                .iter()
                .filter(|link| link.state.value().is_some_and(|state| state.as_str() == "up"));
            let (mut direct, mut to_switches, mut unknown) = (0, 0, None);
            for link in up {
                match (
                    link.remote_type.value().map(Label::as_str),
                    &link.remote_pci_bus_id,
                ) {
                    (Some("switch"), _) => to_switches += 1,
                    (_, Reading::Value(id)) => direct += u32::from(far == Some(*id)),
                    (Some("cpu"), _) => {}
                    // It leads to a GPU, but the driver does not say to which, as in a virtual machine.
                    (_, Reading::Unavailable(reason)) => unknown = unknown.or(Some(*reason)),
                }
            }
            (direct, to_switches, unknown)
        })
    };
    match (one_way(first, second), one_way(second, first)) {
        (Reading::Value((direct, ..)), Reading::Value(_)) if direct > 0 => Reading::Value(direct),
        (Reading::Value((_, mine, not_mine)), Reading::Value((_, theirs, not_theirs))) => {
            match (mine.min(theirs), not_mine.or(not_theirs)) {
                (0, Some(reason)) => Reading::Unavailable(reason),
                (over_switches, _) => Reading::Value(over_switches),
            }
        }
        // A GPU without NVLink is joined to nobody by it.
        (Reading::Unavailable(Reason::NotSupported), _) | (_, Reading::Unavailable(Reason::NotSupported)) => {
            Reading::Value(0)
        }
        (Reading::Unavailable(reason), _) | (_, Reading::Unavailable(reason)) => Reading::Unavailable(reason),
    }
}

impl Topology {
    /// Whether something is missing for a reason that may pass.
    pub fn is_provisional(&self) -> bool {
        let passing = |reason: Option<Reason>| reason.is_some_and(|reason| !reason.is_permanent());
        let gpu =
            |gpu: &TopologyGpu| passing(gpu.cpu_affinity.reason()) || passing(gpu.memory_affinity.reason());
        let pair = |pair: &TopologyPair| {
            [
                &pair.common_ancestor,
                &pair.p2p_read,
                &pair.p2p_write,
                &pair.p2p_nvlink,
            ]
            .into_iter()
            .any(|reading| passing(reading.reason()))
        };
        self.gpus.iter().any(gpu) || self.pairs.iter().any(pair)
    }

    /// Nothing but the GPUs and pairs of a host, for one reason.
    pub fn absent(host: &HostSnapshot, reason: Reason) -> Self {
        let indices: Vec<_> = host.gpus.iter().map(|gpu| gpu.index).collect();
        let gpus = indices.iter().map(|index| TopologyGpu {
            index: Reading::Value(*index),
            ..TopologyGpu::absent(reason)
        });
        let pairs = indices.iter().enumerate().flat_map(|(place, first)| {
            indices[place + 1..].iter().map(move |second| TopologyPair {
                first: Reading::Value(*first),
                second: Reading::Value(*second),
                ..TopologyPair::absent(reason)
            })
        });
        Self {
            read_at: host.published_at,
            gpus: gpus.collect(),
            pairs: pairs.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Nvlink, NvlinkLink, Timed, example};

    fn gpu(index: u32, links: &[(&'static str, Option<u32>)]) -> GpuSnapshot {
        let link = |(kind, far): &(&'static str, Option<u32>)| NvlinkLink {
            state: Reading::Value("up".into()),
            remote_type: Reading::Value((*kind).into()),
            remote_pci_bus_id: match far.and_then(|far| example::gpu(far).pci_bus_id()) {
                Some(id) => Reading::Value(id),
                None => Reading::Unavailable(Reason::NotSupported),
            },
            ..NvlinkLink::absent(Reason::NotSupported)
        };
        let mut sample = example::sample();
        sample.nvlink = Arc::new(Timed {
            read_at: None,
            readings: Nvlink {
                links: Reading::Value(links.iter().map(link).collect()),
                ..Nvlink::absent(Reason::NotSupported)
            },
        });
        GpuSnapshot {
            sample: Some(Arc::new(sample)),
            ..example::gpu(index)
        }
    }

    #[test]
    fn links_to_the_other_count_and_others_do_not() {
        let (a, b) = (
            gpu(0, &[("gpu", Some(1)), ("gpu", Some(1)), ("gpu", Some(2))]),
            gpu(1, &[("gpu", Some(0))]),
        );
        assert_eq!(nvlinks_between(&a, &b), Reading::Value(2));
        assert_eq!(
            nvlinks_between(&b, &gpu(2, &[("gpu", Some(0))])),
            Reading::Value(0)
        );
    }

    #[test]
    fn over_switches_the_one_with_fewer_links_decides() {
        let (a, b) = (gpu(0, &[("switch", None); 18]), gpu(1, &[("switch", None); 17]));
        assert_eq!(nvlinks_between(&a, &b), Reading::Value(17));
    }

    #[test]
    fn links_that_lead_nobody_knows_where_are_not_none() {
        let (a, b) = (gpu(0, &[("gpu", None); 4]), gpu(1, &[("unknown", None); 4]));
        assert_eq!(
            nvlinks_between(&a, &b),
            Reading::Unavailable(Reason::NotSupported)
        );
        let to_processors = gpu(1, &[("cpu", None); 4]);
        assert_eq!(nvlinks_between(&to_processors, &to_processors), Reading::Value(0));
        let known = gpu(0, &[("gpu", Some(1)), ("gpu", None)]);
        assert_eq!(nvlinks_between(&known, &b), Reading::Value(1));
    }

    #[test]
    fn a_gpu_without_nvlink_has_none_and_a_lost_one_is_not_known() {
        let (a, mut none) = (gpu(0, &[("switch", None)]), example::gpu(1));
        let mut sample = example::sample();
        sample.nvlink = Timed::absent(Reason::NotSupported);
        none.sample = Some(Arc::new(sample));
        assert_eq!(nvlinks_between(&a, &none), Reading::Value(0));
        let mut lost = gpu(1, &[("switch", None)]);
        lost.health.state = crate::GpuState::Lost;
        assert_eq!(nvlinks_between(&a, &lost), Reading::Unavailable(Reason::NotReady));
    }
}
