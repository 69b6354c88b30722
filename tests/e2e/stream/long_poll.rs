//! `?wait_for=`: answers that wait for something newer.

use std::{thread, time::Duration};

use rustix::process::Signal;

use crate::{
    shutdown::{GRACE, SLACK},
    support::{Agent, AgentBuilder, connect, get, rest, simulator, status},
};

#[test]
fn each_answer_is_newer_than_the_one_before() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    for path in ["/gpu/metrics", "/api/v1/gpus", "/api/v1/gpus/0"] {
        let mut seen = 0;
        for _ in 0..10 {
            let answer = agent.json(&format!("{path}?wait_for={seen}"));
            let generation = answer["generation"].as_u64().unwrap();
            assert!(generation > seen, "{path}");
            seen = generation;
        }
    }
    for path in ["/gpu/info", "/gpu/metrics/0"] {
        let generation = agent.json("/gpu/metrics")["generation"].clone();
        assert_eq!(agent.get(&format!("{path}?wait_for={generation}")).status, 200);
        assert!(agent.json("/gpu/metrics")["generation"].as_u64() > generation.as_u64());
    }
    assert_eq!(agent.get("/gpu/metrics?wait_for=x").status, 422);
}

#[test]
fn where_nothing_is_newer_it_is_answered_after_the_time_that_was_given() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("10m")
        .variable("GPULSE_KUBERNETES__POD_RESOURCES_SOCKET", "")
        .start();
    agent.wait_until_ready();
    let generation = agent.json("/gpu/metrics")["generation"].clone();
    let answer = agent.json(&format!("/gpu/metrics?wait_for={generation}&wait=300ms"));
    assert!(answer["generation"].as_u64() >= generation.as_u64());
}

#[test]
fn who_waits_is_answered_when_the_agent_ends() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("10m")
        .variable("GPULSE_SHUTDOWN_GRACE", "10m")
        .start();
    agent.wait_until_ready();
    let generation = agent.json("/gpu/metrics")["generation"].clone();
    let (address, path) = (
        agent.address(),
        format!("/gpu/metrics?wait_for={generation}&wait=60s"),
    );
    let waiting = thread::spawn(move || {
        use std::io::Write as _;
        let mut stream = connect(address);
        stream.write_all(&get(&path, "")).unwrap();
        rest(&mut stream)
    });
    crate::support::eventually(
        "the request waits",
        || String::from_utf8(agent.get("/metrics").body).unwrap(),
        |text| text.contains("\ngpulse_http_requests_in_flight 2\n"),
    );
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0));
    assert!(
        ended.took < GRACE + SLACK + Duration::from_secs(1),
        "it took {:?}",
        ended.took
    );
    assert_eq!(status(&waiting.join().unwrap()), 200);
}
