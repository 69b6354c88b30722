//! Memory that the GPU shares with the host is not the GPU's, and never the host's in its place.

use nvml_sim::{faults::Fault, testing::Simulator};

use super::{gpu, quick, until};
use crate::support::simulator;

#[test]
fn unified_memory_is_named_and_no_number_stands_for_it() {
    let simulator = simulator("gb10");
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let body = gpu(&agent, 0);
    assert_eq!(body["memory"]["unified"], true, "{}", body["unavailable"]);
    for key in [
        "total",
        "used",
        "free",
        "reserved",
        "bar1_total",
        "bar1_used",
        "bar1_free",
    ] {
        let path = format!("memory.{key}_bytes");
        assert_eq!(body["unavailable"][&path], "not_supported", "{path}");
    }
    let host = agent.json("/api/v1/host");
    for key in ["memory_total_bytes", "memory_used_bytes", "memory_free_bytes"] {
        assert!(host["totals"][key].is_null(), "{key}");
        assert_eq!(
            host["unavailable"][format!("totals.{key}")],
            "not_supported",
            "{key}"
        );
    }
    let process = &body["processes"]["processes"][0];
    assert!(
        process["memory_used_bytes"].as_u64() > Some(0),
        "that of a process is known"
    );
}

#[test]
fn the_hosts_memory_does_not_pass_for_the_gpus() {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    // A driver that answers what it does not have with what the host has.
    let host = kibibytes / 1_024;
    for (mebibytes, shared) in [(host, true), (host * 2, false)] {
        let like = format!(
            "gpu.unsupported = [\"nvmlDeviceGetBAR1MemoryInfo\"]\n\
             gpu.memory.total_mib = {mebibytes}\ngpu.memory.reserved_mib = 0"
        );
        let simulator = Simulator::builder("gb10")
            .overrides(&like)
            .unwrap()
            .start()
            .unwrap();
        let agent = quick(&simulator).start();
        agent.wait_until_ready();
        let body = gpu(&agent, 0);
        assert_eq!(
            body["memory"]["unified"], shared,
            "{mebibytes} MiB: {}",
            body["memory"]
        );
        assert_eq!(
            body["memory"]["total_bytes"].is_null(),
            shared,
            "{}",
            body["memory"]
        );
        let reason = body["unavailable"].get("memory.total_bytes");
        assert_eq!(reason.is_some_and(|reason| reason == "not_supported"), shared);
    }
    // Where there is a window to it, it is the GPU's, even if by chance the host has as much.
    let own = format!("gpu.memory.total_mib = {host}\ngpu.c2c = true\ncount = 1");
    let simulator = Simulator::builder("h100-sxm-8")
        .overrides(&own)
        .unwrap()
        .start()
        .unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let body = gpu(&agent, 0);
    assert_eq!(body["memory"]["unified"], false);
    assert!(body["memory"]["total_bytes"].is_number(), "{}", body["memory"]);
}

#[test]
fn a_failure_says_nothing_of_whose_the_memory_is() {
    let simulator = simulator("gb10");
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetMemoryInfo*").returns(999)])
        .unwrap();
    // What was refused from the first is not asked for again.
    let asked = simulator.calls("nvmlDeviceGetMemoryInfo_v2", Some(0));
    let first = gpu(&agent, 0);
    let later = until(&agent, 0, "ticks pass", |gpu| {
        gpu["sequence"].as_u64() >= first["sequence"].as_u64().map(|sequence| sequence + 3)
    });
    assert_eq!(simulator.calls("nvmlDeviceGetMemoryInfo_v2", Some(0)), asked);
    assert_eq!(later["memory"]["unified"], true);
    let failing = quick(&simulator).start();
    failing.wait_until_ready();
    let body = gpu(&failing, 0);
    assert_eq!(body["unavailable"]["memory.unified"], "error");
    assert_eq!(body["unavailable"]["memory.total_bytes"], "error");
    simulator.clear_faults().unwrap();
    until(&failing, 0, "it is known again", |gpu| {
        gpu["memory"]["unified"] == true
    });
}
