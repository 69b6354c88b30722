//! One GPU with every reading that its kind of board has, for tests and benchmarks. The numbers are made up.

mod processes;
mod sample;

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

pub use processes::processes;
pub use sample::sample;

use crate::{
    Bits, Celsius, DriverFault, DriverInfo, DriverReason, DriverStatus, GpuFacts, GpuId, GpuIdentity,
    GpuLimits, GpuSnapshot, GpuState, Health, HostSnapshot, Inventory, Megabits, Megahertz, PciGpu, Percent,
    PodAssignments, PodContainer, PodDevice, PodHolders, Reading::Value, Reason, Topology, TopologyGpu,
    TopologyPair, Totals, Watts, catalogue::Catalogued,
};

/// The time at which everything here was taken.
pub fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap_or_default()
}

/// The static facts of the GPU at `index`: a board with fans, neither in a chassis nor one of several on a base board.
pub fn facts(index: u32) -> GpuFacts {
    let absent = Reason::NotSupported;
    let clock = |mhz| Value(Megahertz(mhz));
    GpuFacts {
        id: GpuId::from_uuid(&format!("GPU-00000000-0000-0000-0000-{index:012}")),
        identity: GpuIdentity {
            name: Value("NVIDIA Example".to_owned()),
            brand: Value("NVIDIA".into()),
            architecture: Value("Hopper".into()),
            compute_capability: Value("9.0".to_owned()),
            cores: Value(16_896),
            memory_bus_bits: Value(Bits(5_120)),
            pci_bus_id: format!("0000:{:02x}:00.0", index + 1)
                .parse()
                .map_err(|_| Reason::Error)
                .into(),
            serial: Value(format!("{index}")),
            board_part_number: Value("900-21010-0000-000".to_owned()),
            board_id: Value(256 * (index + 1)),
            multi_gpu_board: Value(false),
            vbios_version: Value("96.00.01".to_owned()),
            gsp_firmware_version: Value("580.95.05".to_owned()),
            inforom_image_version: Value("G520.0200.00.05".to_owned()),
            inforom_oem_version: Value("2.1".to_owned()),
            inforom_ecc_version: Value("7.16".to_owned()),
            pci_device_id: Value("0x233110DE".to_owned()),
            pci_subsystem_id: Value("0x162610DE".to_owned()),
            bus_type: Value("pcie".into()),
            minor_number: Value(index),
            numa_node: Value(0),
            addressing_mode: Value("none".into()),
            ..GpuIdentity::absent(absent)
        },
        limits: GpuLimits {
            slowdown_celsius: Value(Celsius(87.0)),
            shutdown_celsius: Value(Celsius(92.0)),
            gpu_max_celsius: Value(Celsius(85.0)),
            memory_max_celsius: Value(Celsius(95.0)),
            power_default_watts: Value(Watts(700.0)),
            power_min_watts: Value(Watts(200.0)),
            power_max_watts: Value(Watts(700.0)),
            graphics_max_mhz: clock(1_980.0),
            sm_max_mhz: clock(1_980.0),
            memory_max_mhz: clock(1_593.0),
            video_max_mhz: clock(1_545.0),
            application_graphics_default_mhz: clock(1_755.0),
            application_memory_default_mhz: clock(1_593.0),
            pcie_generation_max: Value(5),
            pcie_width_max: Value(16),
            pcie_lane_max_mbps: Value(Megabits(32_000)),
            fan_min_percent: Value(Percent(30.0)),
            fan_max_percent: Value(Percent(100.0)),
        },
    }
}

/// The GPU at `index`, doing well.
pub fn gpu(index: u32) -> GpuSnapshot {
    let facts = facts(index);
    GpuSnapshot {
        id: facts.id.clone(),
        index,
        facts: Some(Arc::new(facts)),
        sample: Some(Arc::new(sample())),
        health: Health {
            state: GpuState::Ok,
            since: at(),
            sequence: 1,
            failures: 0,
            overruns: 0,
            dropped: 0,
            last_error: None,
        },
        generation: 1,
    }
}

/// What NVML says of itself.
pub fn driver() -> DriverInfo {
    DriverInfo {
        driver_version: "580.95.05".to_owned(),
        cuda_driver_version: Some("13.0".to_owned()),
        nvml_version: Some("13.580.95.05".to_owned()),
        library: PathBuf::from("libnvidia-ml.so.1"),
        simulated: false,
    }
}

/// A host with these GPUs.
pub fn host(gpus: impl IntoIterator<Item = GpuSnapshot>) -> HostSnapshot {
    let gpus: Vec<_> = gpus.into_iter().map(Arc::new).collect();
    let totals = Totals::over(gpus.iter().filter_map(|gpu| gpu.served_sample()));
    let topology = Arc::new(topology(&gpus));
    let inventory = Arc::new(inventory(gpus.len()));
    HostSnapshot {
        generation: 1,
        published_at: at(),
        driver: DriverStatus::Ready(Arc::new(driver())),
        gpus,
        totals,
        topology: Value(topology),
        inventory,
        pods: Arc::new(pods()),
    }
}

/// A machine with as many GPUs, in the places of the example's.
pub fn inventory(gpus: usize) -> Inventory {
    let device = |index| {
        Some(PciGpu {
            pci_bus_id: format!("0000:{:02x}:00.0", index + 1).parse().ok()?,
            device_id: Some("0x2331".to_owned()),
            driver: Some("nvidia".to_owned()),
        })
    };
    Inventory {
        configured: None,
        devices: Ok((0..gpus).filter_map(device).collect()),
        is_of_this_machine: true,
    }
}

/// What the kubelet says: a pod holds the first GPU of the example.
pub fn pods() -> PodAssignments {
    let mut holders = PodHolders::default();
    let holder = PodContainer {
        namespace: "training".to_owned(),
        pod: "llama-0".to_owned(),
        container: "trainer".to_owned(),
    };
    holders.add(PodDevice::Gpu(facts(0).id.as_str().to_owned()), holder);
    PodAssignments::known(holders, at())
}

/// Why NVML cannot be used.
pub fn driver_fault() -> DriverFault {
    DriverFault {
        reason: DriverReason::DriverNotLoaded,
        message: "libnvidia-ml.so.1: driver not loaded".to_owned(),
        hint: "load the kernel driver",
        library_loaded: true,
        attempts: 1,
        since: at(),
    }
}

/// How the example's GPUs are joined: all hang on one NUMA node.
pub fn topology(gpus: &[Arc<GpuSnapshot>]) -> Topology {
    let near = gpus.iter().map(|gpu| TopologyGpu {
        index: Value(gpu.index),
        cpu_affinity: Value("0-31".to_owned()),
        memory_affinity: Value("0".to_owned()),
    });
    let pairs = gpus.iter().enumerate().flat_map(|(place, first)| {
        gpus[place + 1..].iter().map(move |second| TopologyPair {
            first: Value(first.index),
            second: Value(second.index),
            common_ancestor: Value("node".into()),
            p2p_read: Value("ok".into()),
            p2p_write: Value("ok".into()),
            p2p_nvlink: Value("ok".into()),
        })
    });
    Topology {
        read_at: at(),
        gpus: near.collect(),
        pairs: pairs.collect(),
    }
}
