//! The library exports every function of NVML, under the driver's soname.

use std::process::Command;

use nvml_sim::testing::Simulator;

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
