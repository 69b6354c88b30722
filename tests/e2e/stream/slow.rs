//! Clients that do not read, many of them, and the end of the agent.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
};

use rcgen::ExtendedKeyUsagePurpose;
use rustix::process::Signal;
use serde_json::Value;

use super::Stream;
use crate::{
    shutdown::{GRACE, SLACK},
    support::{Agent, AgentBuilder, Authority, eventually, simulator, skipped},
};

/// A number that the agent tells of itself.
fn metric(agent: &Agent, name: &str) -> u64 {
    let text = String::from_utf8(agent.get("/metrics").body).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap().parse::<f64>().unwrap() as u64
}

#[test]
fn who_stands_still_changes_nothing_for_others_and_goes_on_with_the_latest() {
    let simulator = simulator("h100-16");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("50ms")
        .start();
    agent.wait_until_ready();
    let mut stalled = Stream::open(&agent, "?events=false", "");
    let mut reading = Stream::open(&agent, "?events=false", "");
    let mut last = stalled.snapshot();
    let (mut read, mut seen, mut sent) = (0, 0, 0);
    // What the kernel takes for it is full once what is sent goes to the one that reads.
    loop {
        let before = sent;
        for _ in 0..20 {
            let next = reading.snapshot().generation();
            assert!(next > seen);
            seen = next;
            read += 1;
        }
        sent = metric(&agent, "gpulse_stream_snapshots_total") - read;
        // One or two may be under way.
        if sent <= before + 2 {
            break;
        }
    }
    let now = agent.json("/api/v1/gpus")["generation"].as_u64().unwrap();
    // What the kernel held comes first, then what is of now.
    let resumed = loop {
        let next = stalled.snapshot();
        if next.sequence(0) >= last.sequence(0) + 10 {
            break next;
        }
        last = next;
    };
    assert!(
        resumed.generation() >= now,
        "{} is before {now}",
        resumed.generation()
    );
    assert!(metric(&agent, "gpulse_stream_snapshots_skipped_total") >= 9);
    assert_eq!(metric(&agent, "gpulse_streams"), 2);
}

#[test]
fn a_client_that_goes_is_no_longer_counted() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    let streams: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = Stream::open(&agent, "", "");
            stream.snapshot();
            stream
        })
        .collect();
    assert_eq!(metric(&agent, "gpulse_streams"), 50);
    drop(streams);
    eventually(
        "all are gone",
        || metric(&agent, "gpulse_streams"),
        |open| *open == 0,
    );
}

#[test]
fn streams_end_with_the_agent_and_do_not_hold_it_back() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SHUTDOWN_GRACE", "10m")
        .start();
    agent.wait_until_ready();
    let mut streams: Vec<_> = (0..10)
        .map(|_| {
            let mut stream = Stream::open(&agent, "", "");
            stream.snapshot();
            stream
        })
        .collect();
    let reading = thread::spawn(move || {
        for stream in &mut streams {
            while stream.frame().is_some() {}
        }
    });
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
    assert!(ended.took < GRACE + SLACK, "it took {:?}", ended.took);
    reading.join().unwrap();
}

#[test]
fn it_streams_over_tls_and_http2_as_well() {
    let has_http2 = Command::new("curl")
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("HTTP2"));
    if !has_http2 {
        return skipped("curl with HTTP/2 is not installed");
    }
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path(), "authority");
    let (certificate, key) = authority.issue("agent", ExtendedKeyUsagePurpose::ServerAuth);
    let simulator = simulator("h100-sxm-8");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_TLS__CERTIFICATE", certificate.to_str().unwrap())
        .variable("GPULSE_TLS__KEY", key.to_str().unwrap())
        .variable("GPULSE_SHUTDOWN_GRACE", "10m")
        .start();
    let mut curl = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--no-buffer",
            "--include",
            "--http2",
            "--cacert",
        ])
        .arg(directory.path().join("authority-ca.pem"))
        .arg(format!("https://{}/api/v1/stream", agent.address()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(curl.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert_eq!(lines.next().unwrap().trim_end(), "HTTP/2 200");
    let mut generations = lines
        .by_ref()
        .filter_map(|line| line.strip_prefix("id: ")?.parse::<u64>().ok());
    let first = generations.next().unwrap();
    let later = generations.nth(20).unwrap();
    assert!(later > first);
    let reading = thread::spawn(move || lines.last());
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.took < GRACE + SLACK, "it took {:?}", ended.took);
    reading.join().unwrap();
    assert!(curl.wait().unwrap().success(), "the stream ends as it should");
}

#[test]
fn a_stream_asks_for_the_scope_that_reading_asks_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens");
    let (reader, first) = crate::security::token("reader", "read");
    let (scraper, second) = crate::security::token("scraper", "metrics");
    std::fs::write(&file, format!("{first}\n{second}")).unwrap();
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_AUTH__TOKENS_FILE", file.to_str().unwrap())
        .start();
    agent.wait_until_ready();
    let with = |token: &str| format!("Bearer {token}");
    assert_eq!(agent.get("/api/v1/stream").status, 401);
    let refused = agent.request("GET", "/api/v1/stream", &[("authorization", &with(&scraper))]);
    assert_eq!(refused.status, 403);
    let mut stream = Stream::open(&agent, "", &format!("authorization: {}\r\n", with(&reader)));
    assert_ne!(stream.snapshot().data["gpus"], Value::Null);
}
