//! Drivers of another age: other layouts, calls that were not there yet, and numbers that are none.

use std::time::Duration;

use nvml_sim::{
    faults::Fault,
    testing::{Builder, Simulator},
};
use serde_json::{Value, json};

use super::{absences, gpu, look::at, quick, steady, until};
use crate::support::Agent;

#[track_caller]
fn ready(builder: Builder) -> (Simulator, Agent) {
    let simulator = builder.start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    until(&agent, 0, "a second reading", |gpu| {
        gpu["sequence"].as_u64() >= Some(2)
    });
    (simulator, agent)
}

/// Who is on a GPU by the simulator's account: pid and memory.
fn truth(simulator: &Simulator, index: usize) -> Vec<(u32, u64)> {
    let mut list: Vec<_> = simulator
        .processes(index)
        .iter()
        .map(|of| (of.pid, of.memory))
        .collect();
    list.sort_unstable();
    list
}

fn told(gpu: &Value) -> Vec<(u32, u64)> {
    let list = gpu["processes"]["processes"].as_array().unwrap().iter();
    let mut list: Vec<_> = list
        .map(|of| {
            let pid = u32::try_from(of["pid"].as_u64().unwrap()).unwrap();
            (pid, of["memory_used_bytes"].as_u64().unwrap())
        })
        .collect();
    list.sort_unstable();
    list
}

/// A host whose processes neither come nor go.
fn shared(profile: &str) -> Builder {
    Simulator::builder(profile).frozen_at(Duration::from_secs(60))
}

#[test]
fn process_lists_are_the_same_in_every_layout_and_version() {
    let third = [
        "nvmlDeviceGetComputeRunningProcesses_v3",
        "nvmlDeviceGetGraphicsRunningProcesses_v3",
        "nvmlDeviceGetMPSComputeRunningProcesses_v3",
    ];
    let second = third.map(|name| name.replace("_v3", "_v2"));
    let both: Vec<&str> = third
        .into_iter()
        .chain(second.iter().map(String::as_str))
        .collect();
    let long = |profile: &str| {
        let builder = shared(profile);
        builder.overrides("driver.process_entry_bytes = 32").unwrap()
    };
    for profile in ["rtx-4090", "a100-mig"] {
        let drivers = [
            ("entries of 32 bytes", long(profile)),
            ("no version 3", shared(profile).without_symbols(&third)),
            (
                "versions 3 are refused",
                shared(profile).faults(&[Fault::on("nvmlDeviceGet*RunningProcesses_v3").missing_symbol()]),
            ),
            ("neither version 3 nor 2", shared(profile).without_symbols(&both)),
        ];
        for (what, builder) in drivers {
            let (simulator, agent) = ready(builder);
            let expected = truth(&simulator, 0);
            assert!(!expected.is_empty(), "{profile}");
            let body = gpu(&agent, 0);
            assert_eq!(told(&body), expected, "{profile}, {what}");
            let instances = body["processes"]["processes"].as_array().unwrap().iter();
            let known = instances.filter(|of| of["gpu_instance_id"].is_number()).count();
            let first_version = what.starts_with("neither");
            let cut = profile.ends_with("mig") && !first_version;
            assert_eq!(known, if cut { expected.len() } else { 0 }, "{profile}, {what}");
        }
    }
}

#[test]
fn memory_of_a_driver_without_version_2_counts_the_reserved_part_in() {
    let (simulator, agent) = ready(steady().without_symbols(&["nvmlDeviceGetMemoryInfo_v2"]));
    let truth = simulator.truth(0).unwrap();
    let body = gpu(&agent, 0);
    assert_eq!(body["memory"]["total_bytes"], json!(truth.memory_total));
    assert_eq!(body["unavailable"]["memory.reserved_bytes"], "function_not_found");
    let memory = |key: &str| body["memory"][key].as_u64().unwrap();
    assert_eq!(memory("used_bytes") + memory("free_bytes"), memory("total_bytes"));
    assert_eq!(body["memory"]["unified"], false);
    let absent = absences(&body);
    assert_eq!(
        absent.keys().filter(|path| path.starts_with("memory.")).count(),
        1
    );
}

/// Functions that a driver does not have, and what is not there without them.
const WITHOUT: [(&[&str], &[&str]); 6] = [
    (
        &["nvmlDeviceGetFieldValues"],
        &[
            "power.average_watts",
            "power.instant_watts",
            "thermal.memory_celsius",
            "clocks.lowered",
            "pcie.sent_bytes_total",
            "pcie.received_bytes_total",
            "nvlink.sent_bytes_per_second",
            "nvlink.links.0.sent_bytes_total",
            "reliability.recovery_action",
        ],
    ),
    (&["nvmlDeviceGetSamples"], &["load.interval", "power.interval"]),
    (
        &[
            "nvmlGpmQueryDeviceSupport",
            "nvmlGpmSampleGet",
            "nvmlGpmMetricsGet",
        ],
        &["activity"],
    ),
    (&["nvmlGpmMetricsGet"], &["activity"]),
    (
        &["nvmlDeviceGetMigMode", "nvmlDeviceGetMaxMigDeviceCount"],
        &["mig"],
    ),
    (
        &["nvmlDeviceGetGpuFabricInfoV", "nvmlDeviceGetSramEccErrorStatus"],
        &["reliability.fabric", "reliability.sram"],
    ),
];

#[test]
fn what_a_driver_does_not_have_is_not_found_and_costs_nothing_else() {
    for (functions, paths) in WITHOUT {
        let (_simulator, agent) = ready(steady().without_symbols(functions));
        // The performance monitor has something to say once there are two samples, which keep their distance.
        until(&agent, 0, "the monitor was asked twice", |gpu| {
            absences(gpu)
                .get("activity.sm_percent")
                .is_none_or(|reason| *reason != "not_ready")
        });
        let body = gpu(&agent, 0);
        assert_eq!(body["state"], "ok", "{functions:?}");
        let absent = absences(&body);
        for path in paths {
            let below: Vec<_> = absent.iter().filter(|(null, _)| null.starts_with(path)).collect();
            assert!(!below.is_empty(), "{functions:?}: {path} has a value");
            assert!(
                below.iter().all(|(_, reason)| *reason == "function_not_found"),
                "{functions:?}: {below:?}"
            );
        }
        for path in ["power.draw_watts", "memory.used_bytes", "load.gpu_percent"] {
            assert!(at(&body, path).is_number(), "{functions:?}: {path}");
        }
    }
}

#[test]
fn what_has_another_name_or_version_in_older_drivers_is_found_there() {
    let (_simulator, agent) = ready(
        steady()
            .without_symbols(&["nvmlDeviceGetCurrentClocksEventReasons"])
            // A driver that knows version 2 of the structure only.
            .faults(&[Fault::on("nvmlDeviceGetGpuFabricInfoV").gpu(0).times(1).returns(25)]),
    );
    let body = gpu(&agent, 0);
    assert!(
        body["clocks"]["event_reasons"].is_array(),
        "{}",
        body["unavailable"]
    );
    assert_eq!(body["reliability"]["fabric"]["state"], "completed");
    assert_eq!(body["reliability"]["fabric"]["degraded_bandwidth"], false);
}

#[test]
fn a_driver_without_a_count_of_fans_is_asked_for_the_first() {
    let simulator = Simulator::builder("rtx-4090")
        .without_symbols(&["nvmlDeviceGetNumFans"])
        .start()
        .unwrap();
    let agent = Agent::ready(simulator.library_path());
    let fans = gpu(&agent, 0)["thermal"]["fans"].clone();
    assert_eq!(fans.as_array().unwrap().len(), 1, "{fans}");
    assert!(fans[0]["speed_percent"].is_number(), "{fans}");
    let bare = Simulator::builder("t4")
        .without_symbols(&["nvmlDeviceGetNumFans"])
        .start()
        .unwrap();
    let agent = Agent::ready(bare.library_path());
    assert_eq!(gpu(&agent, 0)["unavailable"]["thermal.fans"], "not_supported");
}

#[test]
fn an_argument_that_the_driver_does_not_know_is_not_supported_and_asked_once() {
    let calls = [
        ("nvmlDeviceGetTemperatureThreshold", "limits.shutdown_celsius"),
        ("nvmlDeviceGetMaxClockInfo", "limits.video_max_mhz"),
        ("nvmlDeviceGetClockInfo", "clocks.video_mhz"),
        (
            "nvmlDeviceGetApplicationsClock",
            "clocks.application_graphics_mhz",
        ),
        ("nvmlDeviceGetSamples", "load.interval"),
        ("nvmlDeviceGetNvLinkState", "nvlink"),
    ];
    let faults = calls.map(|(call, _)| Fault::on(call).gpu(0).returns(2));
    let (simulator, agent) = ready(steady().faults(&faults));
    let body = gpu(&agent, 0);
    let absent = absences(&body);
    for (call, path) in calls {
        let mut below = absent
            .iter()
            .filter(|(null, _)| null.starts_with(path))
            .peekable();
        assert!(below.peek().is_some(), "{call}");
        assert!(
            below.all(|(_, reason)| reason == "not_supported"),
            "{call}: {absent:?}"
        );
    }
    let asked = || calls.map(|(call, _)| simulator.calls(call, Some(0)));
    let before = asked();
    until(&agent, 0, "ticks pass", |gpu| {
        gpu["sequence"].as_u64() >= body["sequence"].as_u64().map(|sequence| sequence + 5)
    });
    assert_eq!(asked(), before);
}
