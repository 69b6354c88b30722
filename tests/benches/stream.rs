//! What 1,000 streams at one snapshot a second cost: time of a processor, memory of the agent for each, and how long others
//! wait for `/gpu/metrics` beside them; and that a stream whose client has stopped to read changes none of it. `cargo xtask bench stream`
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
#[allow(dead_code, reason = "threads and files do not depend on streams")]
mod usage;

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use asking::ask;
use rustix::{
    param::clock_ticks_per_second,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use support::{Agent, AgentBuilder, eventually, simulator};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use usage::Usage;

const STREAMS: usize = 1_000;

/// How long time of the processor is counted.
const COUNTED: Duration = Duration::from_secs(20);

/// Requests whose latency is measured at each stage, and the pause between two: several intervals of all streams.
const ASKED: usize = 2_000;
const PAUSE: Duration = Duration::from_millis(4);

/// Files of this process beside its connections, and of the agent's.
const OTHERS: u64 = 256;

const STREAM: &[u8] = b"GET /api/v1/stream?interval=1s HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn main() {
    raise_limit(STREAMS as u64 + OTHERS);
    let simulator = simulator("h100-sxm-8");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("1s")
        .variable("GPULSE_HTTP__MAX_CONNECTIONS", "5000")
        .start();
    agent.wait_until_ready();
    let address = agent.address();
    // What is rendered once is rendered.
    let snapshot = agent.get("/api/v1/gpus").body.len();
    println!("{STREAMS} streams of 8 GPUs, one snapshot of {snapshot} bytes a second each:\n");
    println!(
        "| | One core | Snapshots a second | Memory (RSS), KiB | a stream, KiB | /gpu/metrics p50 | p99 |"
    );
    println!("|---|---|---|---|---|---|---|");
    let before = stage(&agent, "without streams", None);
    let received = Arc::new(AtomicU64::new(0));
    read_all(address, Arc::clone(&received));
    eventually(
        "all streams are open",
        || metric(&agent, "gpulse_stream_snapshots_total"),
        |sent| *sent >= 2.0 * STREAMS as f64,
    );
    stage(&agent, "with them", Some(before));
    let stalled = must(stalled(address));
    stage(&agent, "and one that does not read", Some(before));
    let now = metric(&agent, "gpulse_generation");
    must(go_on(stalled, now as u64));
    // What the agent tells of itself is up to a second old.
    let skipped = eventually(
        "what was skipped is told",
        || metric(&agent, "gpulse_stream_snapshots_skipped_total"),
        |skipped| *skipped > 0.0,
    );
    println!(
        "\n{} MB came to those that read; {skipped} snapshots were skipped for the one that did not.",
        received.load(Ordering::Relaxed) / 1_000_000
    );
}

/// Measures and prints a stage; returns the memory.
fn stage(agent: &Agent, name: &str, before: Option<u64>) -> u64 {
    let [p50, p99] = must(latencies(agent.address()));
    let (sent, spent, start) = (
        metric(agent, "gpulse_stream_snapshots_total"),
        processor_time(agent.pid()),
        Instant::now(),
    );
    thread::sleep(COUNTED);
    let took = start.elapsed().as_secs_f64();
    let share = (processor_time(agent.pid()) - spent) / took * 100.0;
    let rate = (metric(agent, "gpulse_stream_snapshots_total") - sent) / took;
    let resident = must(Usage::of(agent.pid())).resident_kib;
    let each = before.map_or_else(
        || "–".to_owned(),
        |before| format!("{:.1}", (resident as f64 - before as f64) / STREAMS as f64),
    );
    println!("| {name} | {share:.1} % | {rate:.0} | {resident} | {each} | {p50:.2?} | {p99:.2?} |");
    resident
}

/// Median and 99th percentile of many requests on one connection.
fn latencies(address: SocketAddr) -> io::Result<[Duration; 2]> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    stream.get_ref().set_nodelay(true)?;
    let mut times = Vec::with_capacity(ASKED);
    for _ in 0..ASKED {
        let start = Instant::now();
        ask(&mut stream, "/gpu/metrics")?;
        times.push(start.elapsed());
        thread::sleep(PAUSE);
    }
    times.sort_unstable();
    Ok([times[ASKED / 2], times[ASKED * 99 / 100]])
}

/// Opens the streams and reads them, on a thread of its own, until the end of this process.
fn read_all(address: SocketAddr, received: Arc<AtomicU64>) {
    thread::spawn(move || {
        let runtime = must(tokio::runtime::Builder::new_current_thread().enable_all().build());
        runtime.block_on(async {
            for _ in 0..STREAMS {
                let received = Arc::clone(&received);
                let mut stream = must(tokio::net::TcpStream::connect(address).await);
                must(stream.write_all(STREAM).await);
                tokio::spawn(async move {
                    let mut room = vec![0; 64 * 1024];
                    loop {
                        match stream.read(&mut room).await {
                            Ok(count) if count > 0 => received.fetch_add(count as u64, Ordering::Relaxed),
                            // The agent ends before this does.
                            Ok(_) | Err(_) => return,
                        };
                    }
                });
                // Clients do not all come at once.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            std::future::pending::<()>().await;
        });
    });
}

/// A stream whose first byte is read, and no more.
fn stalled(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(STREAM)?;
    stream.read_exact(&mut [0])?;
    Ok(stream)
}

/// Reads on up to a snapshot that is not older than this one.
fn go_on(stream: TcpStream, now: u64) -> io::Result<()> {
    let mut count = 0;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let id = line.strip_prefix("id: ").and_then(|id| id.parse::<u64>().ok());
        if id >= Some(now) {
            println!("\nThe one that did not read is up to date after {count} bytes that waited for it.");
            return Ok(());
        }
        count += line.len();
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// A number that the agent tells of itself.
fn metric(agent: &Agent, name: &str) -> f64 {
    let body = agent.get("/metrics").body;
    let text = String::from_utf8_lossy(&body);
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or_else(|| panic!("{name} is not told"))
}

/// Seconds of processors that a process has spent.
fn processor_time(pid: u32) -> f64 {
    let stat = must(fs::read_to_string(format!("/proc/{pid}/stat")));
    // The second field is the name in parentheses, which may itself hold spaces.
    let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
    let ticks = rest.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    ticks as f64 / clock_ticks_per_second() as f64
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
