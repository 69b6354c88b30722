//! What a GPU that hangs for ever costs those who ask: latencies of an agent with one of eight GPUs hung, as a ratio to those of
//! a healthy agent, beside the same ratio of two healthy agents. `cargo xtask bench hung` runs it. It judges nothing.

#[path = "../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "written for the tests, which use the rest"
)]
mod support;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use nvml_sim::{faults::Fault, testing::Simulator};

use support::{Agent, AgentBuilder, eventually, simulator};

const CLIENTS: usize = 32;

/// The agents take turns, so that what else the machine does meets them alike.
const ROUNDS: usize = 21;

/// Requests of a client in a round.
const REQUESTS: usize = 200;

const REQUEST: &[u8] = b"GET /gpu/metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn main() {
    let worlds = ["healthy", "healthy too", "GPU 3 of 8 hung"].map(|name| (name, world(name)));
    println!("/gpu/metrics, {CLIENTS} clients, {ROUNDS} rounds of {REQUESTS} requests each:\n");
    let mut rounds: [Vec<Latencies>; 3] = Default::default();
    for first in 0..ROUNDS {
        // Who comes first changes, since that alone makes a difference.
        for turn in 0..worlds.len() {
            let place = (first + turn) % worlds.len();
            let (_, (_, agent)) = &worlds[place];
            rounds[place].push(round(agent.address()));
        }
    }
    let medians = rounds.map(|rounds| Latencies {
        p50: median(rounds.iter().map(|round| round.p50)),
        p99: median(rounds.iter().map(|round| round.p99)),
    });
    let [healthy, ..] = &medians;
    println!("| Agent | p50 | p99 | p50 to healthy | p99 to healthy |");
    println!("|---|---|---|---|---|");
    for ((name, _), now) in worlds.iter().zip(&medians) {
        println!(
            "| {name} | {:.2?} | {:.2?} | {:.2} | {:.2} |",
            now.p50,
            now.p99,
            now.p50.as_secs_f64() / healthy.p50.as_secs_f64(),
            now.p99.as_secs_f64() / healthy.p99.as_secs_f64(),
        );
    }
}

/// Eight GPUs and an agent, and a hang if that is its name.
fn world(name: &str) -> (Simulator, Agent) {
    let simulator = simulator("h100-sxm-8");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("1s")
        .start();
    agent.wait_until_ready();
    if name.ends_with("hung") {
        simulator
            .set_faults(&[Fault::everywhere().gpu(3).hang()])
            .unwrap_or_else(|error| panic!("{error}"));
        eventually(
            "GPU 3 is hung",
            || agent.json("/gpu/info")["gpus"][3]["state"].clone(),
            |state| state == "hung",
        );
    }
    (simulator, agent)
}

/// How long answers took.
struct Latencies {
    p50: Duration,
    p99: Duration,
}

/// All clients ask at once, each as fast as it is answered.
fn round(address: SocketAddr) -> Latencies {
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(move || client(address)))
            .collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap_or_else(|_| panic!("a client failed")))
            .collect()
    });
    times.sort_unstable();
    Latencies {
        p50: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
    }
}

/// Asks over one connection, and says how long each answer took.
fn client(address: SocketAddr) -> Vec<Duration> {
    let ask = || -> std::io::Result<Vec<Duration>> {
        let mut stream = BufReader::new(TcpStream::connect(address)?);
        stream.get_ref().set_nodelay(true)?;
        let mut times = Vec::with_capacity(REQUESTS);
        for _ in 0..REQUESTS {
            let start = Instant::now();
            stream.get_mut().write_all(REQUEST)?;
            let mut body = vec![0; length(&mut stream)?];
            stream.read_exact(&mut body)?;
            times.push(start.elapsed());
        }
        Ok(times)
    };
    ask().unwrap_or_else(|error| panic!("an answer did not come: {error}"))
}

/// Reads the head of an answer that has to be a good one, and gives the length of its body.
fn length(stream: &mut BufReader<TcpStream>) -> std::io::Result<usize> {
    let (mut line, mut length) = (String::new(), 0);
    stream.read_line(&mut line)?;
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            None => return Ok(length),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap_or_else(|_| panic!("{line}"));
            }
            Some(_) => {}
        }
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}
