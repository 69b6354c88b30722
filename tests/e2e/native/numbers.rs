//! Numbers that are none, and lists that do not stand still.

use std::time::Duration;

use nvml_sim::{
    faults::{Fault, Values},
    testing::Simulator,
};
use serde_json::json;

use super::{look::at, number, quick, steady, until};

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

#[test]
fn bytes_over_the_link_are_those_of_the_simulator_where_the_driver_samples_them() {
    const AGE: Duration = Duration::from_secs(100);
    const WINDOW: Duration = Duration::from_millis(20);
    const KIBIBYTE: f64 = 1_024.0;
    let without_counters = "count = 1\ngpu.unsupported_fields = [197, 198]";
    let builder = Simulator::builder("h100-sxm-8")
        .overrides(without_counters)
        .unwrap();
    let simulator = builder.frozen_at(AGE).start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let body = until(&agent, 0, "the rates are sampled", |gpu| {
        gpu["pcie"]["rate_source"] == "sampled"
    });
    let truth = |at| simulator.truth_at(0, at).unwrap();
    let (before, now) = (truth(AGE - WINDOW), truth(AGE));
    let per_second = |from: u64, to: u64| (to - from) as f64 / WINDOW.as_secs_f64();
    for (direction, rate) in [
        ("sent", per_second(before.pcie_tx_bytes, now.pcie_tx_bytes)),
        ("received", per_second(before.pcie_rx_bytes, now.pcie_rx_bytes)),
    ] {
        let said = number(&body, &format!("pcie.{direction}_bytes_per_second"));
        // With thousands on one side it would be 2.4 % off, which is more than what is cut off.
        assert!(rate > 100.0 * KIBIBYTE, "{direction}: {rate}");
        assert!(
            said <= rate && rate < said + KIBIBYTE,
            "{direction}: {said} of {rate}"
        );
    }
}
