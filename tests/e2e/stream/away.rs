//! Clients that come back, agents that are started anew, and drivers that come late.

use std::path::Path;

use nvml_sim::faults::Fault;
use rustix::process::Signal;
use serde_json::json;

use super::Stream;
use crate::support::{Agent, AgentBuilder, eventually, simulator};

fn generation(agent: &Agent) -> u64 {
    agent.json("/health/detailed")["metrics"]["generation"]
        .as_u64()
        .unwrap()
}

#[test]
fn who_comes_back_gets_what_it_missed_and_then_the_present() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    let mut stream = Stream::open(&agent, "", "");
    let seen = stream.snapshot();
    drop(stream);
    eventually(
        "some generations pass",
        || generation(&agent),
        |now| *now >= seen.generation() + 10,
    );
    for (query, headers) in [
        (String::new(), format!("last-event-id: {}\r\n", seen.generation())),
        (
            format!("?after={}", seen.generation()),
            "last-event-id: 1\r\n".to_owned(),
        ),
    ] {
        let mut stream = Stream::open(&agent, &query, &headers);
        let end = generation(&agent);
        let mut last = seen.sequence(0);
        loop {
            let missed = stream.snapshot();
            // Two samples may have come close to each other, and are then one snapshot.
            let next = missed.sequence(0);
            assert!((last + 1..=last + 2).contains(&next), "{next} after {last}");
            last = next;
            if missed.generation() >= end {
                break;
            }
        }
    }
}

#[test]
fn an_id_that_nobody_knows_is_answered_with_the_present() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    for id in ["999999999", "garbage", "", "0", "-5"] {
        let before = generation(&agent);
        let mut stream = Stream::open(&agent, "", &format!("last-event-id: {id}\r\n"));
        assert!(stream.snapshot().generation() >= before, "{id}");
    }
}

#[test]
fn an_agent_that_is_started_anew_says_so_and_begins_with_its_present() {
    let simulator = simulator("t4");
    let first = Agent::ready(simulator.library_path());
    let mut stream = Stream::open(&first, "", "");
    let mut seen = stream.snapshot();
    while seen.generation() < 30 {
        seen = stream.snapshot();
    }
    let (address, instance) = (first.address(), stream.hello["instance"].clone());
    let ended = first.end(Signal::KILL);
    assert!(!ended.status.success());
    drop(stream);
    let second = AgentBuilder::over(simulator.library_path())
        .interval("1m")
        .bind(&address.to_string())
        .start();
    second.wait_until_ready();
    let id = format!("last-event-id: {}\r\n", seen.generation());
    let mut stream = Stream::open(&second, "", &id);
    assert_ne!(stream.hello["instance"], instance);
    let now = stream.snapshot();
    assert!(now.generation() < seen.generation());
}

#[test]
fn without_a_driver_the_stream_says_why_and_goes_on_when_it_comes() {
    let agent = Agent::ready(Path::new("/nowhere/libnvidia-ml.so.1"));
    let mut stream = Stream::open(&agent, "?gpu=0", "");
    let snapshot = stream.snapshot();
    assert_eq!(snapshot.data["gpus"], json!([]));
    assert_eq!(snapshot.data["driver"]["reason"], "library_not_found");
    drop((stream, agent));

    let simulator = simulator("t4");
    simulator
        .set_faults(&[Fault::on("nvmlInit*").returns(9)])
        .unwrap();
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_NVML__RETRY_FIRST", "100ms")
        .variable("GPULSE_NVML__RETRY_MAX", "200ms")
        .start();
    agent.wait_until_ready();
    let mut stream = Stream::open(&agent, "?gpu=0", "");
    assert_eq!(stream.snapshot().data["driver"]["reason"], "driver_not_loaded");
    simulator.set_faults(&[]).unwrap();
    let there = stream.until(|frame| frame.data["gpus"][0]["state"] == "ok");
    assert_eq!(there.data.get("driver"), None);
    let heard = agent.json("/api/v1/events")["events"].clone();
    assert!(
        heard
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event["kind"] == "driver")
    );
}
