//! Each group on its clock, told by the calls that it makes beside those of another.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nvml_sim::testing::Simulator;
use serde_json::Value;

use super::{GROUPS, absences, gpu, quick, steady, until};
use crate::support::{Agent, AgentBuilder, eventually};

/// The call of a group that is read once a tick and only there.
fn reads(simulator: &Simulator, group: &str) -> u64 {
    let call = GROUPS.iter().find(|(name, _)| *name == group).unwrap().1;
    simulator.calls(call, Some(0))
}

fn variable(group: &str) -> String {
    format!("GPULSE_SAMPLER__GROUPS__{}", group.to_uppercase())
}

#[test]
fn a_group_that_is_off_is_not_asked_for_and_costs_no_other() {
    for turned_off in [0, 1] {
        let simulator = steady().start().unwrap();
        let places = || (0..).zip(GROUPS);
        let mut builder = quick(&simulator);
        for (_, (group, _)) in places().filter(|(place, _)| place % 2 == turned_off) {
            builder = builder.variable(&variable(group), "off");
        }
        let agent = builder.start();
        agent.wait_until_ready();
        until(&agent, 0, "it is read a few times", |gpu| {
            gpu["sequence"].as_u64() >= Some(4)
        });
        let body = gpu(&agent, 0);
        for (place, (group, call)) in places() {
            let calls = simulator.calls(call, Some(0));
            if place % 2 == turned_off {
                assert_eq!(body["unavailable"][group], "disabled");
                assert!(body[group]["read_at"].is_null(), "{group}");
                assert_eq!(calls, 0, "{group} is off, and {call} was made");
            } else {
                assert!(!body[group]["read_at"].is_null(), "{group}");
                assert!(calls > 0, "{group}");
                let disabled = absences(&body);
                let disabled = disabled
                    .iter()
                    .filter(|(path, reason)| path.starts_with(group) && *reason == "disabled");
                assert_eq!(disabled.count(), 0, "{group}");
            }
        }
    }
}

/// An agent of which each tick can be told from the next.
fn with(simulator: &Simulator, cadences: &[(&str, &str)], slow: &str) -> Agent {
    let mut builder = AgentBuilder::over(simulator.library_path())
        .interval("20ms")
        .variable("GPULSE_SAMPLER__SLOW_INTERVAL", slow);
    for (group, cadence) in cadences {
        builder = builder.variable(&variable(group), cadence);
    }
    let agent = builder.start();
    agent.wait_until_ready();
    agent
}

#[test]
fn tick_slow_and_a_duration_are_kept_whatever_group_they_are_of() {
    let simulator = steady().start().unwrap();
    // A tick that comes late delays all groups alike: how they stand to each other stays.
    let cadences = [
        ("load", "tick"),
        ("pcie", "tick"),
        ("modes", "slow"),
        ("thermal", "slow"),
        ("memory", "400ms"),
        ("sessions", "1h"),
    ];
    let agent = with(&simulator, &cadences, "200ms");
    let count = || ["load", "pcie", "modes", "thermal", "memory", "sessions"].map(|of| reads(&simulator, of));
    let [ticks, pcie, modes, thermal, memory, sessions] =
        eventually("a hundred ticks pass", count, |[ticks, ..]| *ticks >= 100);
    assert!(ticks.abs_diff(pcie) <= 1, "{pcie} in {ticks} ticks");
    assert_eq!(sessions, 1, "an hour has not passed");
    // All groups are read at the first tick, and this one at no other: it tells when that was.
    let body = gpu(&agent, 0);
    let time = |time: &Value| -> Timestamp { time.as_str().unwrap().parse().unwrap() };
    let since = time(&body["sampled_at"]).duration_since(time(&body["sessions"]["read_at"]));
    for (count, every) in [(modes, 200), (thermal, 200), (memory, 400)] {
        // Never more often than its time permits, however long ticks take, and a tick may be early by half of its length.
        let most = 1 + (u64::try_from(since.as_millis()).unwrap() + 10) / every;
        assert!(
            count <= most,
            "{count} reads in {since:?}, one due every {every} ms"
        );
        // Never less often either: ticks that were missed only make more of those that came fall due.
        let least = (ticks / (every / 20)).saturating_sub(1);
        assert!(
            count >= least,
            "{count} reads in {ticks} ticks, one due every {every} ms"
        );
    }
    assert!(
        modes.abs_diff(thermal) <= 1,
        "{modes} and {thermal} on the same clock"
    );
    drop(agent);
}

#[test]
fn a_group_that_was_not_due_is_shown_with_the_time_of_its_reading() {
    let simulator = steady().start().unwrap();
    let agent = with(&simulator, &[("sessions", "1h")], "100ms");
    let mut seen: [BTreeSet<String>; 3] = Default::default();
    eventually(
        "twenty samples",
        || {
            let body = gpu(&agent, 0);
            for (place, group) in ["load", "modes", "sessions"].into_iter().enumerate() {
                let read_at = body[group]["read_at"].as_str().unwrap();
                assert!(read_at <= body["sampled_at"].as_str().unwrap(), "{group}");
                seen[place].insert(read_at.to_owned());
            }
            seen[0].len()
        },
        |ticks| *ticks >= 20,
    );
    let [load, modes, sessions] = seen.map(|times| times.len());
    assert!(modes <= load, "{modes} times of {load}");
    assert_eq!(sessions, 1);
}

#[test]
fn what_the_gpu_is_is_asked_for_once() {
    let simulator = steady().start().unwrap();
    let agent = with(&simulator, &[], "20ms");
    eventually(
        "thirty ticks pass",
        || reads(&simulator, "load"),
        |ticks| *ticks >= 30,
    );
    for call in [
        "nvmlDeviceGetName",
        "nvmlDeviceGetSerial",
        "nvmlDeviceGetMaxPcieLinkWidth",
        "nvmlDeviceGetPowerManagementDefaultLimit",
        // What was refused is not asked for again either.
        "nvmlDeviceGetMinMaxFanSpeed",
        "nvmlDeviceGetNumFans",
        "nvmlDeviceGetRetiredPages",
    ] {
        // The pages are asked for by two causes.
        let most = if call == "nvmlDeviceGetRetiredPages" { 2 } else { 1 };
        let calls = simulator.calls(call, Some(0));
        assert!((1..=most).contains(&calls), "{call}: {calls} calls");
    }
    drop(agent);
}
