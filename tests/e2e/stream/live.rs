//! What a client that reads is sent.

use nvml_sim::faults::Fault;
use serde_json::{Value, json};

use super::{Frame, Stream};
use crate::support::{Agent, AgentBuilder, eventually, simulator};

#[test]
fn it_begins_with_the_present_and_generations_rise() {
    let simulator = simulator("h100-sxm-8");
    let agent = Agent::ready(simulator.library_path());
    let mut stream = Stream::open(&agent, "", "");
    for header in [
        "content-type: text/event-stream",
        "cache-control: no-store",
        "x-accel-buffering: no",
    ] {
        assert!(stream.head.contains(header), "{}", stream.head);
    }
    assert_eq!(stream.hello["interval_seconds"], 0.1);
    assert_eq!(
        stream.hello["instance"],
        agent.json("/api/v1/host")["agent"]["instance"]
    );
    let mut before = stream.next();
    assert_eq!(before.data["gpus"].as_array().map(Vec::len), Some(8));
    let first = before.clone();
    for _ in 0..20 {
        let next = stream.snapshot();
        assert!(next.generation() > before.generation());
        before = next;
    }
    for gpu in 0..8 {
        assert!(before.sequence(gpu) > first.sequence(gpu), "GPU {gpu}");
    }
}

#[test]
fn of_a_gpu_that_is_read_once_an_interval_every_sample_comes() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    let mut stream = Stream::open(&agent, "", "");
    let first = stream.snapshot().sequence(0);
    let mut last = first;
    for _ in 0..30 {
        last = stream.snapshot().sequence(0);
    }
    // A machine under load may make two of them one.
    assert!((first + 30..first + 60).contains(&last), "{first} to {last}");
}

#[test]
fn a_longer_interval_means_fewer_snapshots_and_later_ones() {
    let simulator = simulator("h100-sxm-8");
    let agent = Agent::ready(simulator.library_path());
    let mut stream = Stream::open(&agent, "?interval=1s&events=false", "");
    assert_eq!(stream.hello["interval_seconds"], 1.0);
    let first = stream.next();
    let third = (0..2).map(|_| stream.next()).last().unwrap();
    // Eight GPUs, ten samples a second each.
    assert!(third.generation() > first.generation() + 40);
    assert!(third.sequence(0) > first.sequence(0) + 5);
}

#[test]
fn fields_and_gpus_are_those_of_the_other_routes() {
    let simulator = simulator("h100-sxm-8");
    // Nothing changes meanwhile.
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("1m")
        .start();
    agent.wait_until_ready();
    let settled = || {
        let before = agent.json("/api/v1/gpus")["generation"].clone();
        let fields = "fields=power.draw_watts,load";
        let uuid = agent.json("/api/v1/gpus/5")["uuid"].as_str().unwrap().to_owned();
        let pairs = [
            (
                String::new(),
                "/api/v1/gpus".to_owned(),
                (0..8).collect::<Vec<usize>>(),
            ),
            (
                format!("?{fields}"),
                format!("/api/v1/gpus?{fields}"),
                (0..8).collect(),
            ),
            (format!("?gpu=3,{uuid}"), "/api/v1/gpus".to_owned(), vec![3, 5]),
            (
                format!("?gpu=6&gpu=1&{fields}"),
                format!("/api/v1/gpus?{fields}"),
                vec![1, 6],
            ),
        ];
        let shown: Vec<(Value, Value)> = pairs
            .iter()
            .map(|(query, path, places)| {
                let mut expected = agent.json(path);
                expected["gpus"] = places
                    .iter()
                    .map(|place| expected["gpus"][*place].clone())
                    .collect();
                (Stream::open(&agent, query, "").snapshot().data, expected)
            })
            .collect();
        (before == agent.json("/api/v1/gpus")["generation"]).then_some(shown)
    };
    let shown = eventually("nothing changes while it is looked at", settled, Option::is_some).unwrap();
    for (sent, expected) in shown {
        assert_eq!(sent, expected);
    }
    assert_eq!(agent.get("/api/v1/stream?gpu=99").status, 404);
    assert_eq!(agent.get("/api/v1/stream?after=x").status, 422);
    assert_eq!(agent.request("HEAD", "/api/v1/stream", &[]).status, 200);
}

#[test]
fn an_xid_is_told_between_snapshots_to_those_whom_it_concerns() {
    let simulator = simulator("h100-sxm-8");
    let agent = Agent::ready(simulator.library_path());
    eventually(
        "every GPU is watched",
        || agent.json("/api/v1/events?limit=1")["counters"]["gpus"].clone(),
        |gpus| {
            gpus.as_array()
                .unwrap()
                .iter()
                .all(|gpu| gpu["unwatched"].is_null())
        },
    );
    let mut concerned = Stream::open(&agent, "?gpu=6", "");
    let mut other = Stream::open(&agent, "?gpu=2", "");
    concerned.snapshot();
    simulator
        .set_faults(&[Fault::everywhere().gpu(6).xid(48)])
        .unwrap();
    let is_xid = |frame: &Frame| frame.data["kind"] == "xid";
    let told = concerned.until(|frame| frame.kind == "event" && is_xid(frame));
    assert_eq!(
        (&told.data["gpu_id"], &told.data["xid"]["code"]),
        (&json!(6), &json!(48))
    );
    let logged = agent.json("/api/v1/events?gpu=6")["events"]
        .as_array()
        .unwrap()
        .clone();
    assert!(logged.contains(&told.data), "{told:?}");
    concerned.snapshot();
    let end = agent.json("/api/v1/gpus")["generation"].as_u64().unwrap();
    let passed = other.until(|frame| {
        assert!(!is_xid(frame), "{frame:?}");
        frame.id > Some(end)
    });
    assert!(passed.generation() > end);
}

#[test]
fn a_gpu_that_hangs_is_shown_and_the_others_move() {
    let simulator = simulator("h100-sxm-8");
    let agent = Agent::ready(simulator.library_path());
    let mut stream = Stream::open(&agent, "?fields=sequence,state", "");
    stream.snapshot();
    simulator
        .set_faults(&[Fault::everywhere().gpu(3).hang()])
        .unwrap();
    let is_hung = |frame: &Frame| frame.data["gpus"][3]["state"] == "hung";
    let told = stream.until(|frame| frame.data["state"] == "hung" || is_hung(frame));
    let first = if told.kind == "event" {
        assert_eq!(told.data["gpu_id"], 3);
        stream.until(is_hung)
    } else {
        told
    };
    let later = (0..20).map(|_| stream.snapshot()).last().unwrap();
    assert!(is_hung(&later));
    for gpu in (0..8).filter(|gpu| *gpu != 3) {
        assert!(later.sequence(gpu) > first.sequence(gpu), "GPU {gpu}");
    }
    assert_eq!(later.sequence(3), first.sequence(3));
}
