//! The library serves `nvml-wrapper`, a client that knows nothing of it.

use std::time::Duration;

use nvml_sim::testing::Simulator;
use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::EccCounter;
use nvml_wrapper::enum_wrappers::device::{
    Clock, ClockId, MemoryError, PcieUtilCounter, Sampling, TemperatureSensor, TemperatureThreshold,
};
use nvml_wrapper::error::NvmlError;

fn open(simulator: &Simulator) -> Result<Nvml, NvmlError> {
    Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
}

fn frozen(profile: &str) -> Simulator {
    Simulator::builder(profile)
        .frozen_at(Duration::from_secs(100))
        .start()
        .expect("the simulator starts")
}

#[test]
fn every_profile_with_a_driver_initialises_and_counts_its_gpus() {
    for profile in nvml_sim::profile::names().filter(|name| *name != "no-driver") {
        let simulator = Simulator::start(profile).unwrap();
        let nvml = open(&simulator).unwrap();
        assert_eq!(
            nvml.device_count().unwrap() as usize,
            simulator.profile().gpus.len(),
            "{profile}"
        );
        assert_eq!(nvml.sys_driver_version().unwrap(), "580.95.05");
        assert!(nvml.sys_nvml_version().unwrap().ends_with("-sim"));
        assert_eq!(nvml.sys_cuda_driver_version().unwrap(), 13_000);
    }
}

#[test]
fn without_a_driver_initialisation_says_so() {
    let simulator = Simulator::start("no-driver").unwrap();
    assert!(matches!(open(&simulator), Err(NvmlError::DriverNotLoaded)));
}

#[test]
fn readings_are_the_truth() {
    for profile in ["h100-sxm-8", "a100-pcie-4", "rtx-4090", "t4"] {
        let simulator = frozen(profile);
        let nvml = open(&simulator).unwrap();
        for index in 0..nvml.device_count().unwrap() {
            let (device, truth) = (
                nvml.device_by_index(index).unwrap(),
                simulator.truth(index as usize).unwrap(),
            );
            let spec = &simulator.profile().gpus[index as usize];
            assert_eq!(device.name().unwrap(), spec.name);
            assert_eq!(device.index().unwrap(), index);
            assert_eq!(device.power_usage().unwrap(), truth.power_usage_mw);
            assert_eq!(
                device.temperature(TemperatureSensor::Gpu).unwrap(),
                truth.temperature
            );
            assert_eq!(device.utilization_rates().unwrap().gpu, truth.gpu_utilization);
            assert_eq!(
                device.utilization_rates().unwrap().memory,
                truth.memory_utilization
            );
            let memory = device.memory_info().unwrap();
            assert_eq!(
                (memory.total, memory.used, memory.free),
                (truth.memory_total, truth.memory_used, truth.memory_free)
            );
            assert_eq!(device.clock_info(Clock::SM).unwrap(), truth.graphics_mhz);
            assert_eq!(device.total_energy_consumption().unwrap(), truth.energy_mj);
            assert_eq!(device.enforced_power_limit().unwrap(), truth.power_limit_mw);
            let held: Vec<_> = simulator
                .processes(index as usize)
                .iter()
                .map(|p| p.pid)
                .collect();
            let mut seen: Vec<_> = device
                .running_compute_processes()
                .unwrap()
                .iter()
                .map(|p| p.pid)
                .collect();
            seen.extend(device.running_graphics_processes().unwrap().iter().map(|p| p.pid));
            assert_eq!(seen.len(), held.len());
            assert!(seen.iter().all(|pid| held.contains(pid)));
            for pid in seen {
                assert!(nvml.sys_process_name(pid, 256).unwrap().starts_with('/'));
            }
        }
    }
}

#[test]
fn a_gpu_is_found_by_each_of_its_names() {
    let simulator = frozen("h100-sxm-8");
    let nvml = open(&simulator).unwrap();
    let device = nvml.device_by_index(5).unwrap();
    let (uuid, serial, pci) = (
        device.uuid().unwrap(),
        device.serial().unwrap(),
        device.pci_info().unwrap(),
    );
    assert!(uuid.starts_with("GPU-") && uuid.len() == 40, "{uuid}");
    assert_eq!(nvml.device_by_uuid(uuid).unwrap().index().unwrap(), 5);
    #[expect(deprecated, reason = "older clients still use it")]
    let by_serial = nvml.device_by_serial(serial);
    assert_eq!(by_serial.unwrap().index().unwrap(), 5);
    assert_eq!(
        nvml.device_by_pci_bus_id(pci.bus_id.as_str())
            .unwrap()
            .index()
            .unwrap(),
        5
    );
    assert!(matches!(nvml.device_by_index(8), Err(NvmlError::InvalidArg)));
    assert!(matches!(nvml.device_by_uuid("GPU-0"), Err(NvmlError::NotFound)));
}

#[test]
fn what_a_device_lacks_is_not_supported() {
    let unsupported = |result: Result<u64, NvmlError>, what: &str| {
        assert!(
            matches!(result, Err(NvmlError::NotSupported)),
            "{what}: {result:?}"
        );
    };
    let simulator = frozen("rtx-4090");
    let nvml = open(&simulator).unwrap();
    let card = nvml.device_by_index(0).unwrap();
    unsupported(
        card.total_ecc_errors(MemoryError::Corrected, EccCounter::Volatile),
        "ECC",
    );
    unsupported(card.serial().map(|_| 0), "serial");
    assert!(card.fan_speed(1).unwrap() <= 100 && card.num_fans().unwrap() == 2);

    let simulator = frozen("gb10");
    let nvml = open(&simulator).unwrap();
    let unified = nvml.device_by_index(0).unwrap();
    unsupported(unified.memory_info().map(|m| m.total), "memory");
    unsupported(unified.enforced_power_limit().map(u64::from), "limit");
    assert!(unified.power_usage().unwrap() > 0);

    let simulator = frozen("h100-sxm-8");
    let nvml = open(&simulator).unwrap();
    let passive = nvml.device_by_index(0).unwrap();
    unsupported(passive.fan_speed(0).map(u64::from), "fan");
    unsupported(passive.num_fans().map(u64::from), "fans");
}

#[test]
fn mig_instances_stand_for_themselves() {
    let simulator = frozen("a100-mig");
    let nvml = open(&simulator).unwrap();
    let parent = nvml.device_by_index(0).unwrap();
    assert!(matches!(parent.utilization_rates(), Err(NvmlError::NotSupported)));
    assert_eq!(parent.mig_device_count().unwrap(), 7);
    assert!(matches!(parent.mig_device_by_index(3), Err(NvmlError::NotFound)));
    let mut held = 0;
    for index in 0..3 {
        let instance = parent.mig_device_by_index(index).unwrap();
        assert!(instance.uuid().unwrap().starts_with("MIG-"));
        let memory = instance.memory_info().unwrap();
        assert!(memory.used > 0 && memory.used <= memory.total);
        held += memory.used;
        assert!(instance.name().unwrap().contains("MIG"));
        assert!(
            instance
                .running_compute_processes()
                .unwrap()
                .iter()
                .all(|p| p.gpu_instance_id.is_some())
        );
    }
    assert!(parent.memory_info().unwrap().used >= held);
}

#[test]
fn everything_that_the_client_offers_can_be_asked_of_every_profile() {
    for profile in nvml_sim::profile::names().filter(|name| *name != "no-driver") {
        let simulator = Simulator::builder(profile)
            .age(Duration::from_secs(1_000))
            .start()
            .unwrap();
        let nvml = open(&simulator).unwrap();
        for index in 0..nvml.device_count().unwrap().min(2) {
            let device = nvml.device_by_index(index).unwrap();
            assert!(device.brand().is_ok() && device.architecture().is_ok());
            assert!(device.cuda_compute_capability().unwrap().major >= 7);
            assert!(device.num_cores().unwrap() > 2_000);
            assert!(device.vbios_version().is_ok() && device.is_multi_gpu_board().is_ok());
            assert!(device.max_clock_info(Clock::Graphics).unwrap() > 1_000);
            assert!(device.clock(Clock::SM, ClockId::Current).is_ok());
            assert!(device.performance_state().is_ok());
            assert!(device.current_throttle_reasons().is_ok() && device.supported_throttle_reasons().is_ok());
            assert!(device.encoder_utilization().is_ok() || profile.ends_with("-mig"));
            assert!(device.is_in_persistent_mode().is_ok() && device.compute_mode().is_ok());
            assert!(device.supported_event_types().is_ok());
            if profile.ends_with("-vgpu") {
                // What belongs to the board is not shown to a virtual machine.
                assert!(matches!(
                    device.samples(Sampling::Power, None),
                    Err(NvmlError::NotSupported)
                ));
                continue;
            }
            assert!(
                device
                    .temperature_threshold(TemperatureThreshold::Shutdown)
                    .unwrap()
                    >= 90
            );
            assert!(device.current_pcie_link_gen().unwrap() <= device.max_pcie_link_gen().unwrap());
            assert!(device.pcie_throughput(PcieUtilCounter::Receive).is_ok());
            assert!(device.pcie_replay_counter().is_ok());
            let power = device.samples(Sampling::Power, None).unwrap();
            assert!(power.len() == 120 && power.windows(2).all(|pair| pair[0].timestamp < pair[1].timestamp));
            let fields = device.field_values_for(&[
                nvml_wrapper::structs::device::FieldId(186),
                nvml_wrapper::structs::device::FieldId(60),
            ]);
            let fields = fields.unwrap();
            assert!(fields[0].as_ref().unwrap().value.is_ok());
            assert!(
                fields[1]
                    .as_ref()
                    .is_err_and(|e| matches!(e, NvmlError::NotSupported))
                    || fields[1].as_ref().unwrap().value.is_err()
            );
        }
    }
}

#[test]
fn a_description_that_makes_no_sense_fails_the_initialisation() {
    for text in [
        "profil = \"t4\"",
        "profile = \"t5\"",
        "profile = 3",
        "profile = \"t4\"\noverrides.gpu.nam = \"x\"",
    ] {
        let simulator = Simulator::start("t4").unwrap();
        std::fs::write(simulator.dir().join("nvml-sim.toml"), text).unwrap();
        assert!(matches!(open(&simulator), Err(NvmlError::Unknown)), "{text}");
    }
}

#[test]
fn the_same_world_is_seen_by_two_loads_and_by_the_truth() {
    let (a, b) = (frozen("h100-16"), frozen("h100-16"));
    let (nvml_a, nvml_b) = (open(&a).unwrap(), open(&b).unwrap());
    for index in 0..16 {
        let energy = |nvml: &Nvml| {
            nvml.device_by_index(index)
                .unwrap()
                .total_energy_consumption()
                .unwrap()
        };
        let averages = |nvml: &Nvml| {
            let device = nvml.device_by_index(index).unwrap();
            let rates = device.utilization_rates().unwrap();
            let ring = device.samples(Sampling::GpuUtilization, None).unwrap();
            let ring = ring.into_iter().map(|sample| format!("{:?}", sample.value));
            (rates.gpu, rates.memory, ring.collect::<Vec<_>>())
        };
        assert_eq!(averages(&nvml_a), averages(&nvml_b));
        assert_eq!(energy(&nvml_a), energy(&nvml_b));
        assert_eq!(energy(&nvml_a), a.truth(index as usize).unwrap().energy_mj);
    }
}

#[test]
fn energy_grows_as_power_says() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let nvml = open(&simulator).unwrap();
    let device = nvml.device_by_index(0).unwrap();
    let samples = device.samples(Sampling::Power, None).unwrap();
    let (first, last) = (samples[0].timestamp, samples[samples.len() - 1].timestamp);
    let at = |timestamp: u64| Duration::from_micros(timestamp).saturating_sub(simulator.epoch());
    let energy = |timestamp| simulator.truth_at(0, at(timestamp)).unwrap().energy_mj as f64;
    let mean = samples.iter().map(|s| match s.value {
        nvml_wrapper::enums::device::SampleValue::U32(milliwatts) => f64::from(milliwatts),
        ref other => panic!("power is {other:?}"),
    });
    let mean = mean.sum::<f64>() / samples.len() as f64;
    let counted = (energy(last) - energy(first)) / ((last - first) as f64 / 1e6);
    assert!(
        (mean - counted).abs() < 0.03 * counted,
        "{mean} mW by samples, {counted} mW by energy"
    );
}

#[test]
fn gpm_measures_the_load_between_two_samples() {
    use nvml_wrapper::enums::gpm::GpmMetricId;
    let metrics = [GpmMetricId::GraphicsUtil, GpmMetricId::DramBwUtil];
    let pause = Duration::from_millis(300);

    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let nvml = open(&simulator).unwrap();
    let device = nvml.device_by_index(0).unwrap();
    assert!(device.gpm_support().unwrap());
    let from = simulator.truth(0).unwrap();
    let first = device.gpm_sample().unwrap();
    std::thread::sleep(pause);
    let (second, to) = (device.gpm_sample().unwrap(), simulator.truth(0).unwrap());
    let found = nvml_wrapper::gpm::gpm_metrics_get(&nvml, &first, &second, &metrics).unwrap();
    let mean = 100_000.0 * (to.load_seconds - from.load_seconds) / (to.at_ms - from.at_ms) as f64;
    let value = found[0].as_ref().unwrap().value;
    assert!((value - mean).abs() < 15.0, "{value} % found, {mean} % true");

    let simulator = Simulator::start("h100-mig").unwrap();
    let nvml = open(&simulator).unwrap();
    let device = nvml.device_by_index(0).unwrap();
    let first = device.gpm_mig_sample(5).unwrap();
    std::thread::sleep(pause);
    let second = device.gpm_mig_sample(5).unwrap();
    let found = nvml_wrapper::gpm::gpm_metrics_get(&nvml, &first, &second, &metrics).unwrap();
    assert!((0.0..=100.0).contains(&found[0].as_ref().unwrap().value));
    assert!(device.gpm_mig_sample(6).is_err());

    // The same load all the time, so that it does not matter when exactly the samples are taken.
    let even = "gpu.work = \"waveform\"\n\
                gpu.waveform = { shape = \"sine\", frequency_hz = 1.0, low = 0.6, high = 0.6, memory = 0.5 }";
    for profile in ["h100-sxm-8", "h100-mig"] {
        let simulator = Simulator::builder(profile)
            .overrides(even)
            .unwrap()
            .start()
            .unwrap();
        let nvml = open(&simulator).unwrap();
        let device = nvml.device_by_index(0).unwrap();
        let sample = || {
            if profile == "h100-mig" {
                device.gpm_mig_sample(5)
            } else {
                device.gpm_sample()
            }
        };
        let first = sample().unwrap();
        std::thread::sleep(Duration::from_millis(5));
        let found = nvml_wrapper::gpm::gpm_metrics_get(&nvml, &first, &sample().unwrap(), &metrics).unwrap();
        for (metric, share) in found.iter().zip([60.0, 30.0]) {
            let value = metric.as_ref().unwrap().value;
            assert!((value - share).abs() < 1e-6, "{profile}: {value} %");
        }
    }

    let simulator = Simulator::start("a100-mig").unwrap();
    let nvml = open(&simulator).unwrap();
    assert!(!nvml.device_by_index(0).unwrap().gpm_support().unwrap());
}
