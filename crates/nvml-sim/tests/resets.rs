//! What changes when a GPU is reset, cut anew, or fails in calls that are not plainly about it.

use std::time::{Duration, Instant};

use nvml_sim::faults::{Fault, Incident, Values};
use nvml_sim::testing::Simulator;
use nvml_wrapper::enum_wrappers::device::{EccCounter, MemoryError, P2pCapabilitiesIndex, PerformancePolicy};
use nvml_wrapper::enums::device::SampleValue;
use nvml_wrapper::enums::gpm::GpmMetricId;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::{Device, Nvml};

fn open(simulator: &Simulator) -> Nvml {
    Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .expect("the library initialises")
}

/// Waits until a condition holds, which it does within moments.
fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn restart() -> Values {
    Values {
        counters_restart: true,
        ..Values::default()
    }
}

fn field(device: &Device<'_>, id: u32) -> u64 {
    let found = device.field_values_for(&[FieldId(id)]).expect("the call works");
    match found[0].as_ref().expect("the field has a known type").value {
        Ok(SampleValue::U64(value)) => value,
        Ok(SampleValue::U32(value)) => value.into(),
        ref other => panic!("field {id}: {other:?}"),
    }
}

#[test]
fn after_a_reset_counters_begin_anew_and_go_on() {
    // A load without pauses, so that every counter runs.
    let work = "gpu.work = \"waveform\"\n\
                gpu.waveform = { shape = \"sine\", frequency_hz = 5.0, low = 0.8, high = 1.0 }";
    let simulator = Simulator::builder("b200-8")
        .overrides(work)
        .unwrap()
        .start()
        .unwrap();
    let replays = Fault::everywhere()
        .gpu(1)
        .incident(Incident::PcieReplay)
        .per_second(10);
    let corrected = Fault::everywhere()
        .gpu(1)
        .incident(Incident::EccSingleBit)
        .per_second(10);
    simulator
        .set_faults(&[replays.clone(), corrected.clone()])
        .unwrap();
    let nvml = open(&simulator);
    let device = nvml.device_by_index(1).unwrap();
    let ecc = |kind| device.total_ecc_errors(MemoryError::Corrected, kind).unwrap();
    let read = || {
        [
            device.total_energy_consumption().unwrap(),
            field(&device, 83),
            field(&device, 74),
            field(&device, 197),
            field(&device, 198),
            field(&device, 138),
            field(&device, 202),
            device
                .violation_status(PerformancePolicy::Power)
                .unwrap()
                .violation_time,
            u64::from(device.pcie_replay_counter().unwrap()),
            ecc(EccCounter::Volatile),
        ]
    };
    until("something has happened", || {
        read().iter().all(|counter| *counter > 0) && ecc(EccCounter::Volatile) > 3
    });
    let (before, life) = (read(), ecc(EccCounter::Aggregate));

    let reset = Fault::everywhere().gpu(1).values(restart());
    simulator.set_faults(&[replays, corrected, reset]).unwrap();
    until("the reset is noticed", || {
        device.total_energy_consumption().unwrap() < before[0]
    });
    let after = read();
    for (place, (before, after)) in before.iter().zip(after).enumerate() {
        assert!(after < *before, "counter {place}: {before}, then {after}");
    }
    until("counters go on", || {
        read().iter().zip(after).all(|(later, earlier)| *later > earlier)
    });
    assert!(
        ecc(EccCounter::Aggregate) >= life,
        "a reset forgets nothing of the board's life"
    );
    let other = nvml.device_by_index(0).unwrap();
    assert!(other.total_energy_consumption().unwrap() > 1_000_000);
}

#[test]
fn in_a_world_that_stands_still_counters_restart_at_nothing() {
    let frozen = Simulator::builder("h100-sxm-8")
        .frozen_at(Duration::from_secs(100))
        .faults(&[Fault::everywhere().values(restart())])
        .start()
        .unwrap();
    let nvml = open(&frozen);
    assert_eq!(
        nvml.device_by_index(2)
            .unwrap()
            .total_energy_consumption()
            .unwrap(),
        0
    );
}

#[test]
fn mig_mode_goes_off_and_on_in_a_running_process() {
    let simulator = Simulator::builder("a100-mig")
        .frozen_at(Duration::from_secs(100))
        .start()
        .unwrap();
    let nvml = open(&simulator);
    let device = nvml.device_by_index(0).unwrap();
    let is_on = || device.mig_mode().unwrap().current != 0;
    let instance = device.mig_device_by_index(0).unwrap();
    assert!(is_on() && instance.memory_info().is_ok());
    let ids = || {
        let processes = device.running_compute_processes().unwrap();
        processes
            .iter()
            .filter(|process| process.gpu_instance_id.is_some())
            .count()
    };
    assert!(ids() > 0);
    simulator
        .set_faults(&[Fault::everywhere().gpu(0).mig(false)])
        .unwrap();
    until("MIG goes off", || !is_on());
    assert_eq!(
        device.utilization_rates().unwrap().gpu,
        simulator.truth(0).unwrap().gpu_utilization
    );
    assert!(matches!(
        device.mig_device_by_index(0),
        Err(NvmlError::NotSupported)
    ));
    assert!(matches!(instance.memory_info(), Err(NvmlError::InvalidArg)));
    assert_eq!(ids(), 0);
    simulator.clear_faults().unwrap();
    until("MIG comes back", is_on);
    assert!(instance.memory_info().is_ok());

    let simulator = Simulator::builder("h100-sxm-8")
        .faults(&[Fault::everywhere().gpu(3).mig(true)])
        .start()
        .unwrap();
    let nvml = open(&simulator);
    let cut = nvml.device_by_index(3).unwrap();
    assert_eq!(cut.mig_mode().unwrap().current, 1);
    assert!(matches!(cut.utilization_rates(), Err(NvmlError::NotSupported)));
    assert!(matches!(cut.mig_device_by_index(0), Err(NvmlError::NotFound)));
    assert!(nvml.device_by_index(2).unwrap().utilization_rates().is_ok());

    let simulator = Simulator::builder("t4")
        .faults(&[Fault::everywhere().mig(true)])
        .start()
        .unwrap();
    let nvml = open(&simulator);
    let chip = nvml.device_by_index(0).unwrap();
    assert!(matches!(chip.mig_mode(), Err(NvmlError::NotSupported)));
    assert!(chip.utilization_rates().is_ok());
}

#[test]
fn gpm_and_topology_fail_for_the_gpu_of_the_fault() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let nvml = open(&simulator);
    let (a, b) = (nvml.device_by_index(0).unwrap(), nvml.device_by_index(1).unwrap());
    let metrics = |device: &Device<'_>| {
        let first = device.gpm_sample()?;
        std::thread::sleep(Duration::from_millis(25));
        let second = device.gpm_sample()?;
        nvml_wrapper::gpm::gpm_metrics_get(&nvml, &first, &second, &[GpmMetricId::SmUtil]).map(drop)
    };
    for call in ["nvmlGpmSampleGet", "nvmlGpmMetricsGet"] {
        simulator
            .set_faults(&[Fault::on(call).gpu(1).returns(999)])
            .unwrap();
        until(call, || matches!(metrics(&b), Err(NvmlError::Unknown)));
        metrics(&a).unwrap();
    }
    assert!(simulator.calls("nvmlGpmMetricsGet", Some(0)) >= 2);
    simulator
        .set_faults(&[Fault::everywhere().gpu(1).lost()])
        .unwrap();
    until("the second of two", || {
        matches!(
            a.p2p_status(&b, P2pCapabilitiesIndex::NvLink),
            Err(NvmlError::GpuLost)
        )
    });
}
