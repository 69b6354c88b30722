//! Faults disturb a running client, and stop doing so.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nvml_sim::faults::{Fault, Values};
use nvml_sim::testing::Simulator;
use nvml_wrapper::Nvml;
use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::error::NvmlError;

/// Long enough for a process to notice a new list of faults.
const NOTICED: Duration = Duration::from_millis(50);

fn open(simulator: &Simulator) -> Nvml {
    Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .expect("the library initialises")
}

fn set(simulator: &Simulator, faults: &[Fault]) {
    simulator.set_faults(faults).expect("the faults make sense");
    thread::sleep(NOTICED);
}

#[test]
fn a_call_hangs_until_it_is_released_and_nobody_else_does() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let nvml: &'static Nvml = Box::leak(Box::new(open(&simulator)));
    set(&simulator, &[Fault::on("nvmlDeviceGetPowerUsage").gpu(3).hang()]);
    let (done, answer) = mpsc::channel();
    thread::spawn(move || done.send(nvml.device_by_index(3).unwrap().power_usage()));
    assert!(
        answer.recv_timeout(Duration::from_millis(150)).is_err(),
        "the call came back"
    );
    assert!(nvml.device_by_index(2).unwrap().power_usage().is_ok());
    assert!(
        nvml.device_by_index(3)
            .unwrap()
            .temperature(TemperatureSensor::Gpu)
            .is_ok()
    );
    simulator.clear_faults().unwrap();
    assert!(answer.recv_timeout(Duration::from_secs(30)).unwrap().is_ok());
    assert_eq!(simulator.calls("nvmlDeviceGetPowerUsage", Some(3)), 1);
}

#[test]
fn a_hang_under_a_global_lock_stops_everybody() {
    let simulator = Simulator::builder("t4").global_lock().start().unwrap();
    let nvml: &'static Nvml = Box::leak(Box::new(open(&simulator)));
    set(&simulator, &[Fault::on("nvmlDeviceGetPowerUsage").hang()]);
    let (done, answer) = mpsc::channel();
    let other = done.clone();
    thread::spawn(move || done.send(nvml.device_by_index(0).unwrap().power_usage().map(drop)));
    thread::sleep(NOTICED);
    thread::spawn(move || other.send(nvml.device_by_index(0).map(drop)));
    assert!(answer.recv_timeout(Duration::from_millis(150)).is_err());
    simulator.clear_faults().unwrap();
    for _ in 0..2 {
        answer.recv_timeout(Duration::from_secs(30)).unwrap().unwrap();
    }
}

#[test]
fn a_lost_gpu_says_so_after_an_xid_and_comes_back() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let nvml = open(&simulator);
    let device = nvml.device_by_index(1).unwrap();
    let events = nvml.create_event_set().unwrap();
    let events = device
        .register_events(EventTypes::CRITICAL_XID_ERROR, events)
        .unwrap();
    assert!(matches!(events.wait(20), Err(NvmlError::Timeout)));
    set(&simulator, &[Fault::everywhere().gpu(1).lost()]);
    let event = events.wait(1_000).unwrap();
    assert!(event.event_type.contains(EventTypes::CRITICAL_XID_ERROR));
    assert!(
        format!("{:?}", event.event_data).contains("79"),
        "{:?}",
        event.event_data
    );
    assert!(
        matches!(events.wait(20), Err(NvmlError::Timeout)),
        "the event came twice"
    );
    assert!(matches!(device.power_usage(), Err(NvmlError::GpuLost)));
    assert!(matches!(nvml.device_by_index(1), Err(NvmlError::GpuLost)));
    assert!(nvml.device_by_index(0).unwrap().power_usage().is_ok());
    assert_eq!(nvml.device_count().unwrap(), 8);
    set(&simulator, &[]);
    assert!(device.power_usage().is_ok(), "the old handle is good again");
}

#[test]
fn a_storm_of_events_comes_at_its_rate() {
    let simulator = Simulator::start("t4").unwrap();
    let nvml = open(&simulator);
    let events = nvml.create_event_set().unwrap();
    let device = nvml.device_by_index(0).unwrap();
    let events = device
        .register_events(EventTypes::CRITICAL_XID_ERROR, events)
        .unwrap();
    simulator
        .set_faults(&[Fault::everywhere().xid(13).per_second(1_000)])
        .unwrap();
    let start = Instant::now();
    let count = (0..300).filter(|_| events.wait(1_000).is_ok()).count();
    assert_eq!(count, 300);
    assert!(
        start.elapsed() >= Duration::from_millis(250),
        "{:?}",
        start.elapsed()
    );
    assert!(device.power_usage().is_ok());
}

#[test]
fn waiting_for_events_really_waits_and_can_be_interrupted() {
    let simulator = Simulator::start("t4").unwrap();
    let nvml: &'static Nvml = Box::leak(Box::new(open(&simulator)));
    let (done, answer) = mpsc::channel();
    thread::spawn(move || {
        let set = nvml.create_event_set().unwrap();
        let set = nvml
            .device_by_index(0)
            .unwrap()
            .register_events(EventTypes::CRITICAL_XID_ERROR, set)
            .unwrap();
        done.send(set.wait(60_000).map(drop))
    });
    assert!(answer.recv_timeout(Duration::from_millis(100)).is_err());
    simulator
        .set_faults(&[Fault::on("nvmlEventSetWait*").returns(999)])
        .unwrap();
    assert!(matches!(
        answer.recv_timeout(Duration::from_secs(30)).unwrap(),
        Err(NvmlError::Unknown)
    ));
}

#[test]
fn calls_fail_are_missing_or_take_long() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let nvml = open(&simulator);
    let device = nvml.device_by_index(0).unwrap();
    let delay = Duration::from_millis(120);
    set(
        &simulator,
        &[
            Fault::on("nvmlDeviceGetPowerUsage").returns(3),
            Fault::on("nvmlDeviceGetTemperature").missing_symbol(),
            Fault::on("nvmlDeviceGetClockInfo").delay(delay),
        ],
    );
    assert!(matches!(device.power_usage(), Err(NvmlError::NotSupported)));
    assert!(matches!(
        device.temperature(TemperatureSensor::Gpu),
        Err(NvmlError::FunctionNotFound)
    ));
    let start = Instant::now();
    assert!(device.clock_info(Clock::SM).is_ok());
    assert!(start.elapsed() >= delay);
}

#[test]
fn values_can_be_wrong() {
    let simulator = Simulator::builder("h100-sxm-8")
        .frozen_at(Duration::from_secs(90))
        .start()
        .unwrap();
    let nvml = open(&simulator);
    let device = nvml.device_by_index(0).unwrap();
    let wrong = |values| set(&simulator, &[Fault::everywhere().gpu(0).values(values)]);

    wrong(Values {
        power_mw: Some(999_000),
        temperature: Some(255),
        performance_state: Some(32),
        ..Values::default()
    });
    assert_eq!(device.power_usage().unwrap(), 999_000);
    assert_eq!(device.temperature(TemperatureSensor::Gpu).unwrap(), 255);
    assert!(matches!(
        device.performance_state(),
        Ok(nvml_wrapper::enum_wrappers::device::PerformanceState::Unknown)
    ));
    assert_eq!(
        nvml.device_by_index(1).unwrap().power_usage().unwrap(),
        simulator.truth(1).unwrap().power_usage_mw
    );

    wrong(Values {
        memory_total: Some(0),
        memory_used: Some(5),
        ..Values::default()
    });
    assert_eq!(device.memory_info().unwrap().total, 0);

    wrong(Values {
        pids: Some(vec![4_000_000, 1]),
        process_memory_unavailable: true,
        ..Values::default()
    });
    let list = device.running_compute_processes().unwrap();
    assert_eq!(list.iter().map(|p| p.pid).collect::<Vec<_>>(), [4_000_000, 1]);
    assert!(list.iter().all(|p| matches!(
        p.used_gpu_memory,
        nvml_wrapper::enums::device::UsedGpuMemory::Unavailable
    )));

    wrong(Values {
        blank_processes: Some(100),
        ..Values::default()
    });
    assert_eq!(device.running_compute_processes().unwrap().len(), 100);

    wrong(Values {
        count_race: true,
        ..Values::default()
    });
    assert!(matches!(
        device.running_compute_processes(),
        Err(NvmlError::InsufficientSize(_))
    ));

    set(
        &simulator,
        &[Fault::on("nvmlSystemGetProcessName").values(Values {
            process_name_bytes: Some(vec![b'a', 0xFF, b'b']),
            ..Values::default()
        })],
    );
    assert!(matches!(
        nvml.sys_process_name(1, 64),
        Err(NvmlError::Utf8Error(_))
    ));
}

#[test]
fn gpus_and_instances_appear_and_vanish() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let nvml = open(&simulator);
    let third = nvml.device_by_index(3).unwrap();
    let uuid = third.uuid().unwrap();
    set(&simulator, &[Fault::everywhere().roster([7, 3])]);
    assert_eq!(nvml.device_count().unwrap(), 2);
    assert_eq!(third.index().unwrap(), 1);
    assert_eq!(nvml.device_by_index(1).unwrap().uuid().unwrap(), uuid);
    assert!(nvml.device_by_index(2).is_err());

    let simulator = Simulator::start("a100-mig").unwrap();
    let nvml = open(&simulator);
    let parent = nvml.device_by_index(0).unwrap();
    let last = parent.mig_device_by_index(2).unwrap();
    let uuid = last.uuid().unwrap();
    set(&simulator, &[Fault::everywhere().mig_instances([2])]);
    assert_eq!(parent.mig_device_by_index(0).unwrap().uuid().unwrap(), uuid);
    assert!(matches!(parent.mig_device_by_index(1), Err(NvmlError::NotFound)));
}

#[test]
fn initialisation_fails_and_recovers_with_counters_that_go_on() {
    let simulator = Simulator::start("t4").unwrap();
    let before = open(&simulator)
        .device_by_index(0)
        .unwrap()
        .total_energy_consumption()
        .unwrap();
    set(&simulator, &[Fault::on("nvmlInit*").returns(18)]);
    let failed = Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init();
    assert!(matches!(failed, Err(NvmlError::LibRmVersionMismatch)));
    set(&simulator, &[]);
    let after = open(&simulator)
        .device_by_index(0)
        .unwrap()
        .total_energy_consumption()
        .unwrap();
    assert!(after >= before);
    assert_eq!(simulator.calls_anywhere("nvmlInit_v2"), 3);
    assert_eq!(simulator.client(), Some(std::process::id()));
}

#[test]
fn two_simulators_in_one_process_do_not_share_anything() {
    let (a, b) = (
        Simulator::start("t4").unwrap(),
        Simulator::start("h100-sxm-8").unwrap(),
    );
    let (nvml_a, nvml_b) = (open(&a), open(&b));
    set(&a, &[Fault::everywhere().gpu(0).returns(999)]);
    assert!(nvml_a.device_by_index(0).is_err());
    assert_eq!(
        nvml_b.device_by_index(0).unwrap().name().unwrap(),
        "NVIDIA H100 80GB HBM3"
    );
    assert_eq!(
        (nvml_a.device_count().unwrap(), nvml_b.device_count().unwrap()),
        (1, 8)
    );
}

#[test]
fn many_threads_survive_faults_that_come_and_go() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let nvml = open(&simulator);
    let calls = 2_000;
    thread::scope(|scope| {
        for index in 0..8 {
            let nvml = &nvml;
            scope.spawn(move || {
                let device = nvml.device_by_index(index).unwrap();
                for _ in 0..calls {
                    let power = device.power_usage();
                    assert!(matches!(power, Ok(_) | Err(NvmlError::GpuLost)), "{power:?}");
                    assert!(device.temperature(TemperatureSensor::Gpu).is_ok());
                }
            });
        }
        for round in 0..20 {
            let gpu = round % 8;
            simulator
                .set_faults(&[
                    Fault::on("nvmlDeviceGetPowerUsage").gpu(gpu).lost(),
                    Fault::on("nvmlDeviceGetTemperature")
                        .gpu(gpu)
                        .delay(Duration::from_millis(5)),
                ])
                .unwrap();
            thread::sleep(Duration::from_millis(15));
        }
        simulator.clear_faults().unwrap();
    });
    assert_eq!(simulator.calls_anywhere("nvmlDeviceGetPowerUsage"), 8 * calls);
    assert_eq!(simulator.calls("nvmlDeviceGetTemperature", Some(3)), calls);
    assert!(simulator.total_calls() > 16 * calls);
}

#[test]
fn real_processes_can_be_put_on_a_gpu() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let nvml = open(&simulator);
    let own = std::process::id();
    set(
        &simulator,
        &[Fault::everywhere().gpu(2).values(Values {
            pids: Some(vec![own]),
            ..Values::default()
        })],
    );
    let device = nvml.device_by_index(2).unwrap();
    assert_eq!(device.running_compute_processes().unwrap()[0].pid, own);
    assert!(nvml.sys_process_name(own, 256).unwrap().contains("faults"));
}
