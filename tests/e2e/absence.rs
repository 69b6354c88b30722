//! Without a usable NVML the agent runs, says why, and picks the driver up when it comes.

use std::path::Path;

use nvml_sim::faults::Fault;
use serde_json::Value;

use crate::support::{Agent, AgentBuilder, eventually, simulator};

#[test]
fn no_library_is_said_and_every_route_answers() {
    let agent = Agent::ready(Path::new("/nowhere/libnvidia-ml.so.1"));
    check_unavailable(&agent, "library_not_found");
    assert_eq!(agent.json("/gpu/info")["pynvml_installed"], false);
}

#[test]
fn every_refusal_of_the_driver_is_named_with_what_to_do() {
    for (code, reason) in [
        (9, "driver_not_loaded"),
        (18, "version_mismatch"),
        (4, "no_permission"),
        (12, "library_not_found"),
        (999, "error"),
        (27, "error"),
    ] {
        let simulator = simulator("t4");
        simulator
            .set_faults(&[Fault::on("nvmlInit*").returns(code)])
            .unwrap();
        let agent = Agent::ready(simulator.library_path());
        check_unavailable(&agent, reason);
        assert_eq!(
            agent.json("/gpu/info")["pynvml_installed"],
            true,
            "code {code}: the library was loaded"
        );
    }
}

#[test]
fn a_node_without_driver_is_said() {
    let simulator = simulator("no-driver");
    let agent = Agent::ready(simulator.library_path());
    check_unavailable(&agent, "driver_not_loaded");
}

pub(crate) fn check_unavailable(agent: &Agent, reason: &str) {
    let info = agent.get("/gpu/info");
    assert_eq!(info.status, 200);
    let info = info.json();
    assert_eq!(info["available"], false);
    assert_eq!(info["gpu_count"], 0);
    assert_eq!(info["reason"], reason, "{info}");
    assert!(info["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    let all = agent.get("/gpu/metrics");
    assert_eq!(all.status, 503);
    assert_eq!(
        all.json()["detail"],
        "GPU metrics collection not available (no NVIDIA GPUs or pynvml not installed)"
    );
    assert_eq!(all.json()["reason"], reason);
    for id in ["0", "999", "-1", "GPU-1"] {
        let one = agent.get(&format!("/gpu/metrics/{id}"));
        assert_eq!(
            (one.status, &one.json()["detail"]),
            (503, &Value::from("GPU metrics collection not available"))
        );
    }
    assert_eq!(
        agent.get("/gpu/metrics/abc").status,
        422,
        "malformed comes before unavailable"
    );
    assert_eq!(
        agent.json("/health/ready"),
        serde_json::json!({"ready": true}),
        "absence is an answer"
    );
    assert_eq!(agent.get("/health/").status, 200);
    assert_eq!(agent.get("/health/live").status, 200);
}

#[test]
fn a_driver_that_comes_later_is_picked_up() {
    let simulator = simulator("a100-pcie-4");
    simulator
        .set_faults(&[Fault::on("nvmlInit*").returns(9)])
        .unwrap();
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_NVML__RETRY_FIRST", "50ms")
        .start();
    agent.wait_until_ready();
    let before = agent.get("/gpu/metrics");
    assert_eq!(before.status, 503);
    simulator.clear_faults().unwrap();
    let body = eventually(
        "the GPUs are served",
        || agent.json("/gpu/metrics"),
        |body| body["gpu_count"] == 4,
    );
    assert_eq!(body["missing_gpus"], serde_json::json!([]));
    assert_eq!(agent.json("/gpu/info")["reason"], Value::Null);
}

#[test]
fn gpus_that_come_later_are_picked_up() {
    let simulator = simulator("a100-pcie-4");
    simulator.set_faults(&[Fault::everywhere().roster([])]).unwrap();
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_NVML__RETRY_FIRST", "50ms")
        .start();
    agent.wait_until_ready();
    let info = agent.json("/gpu/info");
    assert_eq!(
        (&info["available"], &info["reason"]),
        (&Value::from(true), &Value::from("no_gpus"))
    );
    simulator.clear_faults().unwrap();
    eventually(
        "the GPUs are served",
        || agent.json("/gpu/metrics")["gpu_count"].clone(),
        |count| *count == 4,
    );
}

#[test]
fn an_initialisation_that_hangs_and_returns_is_picked_up() {
    let simulator = simulator("t4");
    simulator.set_faults(&[Fault::on("nvmlInit*").hang()]).unwrap();
    let agent = AgentBuilder::over(simulator.library_path()).start();
    assert_eq!(agent.get("/gpu/metrics").json()["reason"], "starting");
    assert_eq!(agent.get("/health/ready").status, 503);
    simulator.clear_faults().unwrap();
    agent.wait_until_ready();
    assert_eq!(agent.json("/gpu/metrics")["gpu_count"], 1);
}

#[test]
fn a_log_line_says_why_and_what_to_do() {
    let agent = Agent::ready(Path::new("/nowhere/libnvidia-ml.so.1"));
    let log = agent.log().join("\n");
    assert!(
        log.contains("library_not_found") && log.contains("--nvml-library"),
        "{log}"
    );
}
