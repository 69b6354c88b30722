//! One GPU with every reading present, for tests and benchmarks. The numbers are made up.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

use crate::{
    Bytes, Celsius, Clocks, CommandLine, Container, ContainerRuntime, DriverInfo, DriverStatus, Fan,
    GpuFacts, GpuId, GpuIdentity, GpuLimits, GpuProcess, GpuSnapshot, GpuState, Health, HostSnapshot,
    Identity, Joules, Load, Megahertz, Memory, Pcie, Percent, PerformanceState, PidNamespace, Power,
    ProcessIdentity, ProcessKinds, ProcessList, ProcessTable, ProcessUtilization,
    Reading::{self, Value},
    Reason, Reliability, Sample, Thermal, ThrottleReasons, Timed, Totals, User, Watts,
    catalogue::Catalogued,
};

/// The time at which everything here was taken.
pub fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap_or_default()
}

/// The static facts of the GPU at `index`.
pub fn facts(index: u32) -> GpuFacts {
    let absent = Reason::NotSupported;
    GpuFacts {
        id: GpuId::from_uuid(&format!("GPU-00000000-0000-0000-0000-{index:012}")),
        identity: GpuIdentity {
            name: Value("NVIDIA Example".to_owned()),
            pci_bus_id: format!("0000:{:02x}:00.0", index + 1)
                .parse()
                .map_err(|_| Reason::Error)
                .into(),
            serial: Value(format!("{index}")),
            vbios_version: Value("96.00.01".to_owned()),
            ..GpuIdentity::absent(absent)
        },
        limits: GpuLimits {
            slowdown_celsius: Value(Celsius(87.0)),
            shutdown_celsius: Value(Celsius(92.0)),
            power_default_watts: Value(Watts(700.0)),
            power_min_watts: Value(Watts(200.0)),
            power_max_watts: Value(Watts(700.0)),
            pcie_generation_max: Value(5),
            pcie_width_max: Value(16),
            ..GpuLimits::absent(absent)
        },
    }
}

/// A sample in which nothing that old clients read is absent.
pub fn sample() -> Sample {
    let clock = |mhz| Value(Megahertz(mhz));
    let share = |percent| Value(Percent(percent));
    let absent = Reason::NotSupported;
    let mut sample = Sample::absent(at(), absent);
    sample.load = read(Load {
        gpu_percent: share(75.0),
        memory_percent: share(60.0),
        encoder_percent: share(5.0),
        decoder_percent: share(7.0),
        ..Load::absent(absent)
    });
    sample.memory = read(Memory {
        total_bytes: Value(Bytes(80 << 30)),
        used_bytes: Value(Bytes(40 << 30)),
        free_bytes: Value(Bytes(40 << 30)),
        ..Memory::absent(absent)
    });
    sample.thermal = read(Thermal {
        gpu_celsius: Value(Celsius(65.0)),
        fans: Value(vec![Fan {
            index: Value(0),
            speed_percent: share(50.0),
            ..Fan::absent(absent)
        }]),
        ..Thermal::absent(absent)
    });
    sample.power = read(Power {
        draw_watts: Value(Watts(350.0)),
        management_limit_watts: Value(Watts(700.0)),
        enforced_limit_watts: Value(Watts(700.0)),
        driver_energy_joules: Value(Joules(1_234_567.891)),
        ..Power::absent(absent)
    });
    sample.clocks = read(Clocks {
        graphics_mhz: clock(1_410.0),
        sm_mhz: clock(1_410.0),
        memory_mhz: clock(1_215.0),
        video_mhz: clock(1_200.0),
        performance_state: Value(PerformanceState::P(0)),
        event_reasons: Value(ThrottleReasons(0x4)),
        ..Clocks::absent(absent)
    });
    sample.pcie = read(Pcie {
        generation: Value(5),
        width: Value(16),
        ..Pcie::absent(absent)
    });
    sample.reliability = read(Reliability {
        corrected_volatile: Value(3),
        uncorrected_volatile: Value(0),
        corrected_aggregate: Value(3),
        uncorrected_aggregate: Value(0),
        ..Reliability::absent(absent)
    });
    sample.processes = read(ProcessTable {
        list: Value(processes()),
    });
    sample
}

fn read<T>(readings: T) -> Arc<Timed<T>> {
    let read_at = Some(at());
    Arc::new(Timed { read_at, readings })
}

/// The one process of the sample.
pub fn processes() -> ProcessList {
    let share = |percent| Value(Percent(percent));
    let identity = ProcessIdentity {
        started_at: Value(at()),
        start_ticks: 123_456,
        user: Value(User {
            uid: 1_000,
            name: Some("ada".to_owned()),
        }),
        executable: Value("/usr/bin/python3.12".to_owned()),
        command: CommandLine::Executable("python3".to_owned()),
        container: Value(Some(Container {
            id: "0123456789abcdef".repeat(4),
            runtime: Some(ContainerRuntime::Docker),
        })),
        pod_uid: Value(None),
        slurm_job: Value(None),
        pid_namespace: PidNamespace::Host,
    };
    let process = GpuProcess {
        pid: 4242,
        name: Value("python3".to_owned()),
        used_memory: Value(Bytes(38 << 30)),
        kinds: ProcessKinds {
            compute: true,
            graphics: false,
            mps: false,
        },
        mig: None,
        utilization: Value(Some(ProcessUtilization {
            sm: share(70.0),
            memory: share(50.0),
            encoder: share(0.0),
            decoder: share(0.0),
        })),
        identity: Identity::Found(Arc::new(identity)),
    };
    ProcessList {
        processes: vec![process],
        other: None,
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
    HostSnapshot {
        generation: 1,
        published_at: at(),
        driver: DriverStatus::Ready(Arc::new(driver())),
        gpus,
        totals,
        topology: Reading::Unavailable(Reason::NotReady),
    }
}
