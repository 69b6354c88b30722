//! The topology as it is shown: what was read of it beside what the GPUs say of themselves.

use std::sync::Arc;

use super::{Topology, TopologyGpu, TopologyPair, nvlinks_between};
use crate::{
    GpuSnapshot, HostSnapshot, Label, PciBusId, Reading, Reason,
    catalogue::{Catalogued, readings},
};

readings! {
    /// How the GPUs of a host are joined to each other and to its processors.
    pub struct TopologyOverview {
        /// Where each GPU is, by index.
        list gpus: TopologyGpuRow, info, "nvmlDeviceGetCount_v2", Fermi;
        /// Each two different GPUs, once: by the lower index, then by the higher.
        list pairs: TopologyPairRow, info, "nvmlDeviceGetCount_v2", Fermi;
    }

    /// Where a GPU is.
    pub struct TopologyGpuRow {
        /// NVML's index.
        reading index: u32, info, "nvmlDeviceGetHandleByIndex_v2", Fermi;
        /// NVML UUID.
        reading uuid: String, info, "nvmlDeviceGetUUID", Fermi;
        /// Where it sits.
        reading pci_bus_id: PciBusId, info, "nvmlDeviceGetPciInfo_v3", Fermi;
        /// The NUMA node of the host that is nearest to it.
        reading numa_node: u32, info, "nvmlDeviceGetNumaNodeId", Fermi;
        /// Processors that are nearest to it, as the kernel writes lists: `0-15,64-79`.
        reading cpu_affinity: String, info, "nvmlDeviceGetCpuAffinity", Kepler;
        /// NUMA nodes that are nearest to it, likewise.
        reading memory_affinity: String, info, "nvmlDeviceGetMemoryAffinity", Kepler;
    }

    /// How two GPUs are joined.
    pub struct TopologyPairRow {
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
        /// NVLinks that join them now, directly or over switches.
        reading nvlinks: u32, gauge, "nvmlDeviceGetNvLinkState and nvmlDeviceGetNvLinkRemotePciInfo_v2", Pascal;
    }
}

impl TopologyOverview {
    /// The GPUs of `host` and each two of them, whatever is known of how they are joined.
    pub fn of(host: &HostSnapshot) -> Self {
        let topology = match &host.topology {
            Reading::Value(topology) => Arc::clone(topology),
            Reading::Unavailable(reason) => Arc::new(Topology::absent(host, *reason)),
        };
        let gpus = host.gpus.iter().map(|gpu| TopologyGpuRow::of(gpu, &topology));
        let pairs = host.gpus.iter().enumerate().flat_map(|(place, first)| {
            let others = host.gpus[place + 1..].iter();
            let topology = &topology;
            others.map(move |second| TopologyPairRow::of(first, second, topology))
        });
        Self {
            gpus: Reading::Value(gpus.collect()),
            pairs: Reading::Value(pairs.collect()),
        }
    }
}

impl TopologyGpuRow {
    fn of(gpu: &GpuSnapshot, topology: &Topology) -> Self {
        let known = |known: &&TopologyGpu| known.index.value() == Some(&gpu.index);
        let near = topology.gpus.iter().find(known).cloned();
        // A GPU that joined the roster after the topology was read is in the next one.
        let near = near.unwrap_or_else(|| TopologyGpu::absent(Reason::NotReady));
        let facts = gpu.facts.as_deref();
        let unknown = gpu.absence();
        Self {
            index: Reading::Value(gpu.index),
            uuid: facts
                .map(|facts| facts.id.as_str().to_owned())
                .ok_or(unknown)
                .into(),
            pci_bus_id: facts.map_or(Reading::Unavailable(unknown), |facts| facts.identity.pci_bus_id),
            numa_node: facts.map_or(Reading::Unavailable(unknown), |facts| facts.identity.numa_node),
            cpu_affinity: near.cpu_affinity,
            memory_affinity: near.memory_affinity,
        }
    }
}

impl TopologyPairRow {
    fn of(first: &GpuSnapshot, second: &GpuSnapshot, topology: &Topology) -> Self {
        let known = |known: &&TopologyPair| {
            (known.first.value(), known.second.value()) == (Some(&first.index), Some(&second.index))
        };
        let joined = topology.pairs.iter().find(known).cloned();
        let joined = joined.unwrap_or_else(|| TopologyPair::absent(Reason::NotReady));
        Self {
            first: Reading::Value(first.index),
            second: Reading::Value(second.index),
            common_ancestor: joined.common_ancestor,
            p2p_read: joined.p2p_read,
            p2p_write: joined.p2p_write,
            p2p_nvlink: joined.p2p_nvlink,
            nvlinks: nvlinks_between(first, second),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GpuState, example};

    #[test]
    fn every_gpu_and_every_pair_is_there_once() {
        let overview = TopologyOverview::of(&example::host((0..4).map(example::gpu)));
        let (gpus, pairs) = (overview.gpus.value().unwrap(), overview.pairs.value().unwrap());
        assert_eq!((gpus.len(), pairs.len()), (4, 6));
        assert_eq!(pairs[5].first, Reading::Value(2));
        assert_eq!(
            (&pairs[5].second, &pairs[5].nvlinks),
            (&Reading::Value(3), &Reading::Value(2))
        );
    }

    #[test]
    fn a_topology_that_was_not_read_has_its_reason_in_every_row() {
        let mut host = example::host([example::gpu(0), example::gpu(1)]);
        host.topology = Reading::Unavailable(Reason::Timeout);
        let mut lost = example::gpu(1);
        lost.facts = None;
        lost.health.state = GpuState::Lost;
        host.gpus[1] = Arc::new(lost);
        let overview = TopologyOverview::of(&host);
        let gpus = overview.gpus.value().unwrap();
        assert_eq!(gpus[0].cpu_affinity, Reading::Unavailable(Reason::Timeout));
        assert_eq!(gpus[0].numa_node, Reading::Value(0));
        assert_eq!(gpus[1].uuid, Reading::Unavailable(Reason::NotReady));
        let pair = &overview.pairs.value().unwrap()[0];
        assert_eq!(pair.p2p_read, Reading::Unavailable(Reason::Timeout));
        assert_eq!(pair.nvlinks, Reading::Unavailable(Reason::NotReady));
    }
}
