//! Faults, scrapes and changes of the node at random for as long as is asked for: `cargo xtask soak --minutes N`. What must hold,
//! holds at every look, and at the end the agent is as large as it was after it had warmed up.

mod hangs;
mod invariants;
mod usage;

#[path = "../faults/rows.rs"]
#[allow(dead_code, reason = "what is to be seen of a fault is not looked at here")]
mod rows;
#[path = "../../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "written for the tests, which use the rest"
)]
mod support;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use nvml_sim::testing::Simulator;

use invariants::Invariants;
use support::{Agent, AgentBuilder};
use usage::Usage;

const TICK: Duration = Duration::from_millis(100);

/// Clients that ask without a pause in between.
const CLIENTS: u64 = 4;

/// The share of the time in which the agent warms up: allocators and caches find their size.
const WARM_UP: f64 = 0.3;

/// What the agent may have grown by after that.
const GROWTH_KIB: u64 = 1_024;

/// What all is well again within, once the last fault is over.
const PATIENCE: Duration = Duration::from_secs(60);

/// What clients ask for.
const ROUTES: [&str; 12] = [
    "/gpu/info",
    "/gpu/metrics",
    "/gpu/metrics/0",
    "/gpu/metrics/1",
    "/api/v1/gpus",
    "/api/v1/gpus?fields=power,load.gpu_percent",
    "/api/v1/gpus/3",
    "/api/v1/processes",
    "/api/v1/topology",
    "/api/v1/host",
    "/api/v1/events?limit=50",
    "/health/detailed",
];

fn main() -> ExitCode {
    let number = |name: &str, otherwise: f64| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
        arguments
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(otherwise)
    };
    let time = Duration::from_secs_f64(number("--minutes", 1.0) * 60.0);
    let seed = number("--seed", 1.0) as u64;
    let hangs = number("--hangs", 0.0) as u64;
    let broken = if hangs > 0 {
        hangs::play(hangs)
    } else {
        soak(time, seed)
    };
    for line in &broken {
        eprintln!("BROKEN: {line}");
    }
    println!("{} invariants broken.", broken.len());
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn soak(time: Duration, seed: u64) -> Vec<String> {
    let simulator = Simulator::builder("h100-sxm-8")
        .seed(seed)
        .overrides("count = 4")
        .and_then(nvml_sim::testing::Builder::start)
        .unwrap_or_else(|error| panic!("{error}"));
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("100ms")
        .variable("GPULSE_SAMPLER__SLOW_INTERVAL", "300ms")
        .variable("GPULSE_SAMPLER__DEADLINE", "500ms")
        .variable("GPULSE_SAMPLER__STALE_AFTER", "1s")
        .variable("GPULSE_NVML__RETRY_FIRST", "50ms")
        .variable("GPULSE_NVML__RETRY_MAX", "500ms")
        .start();
    agent.wait_until_ready();
    println!(
        "{} s of faults and scrapes at random, seed {seed}.",
        time.as_secs()
    );

    let (done, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut broken = Vec::new();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (agent, done, asked) = (&agent, &done, &asked);
                scope.spawn(move || ask(agent, Chance(seed ^ client << 32 | 1), done, asked))
            })
            .collect();
        broken.extend(trouble(&simulator, &agent, time, Chance(seed | 1)));
        done.store(true, Ordering::Relaxed);
        for client in clients {
            broken.extend(
                client
                    .join()
                    .unwrap_or_else(|_| vec!["a client panicked".to_owned()]),
            );
        }
    });
    println!("{} requests answered.", asked.load(Ordering::Relaxed));
    broken
}

/// Asks for one route after the other. What is not as it has to be, each thing once.
fn ask(agent: &Agent, mut chance: Chance, done: &AtomicBool, asked: &AtomicU64) -> Vec<String> {
    let (mut invariants, mut broken) = (Invariants::default(), Vec::new());
    while !done.load(Ordering::Relaxed) && broken.len() < 5 {
        let route = ROUTES[chance.below(ROUTES.len())];
        let reply = agent.get(route);
        asked.fetch_add(1, Ordering::Relaxed);
        if ![200, 404, 500, 503].contains(&reply.status) {
            broken.push(format!("{route} answers {}", reply.status));
            continue;
        }
        if let Err(wrong) = invariants.look(route, &reply.json()) {
            broken.push(wrong);
        }
        thread::sleep(TICK / 20);
    }
    broken
}

/// Plants one fault after the other until the time is over, and compares the agent at the end with how it was warm.
fn trouble(simulator: &Simulator, agent: &Agent, time: Duration, mut chance: Chance) -> Vec<String> {
    let rows = rows::all();
    let (start, mut warm, mut planted) = (Instant::now(), None, 0);
    while start.elapsed() < time {
        let row = &rows[chance.below(rows.len())];
        if let Err(error) = simulator.set_faults(&row.faults) {
            return vec![error.to_string()];
        }
        planted += 1;
        thread::sleep(TICK * (1 + chance.below(15)) as u32);
        if let Err(error) = simulator.clear_faults() {
            return vec![error.to_string()];
        }
        thread::sleep(TICK * chance.below(10) as u32);
        if warm.is_none() && start.elapsed() >= time.mul_f64(WARM_UP) {
            warm = settled(agent).then(|| Usage::of(agent.pid()));
        }
    }
    let well = settled(agent);
    let (warm, end) = (
        warm.unwrap_or_else(|| Usage::of(agent.pid())),
        Usage::of(agent.pid()),
    );
    println!("{planted} faults planted.");
    println!("| | Memory (RSS), KiB | Threads | Files |");
    println!("|---|---|---|---|");
    println!(
        "| warm | {} | {} | {} |",
        warm.resident_kib, warm.threads, warm.files
    );
    println!(
        "| at the end | {} | {} | {} |",
        end.resident_kib, end.threads, end.files
    );
    let mut broken = Vec::new();
    if !well {
        broken.push(format!("not all is well at the end: {}", agent.json("/gpu/info")));
    }
    if end.resident_kib > warm.resident_kib + GROWTH_KIB {
        broken.push(format!(
            "memory grew by {} KiB",
            end.resident_kib - warm.resident_kib
        ));
    }
    // A thread that has just been told to end, and a connection that is being closed, may still be there.
    if end.threads > warm.threads + 2 || end.files > warm.files + 4 {
        broken.push(format!("threads or files grew: {warm:?}, {end:?}"));
    }
    broken
}

/// Whether every GPU is well again within a while, and threads that were given up have ended.
fn settled(agent: &Agent) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let info = agent.json("/gpu/info");
        let gpus = info["gpus"].as_array();
        if gpus.is_some_and(|gpus| gpus.len() == 4 && gpus.iter().all(|gpu| gpu["state"] == "ok")) {
            thread::sleep(Duration::from_secs(2));
            return true;
        }
        thread::sleep(TICK);
    }
    false
}

/// Numbers at random that are the same for the same seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}
