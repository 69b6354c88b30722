//! One GPU with every reading present, for tests and benchmarks. The numbers are made up.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

use crate::{
    Bytes, Celsius, Clocks, CommandLine, Container, ContainerRuntime, DriverInfo, DriverStatus, EccErrors,
    EccTotals, GpuFacts, GpuId, GpuProcess, GpuSnapshot, GpuState, Health, HostSnapshot, Identity, Joules,
    Megahertz, Memory, PcieLink, Percent, PerformanceState, PidNamespace, Power, PowerLimits,
    ProcessIdentity, ProcessKinds, ProcessList, ProcessUtilization, Reading::Value, Sample, SlowSample,
    TemperatureThresholds, ThrottleReasons, Totals, User, Utilization, Watts,
};

/// The time at which everything here was taken.
pub fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap_or_default()
}

/// The static facts of the GPU at `index`.
pub fn facts(index: u32) -> GpuFacts {
    GpuFacts {
        id: GpuId::from_uuid(&format!("GPU-00000000-0000-0000-0000-{index:012}")),
        name: Value("NVIDIA Example".to_owned()),
        pci_bus_id: format!("0000:{:02x}:00.0", index + 1)
            .parse()
            .map_err(|_| crate::Reason::Error)
            .into(),
        serial: Value(format!("{index}")),
        vbios_version: Value("96.00.01".to_owned()),
        thresholds: TemperatureThresholds {
            slowdown: Value(Celsius(87.0)),
            shutdown: Value(Celsius(92.0)),
        },
        power_limits: PowerLimits {
            default: Value(Watts(700.0)),
            min: Value(Watts(200.0)),
            max: Value(Watts(700.0)),
        },
        pcie_generation_max: Value(5),
        pcie_width_max: Value(16),
    }
}

/// A sample in which nothing is absent.
pub fn sample() -> Sample {
    let clock = |mhz| Value(Megahertz(mhz));
    let errors = EccErrors {
        corrected: Value(3),
        uncorrected: Value(0),
    };
    Sample {
        taken_at: at(),
        utilization: Utilization {
            gpu: Value(Percent(75.0)),
            memory: Value(Percent(60.0)),
            encoder: Value(Percent(5.0)),
            decoder: Value(Percent(7.0)),
        },
        memory: Value(Memory {
            total: Bytes(80 << 30),
            used: Bytes(40 << 30),
            free: Bytes(40 << 30),
        }),
        temperature: Value(Celsius(65.0)),
        power: Power {
            draw: Value(Watts(350.0)),
            management_limit: Value(Watts(700.0)),
            enforced_limit: Value(Watts(700.0)),
            total_energy: Value(Joules(1_234_567.891)),
        },
        clocks: Clocks {
            graphics: clock(1_410.0),
            sm: clock(1_410.0),
            memory: clock(1_215.0),
            video: clock(1_200.0),
        },
        performance_state: Value(PerformanceState::P(0)),
        throttle_reasons: Value(ThrottleReasons(0x4)),
        fan_speed: Value(Percent(50.0)),
        slow: Arc::new(SlowSample {
            taken_at: at(),
            pcie: PcieLink {
                generation: Value(5),
                width: Value(16),
            },
            ecc: EccTotals {
                volatile: errors,
                aggregate: errors,
            },
            processes: Value(processes()),
        }),
    }
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
    }
}
