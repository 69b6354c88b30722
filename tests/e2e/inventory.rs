//! GPUs that the machine has and the driver does not know: they are missing by name, and nothing else is disturbed.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use nvml_sim::faults::Fault;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Agent, AgentBuilder, eventually, simulator};

/// A sysfs in which these GPUs are bound to NVIDIA's driver.
struct Machine(TempDir);

impl Machine {
    fn with(places: &[String]) -> Self {
        let machine = Self(TempDir::new().unwrap());
        fs::create_dir_all(machine.0.path().join("bus/pci/devices")).unwrap();
        for place in places {
            let tree = machine.device(place);
            fs::create_dir_all(&tree).unwrap();
            for (file, text) in [
                ("vendor", "0x10de\n"),
                ("class", "0x030200\n"),
                ("device", "0x2330\n"),
            ] {
                fs::write(tree.join(file), text).unwrap();
            }
            machine.bind(place, "nvidia");
            let listed = machine.0.path().join("bus/pci/devices").join(place);
            symlink(Path::new("../../../devices").join(place), listed).unwrap();
        }
        machine
    }

    fn device(&self, place: &str) -> PathBuf {
        self.0.path().join("devices").join(place)
    }

    fn bind(&self, place: &str, driver: &str) {
        let link = self.device(place).join("driver");
        // There is none the first time.
        let _ = fs::remove_file(&link);
        symlink(Path::new("../../bus/pci/drivers").join(driver), link).unwrap();
    }

    fn agent(&self, library: &Path) -> Agent {
        AgentBuilder::over(library)
            .variable("GPULSE_HEALTH__SYSFS_ROOT", &self.0.path().display().to_string())
            .variable("GPULSE_HEALTH__INTERVAL", "50ms")
            .start()
    }
}

/// Where the GPUs of `agent` say that they sit, as the kernel writes it.
fn places(agent: &Agent) -> Vec<String> {
    agent.wait_until_ready();
    let gpus = agent.json("/api/v1/gpus?fields=identity.pci_bus_id");
    let mut found = Vec::new();
    for gpu in gpus["gpus"].as_array().unwrap() {
        let place = gpu["identity"]["pci_bus_id"].as_str().unwrap();
        found.push(place[4..].to_lowercase());
    }
    found
}

fn inventory(agent: &Agent) -> Value {
    agent.json("/health/detailed")["components"]["inventory"].clone()
}

/// What was told of missing GPUs: the kind, where it sits, and its index if it has one.
fn told(agent: &Agent, count: usize) -> Vec<(String, String, Option<u64>)> {
    let told = |agent: &Agent| {
        let body = agent.json("/api/v1/events?limit=1000");
        let events = body["events"].as_array().unwrap();
        let text = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
        let about_presence = events.iter().filter(|event| {
            let kind = event["kind"].as_str().unwrap();
            ["gpu_missing", "gpu_found", "gpu_not_expected"].contains(&kind)
        });
        about_presence
            .map(|event| {
                (
                    text(event, "kind"),
                    text(event, "pci_bus_id"),
                    event["gpu_id"].as_u64(),
                )
            })
            .collect::<Vec<_>>()
    };
    eventually(
        "what is missing is told",
        || told(agent),
        |told| told.len() >= count,
    )
}

fn missing(agent: &Agent, count: usize) -> Value {
    eventually(
        "the number of missing GPUs is known",
        || inventory(agent),
        |inventory| inventory["gpus_missing"] == count,
    )
}

#[test]
fn a_gpu_that_nvml_does_not_know_is_missing_by_name_until_it_is_given_away() {
    let simulator = simulator("a100-pcie-4");
    let all = places(&Agent::ready(simulator.library_path()));
    // The last GPU fell off the bus before NVML was initialised.
    simulator
        .set_faults(&[Fault::everywhere().roster([0, 1, 2])])
        .unwrap();
    let machine = Machine::with(&all);
    let agent = machine.agent(simulator.library_path());
    agent.wait_until_ready();
    let place = format!("0000{}", all[3].to_uppercase());
    assert_eq!(
        missing(&agent, 1),
        json!({
            "status": "missing", "reason": null, "message": null,
            "gpus_expected": 4, "gpus_found": 3, "gpus_missing": 1, "missing": [place],
        })
    );
    eventually(
        "that degrades the agent",
        || agent.json("/health/")["status"].clone(),
        |status| status == "degraded",
    );
    assert_eq!(agent.get("/health/ready").status, 200);
    assert_eq!(
        agent.json("/api/v1/host")["expected"]["missing"],
        json!([{"pci_bus_id": place, "device_id": "0x2330", "driver": "nvidia"}])
    );
    eventually(
        "it is logged",
        || agent.log().join("\n"),
        |log| log.contains("does not know every GPU") && log.contains(&place),
    );
    let gone = ("gpu_missing".to_owned(), place.clone(), None);
    assert_eq!(told(&agent, 1), std::slice::from_ref(&gone));
    machine.bind(&all[3], "vfio-pci");
    missing(&agent, 0);
    eventually(
        "all is well",
        || agent.json("/health/")["status"].clone(),
        |status| status == "healthy",
    );
    let given_away = ("gpu_not_expected".to_owned(), place, None);
    assert_eq!(told(&agent, 2), [gone, given_away]);
}

#[test]
fn a_gpu_that_comes_back_is_found_and_each_change_is_told_once() {
    let simulator = simulator("a100-pcie-4");
    let all = places(&Agent::ready(simulator.library_path()));
    let machine = Machine::with(&all);
    let agent = machine.agent(simulator.library_path());
    agent.wait_until_ready();
    missing(&agent, 0);
    assert_eq!(told(&agent, 0), []);
    let place = format!("0000{}", all[1].to_uppercase());
    let expected = [
        ("gpu_missing".to_owned(), place.clone(), None),
        ("gpu_found".to_owned(), place, Some(1)),
    ];
    simulator
        .set_faults(&[Fault::everywhere().roster([0, 2, 3])])
        .unwrap();
    assert_eq!(told(&agent, 1), expected[..1]);
    simulator.set_faults(&[]).unwrap();
    assert_eq!(told(&agent, 2), expected);
}

#[test]
fn without_sysfs_what_there_should_be_is_unknown_unless_it_is_configured() {
    let simulator = simulator("t4");
    let over =
        || AgentBuilder::over(simulator.library_path()).variable("GPULSE_HEALTH__SYSFS_ROOT", "/nowhere");
    let agent = over().start();
    agent.wait_until_ready();
    let unknown = eventually(
        "sysfs was looked for",
        || inventory(&agent),
        |inventory| inventory["reason"] == "not_supported",
    );
    assert_eq!(
        (&unknown["status"], &unknown["gpus_expected"]),
        (&json!("unknown"), &Value::Null)
    );
    let message = unknown["message"].as_str().unwrap();
    assert!(message.contains("/nowhere/bus/pci/devices"), "{message}");
    assert_eq!(
        agent.json("/api/v1/host")["unavailable"]["expected.count"],
        "not_supported"
    );
    let agent = over().variable("GPULSE_HEALTH__EXPECTED_GPUS", "2").start();
    agent.wait_until_ready();
    assert_eq!(missing(&agent, 1)["gpus_expected"], 2);
}
