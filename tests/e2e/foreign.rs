//! Foreign NVML clients run unchanged on the simulator, and what they print equals what the agent serves.
//!
//! The world stands still in these tests: every process sees the same values, whenever it looks.

use std::{path::Path, process::Command, time::Duration};

use nvml_sim::testing::Simulator;
use serde_json::Value;

use crate::{
    contract::PROFILES_WITH_GPUS,
    support::{Agent, simulator},
};

/// Profiles whose GPUs differ most in what they have.
const PROFILES: [&str; 5] = ["h100-sxm-8", "a100-pcie-4", "rtx-4090", "t4", "gb10"];

/// An age of the world at which its GPUs are at work.
const AGE: Duration = Duration::from_secs(600);

/// The Python with the clients; `cargo xtask test` sets it up. Without it these tests are skipped, except in CI.
pub(crate) fn python() -> Option<String> {
    let python = std::env::var("GPULSE_TEST_PYTHON").ok();
    assert!(
        python.is_some() || std::env::var_os("CI").is_none(),
        "GPULSE_TEST_PYTHON is not set: run `cargo xtask test`"
    );
    if python.is_none() {
        eprintln!("SKIPPED: foreign clients need GPULSE_TEST_PYTHON, which `cargo xtask test` sets up");
    }
    python
}

/// A world that stands still, and the agent's view of it.
fn still_world(profile: &str) -> (Simulator, Vec<Value>) {
    let simulator = Simulator::builder(profile).frozen_at(AGE).start().unwrap();
    let agent = Agent::ready(simulator.library_path());
    let gpus = agent.json("/gpu/metrics")["gpus"].as_array().unwrap().clone();
    (simulator, gpus)
}

/// Runs a client that finds the simulator where it looks for NVML.
fn run(simulator: &Simulator, python: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(python);
    command
        .args(arguments)
        .env("LD_LIBRARY_PATH", simulator.dir())
        .env("TERM", "dumb")
        .env("COLUMNS", "200");
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{arguments:?} ended with {}: {errors}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("python")
        .join(name)
        .display()
        .to_string()
}

/// Compares what a client read with what the agent serves, path by path.
fn compare(profile: &str, client: &str, read: &[Value], served: &[Value]) {
    assert_eq!(
        read.len(),
        served.len(),
        "{profile}: {client} sees another number of GPUs"
    );
    for (gpu, (read, served)) in read.iter().zip(served).enumerate() {
        assert!(
            read.as_object().is_some_and(|read| read.len() > 10),
            "{client} read nothing: {read}"
        );
        for (path, value) in read
            .as_object()
            .unwrap()
            .iter()
            .filter(|(path, _)| *path != "pids")
        {
            let ours = served.pointer(&format!("/{}", path.replace('.', "/")));
            if client == "nvitop" && path.starts_with("memory.") && served["unavailable"].get(path).is_some()
            {
                // Without memory information nvitop shows the host's memory as the GPU's.
                continue;
            }
            let what = format!("{profile} GPU {gpu}: {path} is {value} for {client} and {ours:?} here");
            match value {
                Value::Null => {
                    assert!(
                        served["unavailable"].get(path).is_some(),
                        "{what}, and not named as unavailable"
                    );
                }
                Value::Number(number) => {
                    let ours = ours.and_then(Value::as_f64).unwrap_or_else(|| panic!("{what}"));
                    assert!((ours - number.as_f64().unwrap()).abs() < 1e-3, "{what}");
                }
                value => assert_eq!(Some(value), ours, "{what}"),
            }
        }
    }
}

fn scripted_client_agrees(client: &str) {
    let Some(python) = python() else { return };
    for profile in PROFILES {
        let (simulator, served) = still_world(profile);
        let printed = run(&simulator, &python, &[&script("readings.py"), client]);
        let read: Vec<Value> = serde_json::from_str(&printed).unwrap();
        compare(profile, client, &read, &served);
        for (read, served) in read
            .iter()
            .zip(&served)
            .filter(|(read, _)| read.get("pids").is_some())
        {
            let pids: Vec<_> = served["processes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p["pid"].clone())
                .collect();
            assert_eq!(read["pids"], Value::from(pids), "{profile}: processes");
        }
    }
}

#[test]
fn an_old_client_with_strict_models_reads_every_profile() {
    let Some(python) = python() else { return };
    for (profile, gpus) in PROFILES_WITH_GPUS.into_iter().chain([("no-gpu", 0)]) {
        let simulator = simulator(profile);
        let agent = Agent::ready(simulator.library_path());
        let printed = run(&simulator, &python, &[&script("client.py"), &agent.url("")]);
        assert_eq!(printed.trim(), format!("{gpus} GPUs hold"), "{profile}");
    }
}

#[test]
fn nvidia_ml_py_agrees() {
    scripted_client_agrees("nvml");
}

#[test]
fn nvitop_agrees() {
    scripted_client_agrees("nvitop");
}

#[test]
fn gpustat_agrees() {
    let Some(python) = python() else { return };
    for profile in PROFILES {
        let (simulator, served) = still_world(profile);
        let printed = run(&simulator, &python, &["-m", "gpustat", "--json"]);
        let read: Value = serde_json::from_str(&printed).unwrap();
        let gpus = read["gpus"].as_array().unwrap();
        assert_eq!(gpus.len(), served.len(), "{profile}");
        for (gpu, ours) in gpus.iter().zip(&served) {
            assert_eq!(
                (&gpu["uuid"], &gpu["name"]),
                (&ours["gpu_uuid"], &ours["gpu_name"]),
                "{profile}"
            );
            // gpustat prints whole units.
            for (key, place) in [
                ("temperature.gpu", "/temperature/current_celsius"),
                ("utilization.gpu", "/utilization/gpu_percent"),
                ("power.draw", "/power/power_draw_watts"),
                ("memory.used", "/memory/used_mb"),
                ("memory.total", "/memory/total_mb"),
            ] {
                let Some(read) = gpu
                    .get(key)
                    .unwrap_or_else(|| panic!("gpustat has no {key}"))
                    .as_f64()
                else {
                    assert!(
                        ours["unavailable"]
                            .as_object()
                            .is_some_and(|gaps| !gaps.is_empty()),
                        "{profile}: {key}"
                    );
                    continue;
                };
                let ours = ours.pointer(place).and_then(Value::as_f64).unwrap();
                assert!(
                    (read - ours).abs() <= 1.0,
                    "{profile}: {key} is {read} for gpustat and {ours} here"
                );
            }
        }
    }
}

#[test]
fn nvitop_draws_its_screen() {
    let Some(python) = python() else { return };
    let (simulator, served) = still_world("a100-pcie-4");
    let screen = run(&simulator, &python, &["-m", "nvitop", "--once", "--no-unicode"]);
    let name = served[0]["gpu_name"].as_str().unwrap();
    assert!(screen.contains("A100"), "{name} is not on the screen:\n{screen}");
}
