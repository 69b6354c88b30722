//! Many connections that do nothing, or read slowly: others are answered meanwhile, and memory stays bounded.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::small;
use crate::support::{Agent, connect};

/// How many connections there are.
struct Crowd {
    idle: usize,
    slow: usize,
    /// How often the agent is asked meanwhile.
    asked: usize,
}

/// What it took.
#[derive(Debug)]
struct Cost {
    before: u64,
    after: u64,
    /// The first answer waits for what the crowd has asked for.
    first: Duration,
    median: Duration,
    /// But for the first.
    worst: Duration,
}

/// Resident memory of a process, in bytes.
fn resident(agent: &Agent) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", agent.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn endure(crowd: &Crowd) -> Cost {
    let (_simulator, builder) = small();
    let agent = builder.variable("GPULSE_HTTP__MAX_CONNECTIONS", "15000").start();
    agent.wait_until_ready();
    // What is rendered once is rendered.
    assert_eq!(agent.get("/api/v1/gpus").status, 200);
    let before = resident(&agent);
    let idle: Vec<TcpStream> = (0..crowd.idle)
        .map(|_| {
            let mut stream = connect(agent.address());
            stream
                .write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
                .unwrap();
            assert!(stream.read(&mut [0; 512]).unwrap() > 0);
            stream
        })
        .collect();
    // More answers than any buffer holds, of which none is read.
    let request = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(16);
    let slow: Vec<TcpStream> = (0..crowd.slow)
        .map(|_| {
            let mut stream = connect(agent.address());
            stream.write_all(&request).unwrap();
            stream
        })
        .collect();
    let mut times: Vec<_> = (0..=crowd.asked)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(agent.get("/gpu/metrics").status, 200);
            start.elapsed()
        })
        .collect();
    let first = times.remove(0);
    times.sort();
    let after = resident(&agent);
    drop((idle, slow));
    Cost {
        before,
        after,
        first,
        median: times[times.len() / 2],
        worst: times[times.len() - 1],
    }
}

/// A connection costs its two buffers, and one whose answer is not read some slices of it, but no copy of the whole.
fn bound(crowd: &Crowd) -> u64 {
    (crowd.idle as u64) * 32 * 1024 + (crowd.slow as u64) * 192 * 1024 + 64 * 1024 * 1024
}

fn assert_bounded(crowd: &Crowd) {
    let cost = endure(crowd);
    println!(
        "{} idle and {} slow connections: {} MiB before, {} MiB with them; /gpu/metrics takes {:?} behind all that they \
         ask for, then {:?} in the median and {:?} at worst",
        crowd.idle,
        crowd.slow,
        cost.before >> 20,
        cost.after >> 20,
        cost.first,
        cost.median,
        cost.worst
    );
    assert!(cost.after < cost.before + bound(crowd), "{cost:?}");
}

#[test]
fn a_small_crowd_leaves_others_served_and_memory_bounded() {
    assert_bounded(&Crowd {
        idle: 200,
        slow: 50,
        asked: 20,
    });
}

#[test]
#[ignore = "opens 11,000 connections on this host: `ulimit -n 20000; cargo test -p gpulse-e2e crowd -- --ignored --nocapture`"]
fn a_large_crowd_leaves_others_served_and_memory_bounded() {
    assert_bounded(&Crowd {
        idle: 10_000,
        slow: 1_000,
        asked: 200,
    });
}
