//! The sampler over the simulated library: every reading equals the world's truth, in the right unit.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

mod support;

use std::time::Duration;

use gpulse_models::{
    Bytes, Celsius, DriverReason, DriverStatus, GpuSnapshot, Joules, Megahertz, Percent, PerformanceState,
    ProcessList, Reading, Reason, ThrottleReasons, Watts,
};
use gpulse_sampler::ProcessSettings;
use nvml_sim::{
    engine::Truth,
    faults::{Fault, Values},
    testing::Simulator,
};

/// Compares what was read of a GPU of a world that stands still with the truth about it.
fn check(profile: &str, gpu: &GpuSnapshot, truth: &Truth, limit: u32) {
    let what = format!("{profile} GPU {}", gpu.index);
    let sample = gpu.sample.as_ref().unwrap_or_else(|| panic!("{what}: no sample"));
    let watts = |milliwatts: u32| Reading::Value(Watts(f64::from(milliwatts) / 1_000.0));
    let megahertz = |raw: u32| Reading::Value(Megahertz(f64::from(raw)));
    let percent = |raw: u32| Reading::Value(Percent(f64::from(raw)));
    assert_eq!(sample.load.gpu_percent, percent(truth.gpu_utilization), "{what}");
    assert_eq!(
        sample.load.memory_percent,
        percent(truth.memory_utilization),
        "{what}"
    );
    assert_eq!(
        sample.load.encoder_percent,
        percent(truth.encoder_utilization),
        "{what}"
    );
    assert_eq!(
        sample.load.decoder_percent,
        percent(truth.decoder_utilization),
        "{what}"
    );
    let memory = &sample.memory;
    assert_eq!(
        memory.total_bytes,
        Reading::Value(Bytes(truth.memory_total)),
        "{what}"
    );
    assert_eq!(
        memory.used_bytes,
        Reading::Value(Bytes(truth.memory_used)),
        "{what}"
    );
    assert_eq!(
        memory.free_bytes,
        Reading::Value(Bytes(truth.memory_free)),
        "{what}"
    );
    assert_eq!(
        memory.reserved_bytes,
        Reading::Value(Bytes(truth.memory_reserved)),
        "{what}"
    );
    assert_eq!(
        sample.thermal.gpu_celsius,
        Reading::Value(Celsius(f64::from(truth.temperature))),
        "{what}"
    );
    assert_eq!(sample.power.draw_watts, watts(truth.power_usage_mw), "{what}");
    assert_eq!(sample.power.enforced_limit_watts, watts(limit), "{what}");
    let energy = Reading::Value(Joules(truth.energy_mj as f64 / 1_000.0));
    assert_eq!(sample.power.driver_energy_joules, energy, "{what}");
    assert_eq!(sample.clocks.sm_mhz, megahertz(truth.graphics_mhz), "{what}");
    assert_eq!(sample.clocks.memory_mhz, megahertz(truth.memory_mhz), "{what}");
    assert_eq!(sample.clocks.video_mhz, megahertz(truth.video_mhz), "{what}");
    assert_eq!(
        sample.clocks.event_reasons,
        Reading::Value(ThrottleReasons(truth.event_reasons)),
        "{what}"
    );
    let state = u8::try_from(truth.performance_state).unwrap();
    assert_eq!(
        sample.clocks.performance_state,
        Reading::Value(PerformanceState::P(state)),
        "{what}"
    );
    let fan = truth
        .fan_percent
        .map_or(Reading::Unavailable(Reason::NotSupported), percent);
    assert_eq!(sample.thermal.first_fan_speed(), fan, "{what}");
    assert_eq!(
        sample.pcie.generation,
        Reading::Value(truth.pcie_generation),
        "{what}"
    );
}

#[test]
fn every_reading_is_the_truth() {
    for profile in ["h100-sxm-8", "a100-pcie-4", "rtx-4090", "t4"] {
        for age in [10, 100, 1_000] {
            let simulator = Simulator::builder(profile)
                .frozen_at(Duration::from_secs(age))
                .start()
                .unwrap();
            let host = support::first_snapshot(
                Some(simulator.library_path().to_owned()),
                ProcessSettings::default(),
            );
            assert!(!host.gpus.is_empty());
            for gpu in &host.gpus {
                let truth = simulator.truth(gpu.index as usize).unwrap();
                check(profile, gpu, &truth, truth.power_limit_mw);
            }
        }
    }
}

#[test]
fn processes_are_those_of_the_world_with_name_and_memory() {
    let simulator = Simulator::builder("a100-pcie-4")
        .frozen_at(Duration::from_secs(100))
        .start()
        .unwrap();
    let host = support::first_snapshot(
        Some(simulator.library_path().to_owned()),
        ProcessSettings::default(),
    );
    let mut seen = 0;
    for gpu in &host.gpus {
        let mut truth = simulator.processes(gpu.index as usize);
        truth.sort_by_key(|process| process.pid);
        let Reading::Value(ProcessList { processes, .. }) = &gpu.sample.as_ref().unwrap().processes.list
        else {
            panic!("no list")
        };
        assert_eq!(processes.len(), truth.len());
        for (process, truth) in processes.iter().zip(truth) {
            assert_eq!(process.pid, truth.pid);
            assert_eq!(process.name, Reading::Value(truth.name.to_owned()));
            assert_eq!(process.used_memory, Reading::Value(Bytes(truth.memory)));
            seen += 1;
        }
    }
    assert!(seen > 0, "no process in the whole world");
}

#[test]
fn what_a_gpu_does_not_have_is_asked_for_once() {
    let simulator = Simulator::builder("t4").start().unwrap();
    let library = Some(simulator.library_path().to_owned());
    support::sampling(library, support::PATIENCE, async |cache| {
        support::eventually("the GPU is read several times", || {
            cache
                .host()
                .gpus
                .first()
                .filter(|gpu| gpu.health.sequence >= 4)
                .map(drop)
        })
        .await;
    });
    assert!(simulator.calls("nvmlDeviceGetPowerUsage", Some(0)) >= 4);
    for absent in [
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetRemappedRows",
        "nvmlGpmQueryDeviceSupport",
    ] {
        assert_eq!(simulator.calls(absent, Some(0)), 1, "{absent}");
    }
}

#[test]
fn the_count_of_processes_may_grow_between_two_calls() {
    let race = Values {
        count_race: true,
        ..Values::default()
    };
    let faults = [Fault::on("nvmlDeviceGetComputeRunningProcesses_v3")
        .gpu(0)
        .times(2)
        .values(race)];
    let world = Simulator::builder("a100-pcie-4")
        .frozen_at(Duration::from_secs(100))
        .faults(&faults);
    let simulator = world.start().unwrap();
    let host = support::first_snapshot(
        Some(simulator.library_path().to_owned()),
        ProcessSettings::default(),
    );
    let Reading::Value(ProcessList { processes, .. }) = &host.gpus[0].sample.as_ref().unwrap().processes.list
    else {
        panic!("no list")
    };
    let mut truth: Vec<_> = simulator.processes(0).iter().map(|process| process.pid).collect();
    truth.sort_unstable();
    assert!(!truth.is_empty(), "nobody is on the GPU");
    assert_eq!(
        processes.iter().map(|process| process.pid).collect::<Vec<_>>(),
        truth
    );
}

#[test]
fn a_refused_initialisation_says_why() {
    let simulator = Simulator::start("no-driver").unwrap();
    let host = support::first_snapshot(
        Some(simulator.library_path().to_owned()),
        ProcessSettings::default(),
    );
    let DriverStatus::Unavailable(fault) = &host.driver else {
        panic!("{:?}", host.driver)
    };
    assert_eq!(fault.reason, DriverReason::DriverNotLoaded);
    assert!(fault.library_loaded && fault.hint.contains("modprobe"));
}
