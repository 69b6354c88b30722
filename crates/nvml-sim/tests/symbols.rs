//! The library exports every function of NVML, under the driver's soname.

use std::process::Command;

use nvml_sim::testing::Simulator;
use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

#[test]
fn every_name_is_exported() {
    let simulator = Simulator::start("no-gpu").unwrap();
    let output = Command::new("nm")
        .arg("-D")
        .arg("--defined-only")
        .arg(simulator.library_path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let exported: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    let missing: Vec<_> = nvml_sim::names()
        .iter()
        .filter(|name| !exported.contains(name))
        .collect();
    assert!(missing.is_empty(), "not exported: {missing:?}");
    assert!(nvml_sim::names().len() >= 436);
}

#[test]
fn the_soname_is_the_drivers() {
    let simulator = Simulator::start("no-gpu").unwrap();
    let output = Command::new("readelf")
        .arg("-d")
        .arg(simulator.library_path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("soname: [libnvidia-ml.so.1]"), "{text}");
    assert!(text.contains("NODELETE"), "{text}");
}

#[test]
fn a_symbol_can_be_missing_for_real() {
    let simulator = Simulator::builder("t4")
        .without_symbols(&["nvmlDeviceGetPowerUsage", "nvmlDeviceGetFieldValues"])
        .start()
        .unwrap();
    let nvml = Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .unwrap();
    let device = nvml.device_by_index(0).unwrap();
    assert!(matches!(
        device.power_usage(),
        Err(NvmlError::FailedToLoadSymbol(_))
    ));
    assert!(matches!(
        device.field_values_for(&[]),
        Err(NvmlError::FailedToLoadSymbol(_))
    ));
    assert!(device.total_energy_consumption().is_ok());
    assert!(device.enforced_power_limit().is_ok());
    let other = Simulator::start("t4").unwrap();
    let nvml = Nvml::builder()
        .lib_path(other.library_path().as_os_str())
        .init()
        .unwrap();
    assert!(
        nvml.device_by_index(0).unwrap().power_usage().is_ok(),
        "another copy has it"
    );
}

#[test]
fn every_other_name_stays_when_one_goes() {
    let gone = "nvmlDeviceGetCount";
    let simulator = Simulator::builder("no-gpu")
        .without_symbols(&[gone])
        .start()
        .unwrap();
    let text = std::fs::read(simulator.library_path()).unwrap();
    let there: std::collections::HashSet<&[u8]> = text.split(|byte| *byte == 0).collect();
    for name in nvml_sim::names() {
        assert_eq!(there.contains(name.as_bytes()), *name != gone, "{name}");
    }
    let unknown = Simulator::builder("no-gpu")
        .without_symbols(&["nvmlDeviceGetWeather"])
        .start();
    assert!(unknown.unwrap_err().to_string().contains("nvmlDeviceGetWeather"));
}

#[test]
fn a_driver_without_the_newest_calls_has_the_older_ones() {
    let simulator = Simulator::builder("l40s-4")
        .overrides("driver.version = \"535.54.03\"\ndriver.cuda = 12020\ndriver.process_entry_bytes = 32")
        .unwrap()
        .frozen_at(std::time::Duration::from_secs(100))
        .without_symbols(&[
            "nvmlDeviceGetComputeRunningProcesses_v3",
            "nvmlDeviceGetGraphicsRunningProcesses_v3",
            "nvmlDeviceGetMPSComputeRunningProcesses_v3",
            "nvmlDeviceGetMemoryInfo_v2",
        ])
        .start()
        .unwrap();
    let nvml = Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .unwrap();
    assert_eq!(nvml.sys_driver_version().unwrap(), "535.54.03");
    let device = nvml.device_by_index(3).unwrap();
    assert!(matches!(
        device.memory_info(),
        Err(NvmlError::FailedToLoadSymbol(_))
    ));
    assert!(matches!(
        device.running_compute_processes(),
        Err(NvmlError::FailedToLoadSymbol(_))
    ));
    assert!(matches!(
        device.running_graphics_processes(),
        Err(NvmlError::FailedToLoadSymbol(_))
    ));
    // What the client asks for under an older name is there.
    let text = std::fs::read(simulator.library_path()).unwrap();
    let there: std::collections::HashSet<&[u8]> = text.split(|byte| *byte == 0).collect();
    for name in [
        "nvmlDeviceGetComputeRunningProcesses",
        "nvmlDeviceGetComputeRunningProcesses_v2",
        "nvmlDeviceGetMemoryInfo",
    ] {
        assert!(there.contains(name.as_bytes()), "{name}");
    }
    assert!(device.power_usage().is_ok());
}
