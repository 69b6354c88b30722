//! What many connections cost: memory and files of the agent without them, with 10,000 that are idle, with 1,000 more that
//! do not read what they asked for, and after all are gone; and how long others wait meanwhile. `cargo xtask bench crowd`
//! runs it. It judges nothing.

#[path = "../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "written for the tests, which use the rest"
)]
mod support;

#[path = "asking.rs"]
mod asking;
#[path = "soak/usage.rs"]
#[allow(dead_code, reason = "threads do not depend on connections")]
mod usage;

use std::{
    io::{self, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use asking::{ask, request};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{Agent, AgentBuilder, eventually, simulator};
use usage::Usage;

const IDLE: usize = 10_000;
const SLOW: usize = 1_000;

/// Requests of each of those that do not read: more answers than any buffer holds.
const UNREAD: usize = 16;

/// Requests whose latency is measured at each stage.
const ASKED: usize = 1_000;

/// Files of this process beside its connections, and of the agent's.
const OTHERS: u64 = 256;

fn main() {
    raise_limit((IDLE + SLOW) as u64 + OTHERS);
    let simulator = simulator("h100-sxm-8");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("1s")
        .variable("GPULSE_HTTP__MAX_CONNECTIONS", "15000")
        .start();
    agent.wait_until_ready();
    let address = agent.address();
    // What is rendered once is rendered.
    for path in ["/gpu/metrics", "/openapi.json"] {
        assert_eq!(agent.get(path).status, 200);
    }
    println!(
        "/gpu/metrics beside {IDLE} idle connections, and {SLOW} that ask for {UNREAD} answers of 300 kB and read none:\n"
    );
    println!("| | Memory (RSS), KiB | a connection, KiB | Files | p50 | worst |");
    println!("|---|---|---|---|---|---|");
    let before = stage(&agent, "before", None, 1);
    let idle: Vec<TcpStream> = must((0..IDLE).map(|_| be_idle(address)).collect());
    let with_idle = stage(&agent, "with idle ones", Some(&before), IDLE);
    let slow: Vec<TcpStream> = must((0..SLOW).map(|_| read_nothing(address)).collect());
    let since = Stage {
        times: before.times,
        ..with_idle
    };
    stage(&agent, "with slow ones as well", Some(&since), SLOW);
    drop((idle, slow));
    eventually(
        "all are gone",
        || must(Usage::of(agent.pid())).files,
        |files| *files < before.usage.files + OTHERS,
    );
    stage(&agent, "after", Some(&before), 1);
}

/// The agent at one stage.
#[derive(Clone, Copy)]
struct Stage {
    usage: Usage,
    /// Median and worst.
    times: [Duration; 2],
}

/// Measures and prints a stage, as it compares with the one before it. The latencies are compared with those in peace.
fn stage(agent: &Agent, name: &str, before: Option<&Stage>, connections: usize) -> Stage {
    let times = must(latencies(agent.address()));
    let usage = must(Usage::of(agent.pid()));
    let each = before.filter(|_| connections > 1).map_or_else(
        || "–".to_owned(),
        |before| {
            let grown = usage.resident_kib as f64 - before.usage.resident_kib as f64;
            format!("{:.1}", grown / connections as f64)
        },
    );
    let ratio = |place: usize| {
        before.map_or_else(
            || format!("{:.2?}", times[place]),
            |before| {
                format!(
                    "{:.2} ×",
                    times[place].as_secs_f64() / before.times[place].as_secs_f64()
                )
            },
        )
    };
    println!(
        "| {name} | {} | {each} | {} | {} | {} |",
        usage.resident_kib,
        usage.files,
        ratio(0),
        ratio(1)
    );
    Stage { usage, times }
}

/// Median and worst of as many requests on one connection.
fn latencies(address: SocketAddr) -> io::Result<[Duration; 2]> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    stream.get_ref().set_nodelay(true)?;
    let mut times = Vec::with_capacity(ASKED);
    // The first waits for what others have asked for.
    for _ in 0..=ASKED {
        let start = Instant::now();
        ask(&mut stream, "/gpu/metrics")?;
        times.push(start.elapsed());
    }
    times.remove(0);
    times.sort_unstable();
    Ok([times[ASKED / 2], times[ASKED - 1]])
}

/// A connection on which one answer came, and which is kept.
fn be_idle(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    ask(&mut stream, "/health/live")?;
    Ok(stream.into_inner())
}

/// A connection whose answers are not read.
fn read_nothing(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(&request("/openapi.json").repeat(UNREAD))?;
    // It is being answered: but for this byte nothing is read.
    stream.read_exact(&mut [0])?;
    Ok(stream)
}

/// Lets this process, and the agent that it starts, have as many files.
fn raise_limit(files: u64) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.current.max(Some(files)),
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        panic!("{files} files are needed, `ulimit -Hn` says how many there may be: {error}");
    }
}

fn must<T>(outcome: io::Result<T>) -> T {
    outcome.unwrap_or_else(|error| panic!("the agent cannot be asked: {error}"))
}
