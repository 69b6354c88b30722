//! The test cases of the Python design, carried over in meaning.

use serde_json::Value;

use crate::support::{Agent, AgentBuilder, simulator};

#[test]
fn the_collector_is_initialised_and_counts_its_gpus() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    let info = agent.json("/gpu/info");
    assert_eq!(info["available"], true);
    assert_eq!(info["gpu_count"], 1);
    assert_eq!(info["pynvml_installed"], true);
}

#[test]
fn a_single_gpus_metrics_are_collected() {
    let simulator = simulator("a100-pcie-4");
    let agent = Agent::ready(simulator.library_path());
    let gpu = agent.json("/gpu/metrics/0");
    assert_eq!(gpu["gpu_id"], 0);
    assert!(
        gpu["gpu_name"].as_str().unwrap().contains("A100"),
        "{}",
        gpu["gpu_name"]
    );
    assert!(gpu["memory"]["total_mb"].as_f64().unwrap() > 0.0);
    assert!(gpu["utilization"]["gpu_percent"].is_number());
}

#[test]
fn all_gpus_metrics_are_collected_under_the_instances_name() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .argument("--agent-id")
        .argument("test-instance")
        .start();
    agent.wait_until_ready();
    let body = agent.json("/gpu/metrics");
    assert_eq!(body["instance_id"], "test-instance");
    assert_eq!(body["gpu_count"], 1);
    assert_eq!(
        body["average_gpu_utilization"],
        body["gpus"][0]["utilization"]["gpu_percent"]
    );
}

#[test]
fn without_nvml_nothing_is_available_and_nothing_breaks() {
    let agent = Agent::ready(std::path::Path::new("/nowhere/libnvidia-ml.so.1"));
    let info = agent.json("/gpu/info");
    assert_eq!(
        (&info["available"], &info["gpu_count"]),
        (&Value::from(false), &Value::from(0))
    );
    assert_eq!(info["pynvml_installed"], false);
    assert_eq!(agent.get("/gpu/metrics").status, 503);
}
