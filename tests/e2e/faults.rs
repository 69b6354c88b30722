//! Each listed fault on one GPU of four: it shows on that GPU alone, with its reason, and goes when the fault goes.

use std::time::Duration;

use nvml_sim::faults::{Fault, Values};
use serde_json::{Value, json};

use crate::support::{Agent, AgentBuilder, eventually, simulator};

/// What a call of the seed's collector feeds, and what is expected there when it fails.
const CALLS: [(&str, &str, Value); 15] = [
    ("nvmlDeviceGet*RunningProcesses*", "processes", NOBODY),
    ("nvmlDeviceGetUtilizationRates", "utilization.gpu_percent", ZERO),
    (
        "nvmlDeviceGetUtilizationRates",
        "utilization.memory_percent",
        ZERO,
    ),
    (
        "nvmlDeviceGetEncoderUtilization",
        "utilization.encoder_percent",
        Value::Null,
    ),
    (
        "nvmlDeviceGetDecoderUtilization",
        "utilization.decoder_percent",
        Value::Null,
    ),
    ("nvmlDeviceGetMemoryInfo*", "memory.used_mb", ZERO),
    ("nvmlDeviceGetMemoryInfo*", "memory.total_mb", ZERO),
    ("nvmlDeviceGetTemperature", "temperature.current_celsius", ZERO),
    ("nvmlDeviceGetPowerUsage", "power.power_draw_watts", ZERO),
    (
        "nvmlDeviceGetPowerManagementLimit",
        "power.power_limit_watts",
        ZERO,
    ),
    ("nvmlDeviceGetClockInfo", "clocks.sm_clock_mhz", ZERO),
    (
        "nvmlDeviceGetTotalEnergyConsumption",
        "power.total_energy_joules",
        Value::Null,
    ),
    (
        "nvmlDeviceGetCurrentClocks*Reasons",
        "throttle_reasons",
        Value::Null,
    ),
    ("nvmlDeviceGetCurrPcieLinkWidth", "pcie.width", Value::Null),
    (
        "nvmlDeviceGetTotalEccErrors",
        "ecc.corrected_volatile",
        Value::Null,
    ),
];

/// What is sent as the list of processes where there is none.
const NOBODY: Value = Value::Array(Vec::new());

/// What stands for a required number that is absent; compared as a number below.
const ZERO: Value = Value::Bool(false);

fn at<'a>(gpu: &'a Value, path: &str) -> &'a Value {
    gpu.pointer(&format!("/{}", path.replace('.', "/")))
        .unwrap_or_else(|| panic!("no {path} in {gpu}"))
}

/// Lets each call fail with `code` on GPU 1 of 4 and looks at what that costs.
fn each_failing_call_costs_its_own_metric_on_its_own_gpu_and_no_more(code: u32, reason: &str) {
    for (call, path, expected) in &CALLS {
        let simulator = simulator("a100-pcie-4");
        simulator
            .set_faults(&[Fault::on(*call).gpu(1).returns(code)])
            .unwrap();
        let agent = Agent::ready(simulator.library_path());
        let body = agent.json("/gpu/metrics");
        let what = format!("{call} returns {code}: {path}");
        assert_eq!(body["gpu_count"], 4, "{what}");
        let sick = &body["gpus"][1];
        assert_eq!(
            sick["unavailable"][path], reason,
            "{what}: {}",
            sick["unavailable"]
        );
        match expected {
            Value::Bool(_) => assert_eq!(at(sick, path).as_f64(), Some(0.0), "{what}"),
            expected => assert_eq!(at(sick, path), expected, "{what}"),
        }
        assert_eq!(sick["state"], "ok", "{what}");
        for well in [0, 2, 3] {
            assert!(
                body["gpus"][well]["unavailable"].get(path).is_none(),
                "{what}: GPU {well} has it too"
            );
        }
    }
}

#[test]
fn not_supported() {
    each_failing_call_costs_its_own_metric_on_its_own_gpu_and_no_more(3, "not_supported");
}

#[test]
fn no_permission() {
    each_failing_call_costs_its_own_metric_on_its_own_gpu_and_no_more(4, "no_permission");
}

#[test]
fn function_not_found() {
    each_failing_call_costs_its_own_metric_on_its_own_gpu_and_no_more(13, "function_not_found");
}

#[test]
fn unknown_error() {
    each_failing_call_costs_its_own_metric_on_its_own_gpu_and_no_more(999, "error");
}

#[test]
fn the_two_thresholds_fail_apart_from_the_temperature() {
    let simulator = simulator("t4");
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetTemperatureThreshold").returns(3)])
        .unwrap();
    let agent = Agent::ready(simulator.library_path());
    let gpu = agent.json("/gpu/metrics/0");
    assert!(gpu["temperature"]["current_celsius"].as_f64().unwrap() > 0.0);
    assert!(gpu["temperature"]["shutdown_threshold_celsius"].is_null());
    assert_eq!(
        gpu["unavailable"]["temperature.shutdown_threshold_celsius"],
        "not_supported"
    );
}

#[test]
fn a_passing_failure_passes() {
    let simulator = simulator("a100-pcie-4");
    let agent = Agent::ready(simulator.library_path());
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetPowerUsage").gpu(0).returns(999)])
        .unwrap();
    let draw = |agent: &Agent| agent.json("/gpu/metrics/0")["unavailable"]["power.power_draw_watts"].clone();
    eventually("the failure shows", || draw(&agent), |reason| reason == "error");
    simulator.clear_faults().unwrap();
    eventually("it is gone", || draw(&agent), Value::is_null);
}

#[test]
fn a_failure_while_the_gpu_is_identified_passes_as_well() {
    let simulator = simulator("t4");
    simulator
        .set_faults(&[
            Fault::on("nvmlDeviceGetName").returns(999),
            Fault::on("nvmlDeviceGetTemperatureThreshold").returns(4),
        ])
        .unwrap();
    let slow =
        AgentBuilder::over(simulator.library_path()).variable("GPULSE_SAMPLER__SLOW_INTERVAL", "200ms");
    let agent = slow.start();
    agent.wait_until_ready();
    let gpu = agent.json("/gpu/metrics/0");
    assert_eq!(
        (&gpu["gpu_name"], &gpu["unavailable"]["gpu_name"]),
        (&json!("Unknown"), &json!("error"))
    );
    simulator.clear_faults().unwrap();
    let gpu = eventually(
        "it says its name",
        || agent.json("/gpu/metrics/0"),
        |gpu| gpu["gpu_name"] == "Tesla T4",
    );
    assert!(gpu["temperature"]["shutdown_threshold_celsius"].is_number());
}

#[test]
fn blank_entries_of_a_process_list_are_no_processes() {
    let simulator = simulator("t4");
    let blank = Values {
        blank_processes: Some(100),
        ..Values::default()
    };
    simulator
        .set_faults(&[Fault::everywhere().values(blank)])
        .unwrap();
    let agent = Agent::ready(simulator.library_path());
    let gpu = agent.json("/gpu/metrics/0");
    let blanks = |process: &Value| process["pid"].as_u64() >= Some(2_147_483_632);
    assert!(
        !gpu["processes"].as_array().unwrap().iter().any(blanks),
        "{}",
        gpu["processes"]
    );
}

#[test]
fn a_lost_gpu_is_missing_by_name_and_comes_back() {
    let simulator = simulator("a100-pcie-4");
    let agent = Agent::ready(simulator.library_path());
    let uuid = agent.json("/gpu/metrics/1")["gpu_uuid"].clone();
    simulator
        .set_faults(&[Fault::everywhere().gpu(1).lost()])
        .unwrap();
    let body = eventually(
        "GPU 1 is missing",
        || agent.json("/gpu/metrics"),
        |body| body["gpu_count"] == 3,
    );
    let missing = &body["missing_gpus"][0];
    assert_eq!(
        (&missing["gpu_id"], &missing["gpu_uuid"], &missing["reason"]),
        (&json!(1), &uuid, &json!("gpu_lost"))
    );
    let single = agent.get("/gpu/metrics/1");
    assert_eq!(
        (single.status, &single.json()["detail"]),
        (500, &json!("Failed to collect metrics for GPU 1"))
    );
    assert_eq!(agent.get("/gpu/metrics/0").status, 200);
    assert_eq!(agent.json("/gpu/info")["gpu_count"], 4, "the roster keeps it");
    assert_eq!(agent.json("/gpu/info")["gpus"][1]["state"], "lost");
    simulator.clear_faults().unwrap();
    eventually(
        "GPU 1 is back",
        || agent.json("/gpu/metrics")["gpu_count"].clone(),
        |count| *count == 4,
    );
}

#[test]
fn a_gpu_whose_handle_fails_is_missing_while_the_others_work() {
    let simulator = simulator("a100-pcie-4");
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetHandleByIndex*").gpu(3).returns(999)])
        .unwrap();
    let agent = Agent::ready(simulator.library_path());
    let body = agent.json("/gpu/metrics");
    assert_eq!(body["gpu_count"], 3);
    assert_eq!(body["missing_gpus"][0]["gpu_id"], 3);
    assert_eq!(
        body["missing_gpus"][0]["gpu_uuid"],
        Value::Null,
        "it never said its name"
    );
    assert_eq!(body["missing_gpus"][0]["reason"], "error");
    simulator.clear_faults().unwrap();
    eventually(
        "it is found",
        || agent.json("/gpu/metrics")["gpu_count"].clone(),
        |count| *count == 4,
    );
}

#[test]
fn all_gpus_lost_is_an_error_that_names_them() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    simulator
        .set_faults(&[Fault::everywhere().gpu(0).lost()])
        .unwrap();
    let reply = eventually(
        "nothing is left",
        || agent.get("/gpu/metrics"),
        |reply| reply.status == 500,
    );
    assert_eq!(reply.json()["detail"], "Failed to collect GPU metrics");
    assert_eq!(reply.json()["missing_gpus"][0]["reason"], "gpu_lost");
    assert_eq!(agent.get("/health/live").status, 200);
}

#[test]
fn slow_calls_below_the_deadline_cost_pace_and_nothing_else() {
    let simulator = simulator("a100-pcie-4");
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetPowerUsage")
            .gpu(0)
            .delay(Duration::from_millis(300))])
        .unwrap();
    let agent = Agent::ready(simulator.library_path());
    eventually(
        "overruns of the slow GPU are counted",
        || agent.json("/health/detailed")["components"]["gpus"].clone(),
        |gpus| gpus[0]["overruns"].as_u64() >= Some(5) && gpus[0]["state"] != "hung",
    );
    assert_eq!(agent.json("/gpu/metrics")["gpu_count"], 4);
}

#[test]
fn numbers_that_cannot_be_are_limited_or_named() {
    let simulator = simulator("rtx-4090");
    let impossible = Values {
        power_mw: Some(999_000),
        fan_percent: Some(130),
        temperature: Some(255),
        performance_state: Some(32),
        ..Values::default()
    };
    simulator
        .set_faults(&[Fault::everywhere().gpu(0).values(impossible)])
        .unwrap();
    let agent = Agent::ready(simulator.library_path());
    let gpu = agent.json("/gpu/metrics/0");
    assert_eq!(
        (
            &gpu["power"]["power_draw_watts"],
            &gpu["power"]["power_usage_percent"]
        ),
        (&json!(999.0), &json!(100.0))
    );
    assert_eq!(gpu["fan_speed_percent"], 100.0);
    assert_eq!(gpu["performance_state"], "Unknown");
    assert_eq!(gpu["unavailable"]["temperature.current_celsius"], "error");
}

#[test]
fn unified_memory_is_named_and_not_made_up() {
    let simulator = simulator("gb10");
    let agent = Agent::ready(simulator.library_path());
    let gpu = agent.json("/gpu/metrics/0");
    assert_eq!(gpu["memory"]["total_mb"], 0.0);
    assert_eq!(gpu["unavailable"]["memory.total_mb"], "not_supported");
    assert_eq!(
        agent.json("/gpu/metrics")["unavailable"]["total_memory_total_mb"],
        "not_supported"
    );
}

#[test]
fn utilisation_under_mig_is_named_and_not_made_up() {
    let simulator = simulator("a100-mig");
    let agent = Agent::ready(simulator.library_path());
    let gpu = agent.json("/gpu/metrics/0");
    assert_eq!(gpu["utilization"]["gpu_percent"], 0.0);
    assert_eq!(gpu["unavailable"]["utilization.gpu_percent"], "not_supported");
}
