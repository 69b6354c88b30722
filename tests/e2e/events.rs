//! What the driver reports by itself: with its meaning, in pages, counted in a storm, and no burden to anybody.

use std::collections::BTreeSet;

use nvml_sim::{faults::Fault, testing::Simulator};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Agent, AgentBuilder, eventually, simulator};

fn counters(agent: &Agent) -> Vec<Value> {
    agent.json("/api/v1/events?limit=1")["counters"]["gpus"]
        .as_array()
        .unwrap()
        .clone()
}

fn count_of(agent: &Agent, gpu: usize, xid: u64) -> u64 {
    let counters = counters(agent);
    counters[gpu]["xids"][xid.to_string()].as_u64().unwrap_or(0)
}

/// Waits until the events of every GPU reach the agent: to the driver, what happened before is not news.
fn wait_until_watched(agent: &Agent) {
    eventually(
        "every GPU is watched",
        || counters(agent),
        |gpus| !gpus.is_empty() && gpus.iter().all(|gpu| gpu["unwatched"].is_null()),
    );
}

/// An agent that hears of events.
fn watching(simulator: &Simulator) -> Agent {
    let agent = Agent::ready(simulator.library_path());
    wait_until_watched(&agent);
    agent
}

/// The events of this kind that the log holds.
fn of_kind(agent: &Agent, kind: &str) -> Vec<Value> {
    let body = agent.json("/api/v1/events?limit=1000");
    let events = body["events"].as_array().unwrap().iter();
    events.filter(|event| event["kind"] == kind).cloned().collect()
}

#[test]
fn an_xid_appears_with_its_meaning_under_the_right_gpu() {
    let simulator = simulator("h100-sxm-8");
    let agent = watching(&simulator);
    let uuid = agent.json("/gpu/metrics/6")["gpu_uuid"].clone();
    simulator
        .set_faults(&[Fault::everywhere().gpu(6).xid(48)])
        .unwrap();
    let events = eventually(
        "the XID is there",
        || of_kind(&agent, "xid"),
        |events| !events.is_empty(),
    );
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["gpu_id"], &events[0]["gpu_uuid"]), (&json!(6), &uuid));
    let xid = &events[0]["xid"];
    assert_eq!(
        (&xid["code"], &xid["severity"], &xid["action"], &xid["documented"]),
        (&json!(48), &json!("critical"), &json!("reset_gpu"), &json!(true))
    );
    assert!(xid["meaning"].as_str().unwrap().contains("ECC"));
    // The log is written by a thread of its own.
    let lines = || {
        let log = agent.log().into_iter();
        log.filter(|line| line.contains("the driver reported an XID"))
            .count()
    };
    eventually("the log has it, once", lines, |count| *count == 1);
}

#[test]
fn a_gpu_that_falls_off_the_bus_tells_its_whole_story() {
    let simulator = simulator("a100-pcie-4");
    let agent = watching(&simulator);
    simulator
        .set_faults(&[Fault::everywhere().gpu(1).lost()])
        .unwrap();
    let story = |agent: &Agent| {
        agent.json("/api/v1/events?gpu=1")["events"]
            .as_array()
            .unwrap()
            .clone()
    };
    let told = |events: &Vec<Value>| {
        events.iter().any(|event| event["xid"]["code"] == 79)
            && events.iter().any(|event| event["state"] == "lost")
    };
    eventually("XID and loss are there", || story(&agent), told);
    simulator.clear_faults().unwrap();
    let back = |event: &Value| event["state_before"] == "lost" && event["state"] == "ok";
    eventually("it came back", || story(&agent), |events| events.iter().any(back));
    let sequences: Vec<_> = story(&agent)
        .iter()
        .map(|event| event["sequence"].as_u64().unwrap())
        .collect();
    assert!(
        sequences.is_sorted_by(|earlier, later| earlier < later),
        "{sequences:?}"
    );
}

#[test]
fn pages_miss_nothing_and_repeat_nothing() {
    let simulator = simulator("a100-pcie-4");
    let agent = watching(&simulator);
    let faults: Vec<_> = (0..4)
        .flat_map(|gpu| [13, 31, 43, 45, 94].map(|xid| Fault::everywhere().gpu(gpu).xid(xid)))
        .collect();
    simulator.set_faults(&faults).unwrap();
    eventually(
        "all are there",
        || of_kind(&agent, "xid").len(),
        |count| *count == 20,
    );
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let body = agent.json(&format!("/api/v1/events?limit=3&after={after}"));
        assert_eq!((&body["oldest"], &body["lost"]), (&json!(1), &json!(0)));
        let events = body["events"].as_array().unwrap();
        if events.is_empty() {
            break;
        }
        seen.extend(events.iter().cloned());
        after = body["next"].as_u64().unwrap();
    }
    let sequences: Vec<_> = seen
        .iter()
        .map(|event| event["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(sequences, (1..=seen.len() as u64).collect::<Vec<_>>());
    let xids = seen.iter().filter(|event| event["kind"] == "xid");
    let pairs: BTreeSet<_> = xids
        .map(|event| format!("{} {}", event["gpu_id"], event["xid"]["code"]))
        .collect();
    assert_eq!(pairs.len(), 20);
}

#[test]
fn a_storm_is_counted_and_samplers_keep_their_pace() {
    let simulator = simulator("a100-pcie-4");
    let agent = watching(&simulator);
    simulator
        .set_faults(&[Fault::everywhere().gpu(2).xid(31).per_second(1_000)])
        .unwrap();
    let health = |agent: &Agent| {
        agent.json("/health/detailed")["components"]["gpus"]
            .as_array()
            .unwrap()
            .clone()
    };
    let before = health(&agent);
    let sampled = |now: &Vec<Value>| {
        now.iter().zip(&before).all(|(now, before)| {
            now["sequence"].as_u64().unwrap() >= before["sequence"].as_u64().unwrap() + 20
        })
    };
    eventually(
        "the storm is heard",
        || count_of(&agent, 2, 31),
        |count| *count >= 5_000,
    );
    let gpus = eventually("every GPU is sampled on", || health(&agent), sampled);
    assert!(gpus.iter().all(|gpu| gpu["state"] == "ok"), "{gpus:#?}");
    simulator.clear_faults().unwrap();
    let body = agent.json("/api/v1/events?limit=1000");
    assert_eq!(body["counters"]["dropped"], 0);
    assert_eq!(body["events"].as_array().unwrap().len(), 1_000);
    assert!(body["lost"].as_u64().unwrap() > 0, "the ring is bounded");
    assert_eq!(
        body["lost"].as_u64().unwrap() + 1,
        body["oldest"].as_u64().unwrap()
    );
    let told: u64 = agent
        .log()
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["xid"] == 31)
        .filter_map(|line| line["count"].as_u64())
        .sum();
    assert!(told > 0, "the storm is not in the log");
    let lines = agent.log().iter().filter(|line| line.contains("an XID")).count() as u64;
    assert!(lines < told / 10, "{lines} lines for {told} events");
}

#[test]
fn an_interrupted_wait_and_a_failing_one_are_taken_up_again() {
    let simulator = simulator("t4");
    let agent = watching(&simulator);
    simulator
        .set_faults(&[Fault::on("nvmlEventSetWait*").times(2).returns(10)])
        .unwrap();
    let waits = || simulator.calls_anywhere("nvmlEventSetWait_v2");
    let before = waits();
    eventually("it waits again", waits, |now| *now >= before + 3);
    assert_eq!(
        counters(&agent)[0]["unwatched"],
        Value::Null,
        "an interrupt is no failure"
    );
    simulator
        .set_faults(&[Fault::on("nvmlEventSetWait*").returns(999)])
        .unwrap();
    eventually(
        "the reason is known",
        || counters(&agent),
        |gpus| gpus[0]["unwatched"] == "error",
    );
    assert_eq!(agent.get("/gpu/metrics").status, 200);
    simulator.clear_faults().unwrap();
    wait_until_watched(&agent);
    simulator
        .set_faults(&[Fault::everywhere().gpu(0).xid(13)])
        .unwrap();
    eventually(
        "the XID is heard",
        || count_of(&agent, 0, 13),
        |count| *count == 1,
    );
}

#[test]
fn a_hang_while_waiting_or_registering_delays_no_route_and_no_end() {
    for call in ["nvmlEventSetWait*", "nvmlDeviceRegisterEvents"] {
        let simulator = simulator("a100-pcie-4");
        simulator.set_faults(&[Fault::on(call).hang()]).unwrap();
        let agent = Agent::ready(simulator.library_path());
        eventually(
            "the call is under way",
            || {
                simulator.calls_anywhere(call.trim_end_matches('*'))
                    + simulator.calls_anywhere("nvmlEventSetWait_v2")
            },
            |calls| *calls > 0,
        );
        for path in ["/gpu/metrics", "/api/v1/events", "/health/ready"] {
            assert_eq!(agent.get(path).status, 200, "{call} {path}");
        }
        let ended = agent.end(Signal::TERM);
        assert_eq!(ended.status.code(), Some(0), "{call}: {:#?}", ended.log);
    }
}

#[test]
fn shutdown_while_waiting_ends_with_exit_code_0() {
    let simulator = simulator("a100-pcie-4");
    let agent = watching(&simulator);
    eventually(
        "it waits",
        || simulator.calls_anywhere("nvmlEventSetWait_v2"),
        |calls| *calls > 0,
    );
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
}

#[test]
fn a_driver_that_comes_later_is_an_event() {
    let simulator = simulator("t4");
    simulator
        .set_faults(&[Fault::on("nvmlInit*").returns(9)])
        .unwrap();
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_NVML__RETRY_FIRST", "50ms")
        .variable("GPULSE_NVML__RETRY_MAX", "50ms")
        .start();
    eventually(
        "its absence is logged",
        || of_kind(&agent, "driver").len(),
        |count| *count == 1,
    );
    simulator.clear_faults().unwrap();
    let reasons = |agent: &Agent| -> Vec<_> {
        of_kind(agent, "driver")
            .into_iter()
            .map(|event| event["driver_reason"].clone())
            .collect()
    };
    let both = [json!("driver_not_loaded"), Value::Null];
    eventually(
        "its coming is logged",
        || reasons(&agent),
        |reasons| *reasons == both,
    );
}

#[test]
fn a_question_that_is_not_understood_is_answered_with_what_is() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    for query in ["after=x", "limit=0", "gpu=abc", "since=1"] {
        let reply = agent.get(&format!("/api/v1/events?{query}"));
        assert_eq!(reply.status, 422, "{query}");
        assert!(reply.json()["detail"][0]["msg"].is_string(), "{query}");
    }
    assert_eq!(agent.get("/api/v1/events?gpu=9").status, 404);
    assert_eq!(agent.request("POST", "/api/v1/events", &[]).status, 405);
    let head = agent.request("HEAD", "/api/v1/events", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("cache-control"), "no-store");
}
