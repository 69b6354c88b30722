//! Numbers that are none, and lists that do not stand still.

use nvml_sim::faults::{Fault, Values};
use serde_json::json;

use super::{look::at, quick, steady, until};

#[test]
fn numbers_that_mean_none_are_none() {
    let values = Values {
        memory_total: Some(u64::MAX),
        memory_used: Some(u64::MAX),
        energy_mj: Some(u64::MAX),
        memory_temperature: Some(0),
        power_mw: Some(u32::MAX),
        temperature: Some(255),
        pcie_replays: Some(2_147_483_632),
        process_memory_unavailable: true,
        ..Values::default()
    };
    let simulator = steady().start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    simulator
        .set_faults(&[Fault::everywhere().gpu(0).values(values)])
        .unwrap();
    let body = until(&agent, 0, "the values are there", |gpu| {
        gpu["unavailable"]["pcie.replays_total"] == "error"
    });
    for (path, reason) in [
        ("memory.total_bytes", "not_supported"),
        ("memory.used_bytes", "not_supported"),
        ("power.driver_energy_joules", "not_supported"),
        ("power.energy_joules_total", "not_supported"),
        ("power.draw_watts", "not_supported"),
        ("power.average_watts", "not_supported"),
        ("thermal.memory_celsius", "not_supported"),
        ("thermal.gpu_celsius", "error"),
    ] {
        assert_eq!(body["unavailable"][path], reason, "{path}: {}", at(&body, path));
    }
    assert_eq!(body["memory"]["unified"], false, "it says nothing of the host's");
    let processes = body["processes"]["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 1, "{processes:?}");
    assert!(processes[0]["memory_used_bytes"].is_null());
    assert_eq!(
        body["unavailable"]["processes.processes.0.memory_used_bytes"],
        "not_supported"
    );
    let host = agent.json("/api/v1/host");
    assert_eq!(host["totals"]["counted"]["memory_total_bytes"], 1, "{host}");
    assert_eq!(
        host["totals"]["memory_total_bytes"],
        json!(simulator.truth(1).unwrap().memory_total)
    );
    let blank = Values {
        blank_processes: Some(100),
        ..Values::default()
    };
    simulator
        .set_faults(&[Fault::everywhere().gpu(0).values(blank)])
        .unwrap();
    until(&agent, 0, "blank entries are nobody", |gpu| {
        gpu["processes"]["count"] == 0
    });
}

#[test]
fn a_list_that_grows_at_every_question_is_an_error_of_that_list() {
    let simulator = steady().start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let race = Values {
        count_race: true,
        ..Values::default()
    };
    simulator
        .set_faults(&[Fault::everywhere().gpu(0).values(race)])
        .unwrap();
    let body = until(&agent, 0, "the race is lost", |gpu| {
        gpu["unavailable"]["processes"] == "error" && gpu["unavailable"]["power.interval"] == "error"
    });
    assert_eq!(body["state"], "ok");
    assert!(body["power"]["draw_watts"].is_number());
    simulator.clear_faults().unwrap();
    until(&agent, 0, "the list is there", |gpu| {
        gpu["processes"]["count"] == 1
    });
}
