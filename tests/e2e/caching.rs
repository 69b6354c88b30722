//! Requests read the cache: they cost the driver nothing and the agent one rendering per generation.

use std::io::Read;

use nvml_sim::testing::Simulator;

use crate::support::{Agent, AgentBuilder, eventually, request, simulator};

/// Calls so far, but for those that are made again and again and for nobody's request: the wait for events, and the question
/// whether the driver is still there.
fn calls(simulator: &Simulator) -> u64 {
    let own = ["nvmlEventSetWait_v2", "nvmlDeviceGetCount_v2"];
    let waits = || own.map(|call| simulator.calls_anywhere(call)).iter().sum::<u64>();
    let look = || (waits(), simulator.total_calls(), waits());
    let (before, total, _) = eventually("none begins between two looks", look, |(before, _, after)| {
        before == after
    });
    total - before
}

#[test]
fn a_thousand_requests_cause_not_one_nvml_call() {
    let simulator = simulator("a100-pcie-4");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("1h")
        .start();
    agent.wait_until_ready();
    eventually(
        "all is registered for events",
        || {
            agent.json("/api/v1/events")["counters"]["gpus"]
                .as_array()
                .unwrap()
                .clone()
        },
        |gpus| gpus.iter().all(|gpu| gpu["unwatched"].is_null()),
    );
    let before = calls(&simulator);
    assert!(before > 0, "the simulator counts calls");
    let paths = [
        "/gpu/metrics",
        "/gpu/metrics/0",
        "/gpu/info",
        "/health/detailed",
        "/api/v1/events",
    ];
    for path in paths.iter().cycle().take(1_000) {
        assert_eq!(agent.get(path).status, 200);
    }
    assert_eq!(calls(&simulator), before);
}

#[test]
fn the_same_generation_is_not_sent_twice_to_a_client_that_has_it() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("1h")
        .start();
    agent.wait_until_ready();
    for path in ["/gpu/metrics", "/gpu/metrics/0", "/gpu/info"] {
        let first = agent.get(path);
        let tag = first.header("etag").to_owned();
        assert!(!tag.is_empty(), "{path}");
        assert_eq!(first.header("cache-control"), "no-cache");
        assert_eq!(
            agent.get(path).header("etag"),
            tag,
            "{path}: a generation keeps its tag"
        );
        for condition in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            let again = agent.request("GET", path, &[("if-none-match", &condition)]);
            assert_eq!((again.status, again.body.len()), (304, 0), "{path}: {condition}");
            assert_eq!(again.header("etag"), tag);
        }
        assert_eq!(
            agent
                .request("GET", path, &[("if-none-match", "\"other\"")])
                .status,
            200
        );
    }
}

#[test]
fn a_new_generation_has_a_new_tag() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    let tag = agent.get("/gpu/metrics").header("etag").to_owned();
    eventually(
        "a new generation is sent to a client that has the old one",
        || {
            agent
                .request("GET", "/gpu/metrics", &[("if-none-match", &tag)])
                .status
        },
        |status| *status == 200,
    );
}

#[test]
fn a_body_is_the_same_in_every_encoding() {
    let simulator = simulator("h100-sxm-8");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("1h")
        .start();
    agent.wait_until_ready();
    let plain = agent.get("/gpu/metrics");
    assert!(plain.header("vary").to_lowercase().contains("accept-encoding"));
    let encoded = |coding: &str| {
        let reply = request("GET", &agent.url("/gpu/metrics"), &[("accept-encoding", coding)]);
        assert_eq!(reply.status, 200, "{coding}");
        reply
    };
    let gzip = encoded("gzip");
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&gzip.body[..])
        .read_to_end(&mut text)
        .unwrap();
    assert_eq!(text, plain.body);
    let zstd = encoded("zstd, gzip;q=0.5");
    assert_eq!(zstd.header("content-encoding"), "zstd");
    assert_eq!(zstd::decode_all(&zstd.body[..]).unwrap(), plain.body);
    assert_ne!(gzip.header("etag"), zstd.header("etag"));
    assert_ne!(gzip.header("etag"), plain.header("etag"));
    assert_eq!(
        encoded("br").header("content-encoding"),
        "",
        "what is not offered is sent plain"
    );
    assert_eq!(
        encoded("gzip;q=0").header("content-encoding"),
        "",
        "what is refused is not sent"
    );
}
