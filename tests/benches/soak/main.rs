//! Faults, scrapes, streams, pushes and changes by an operator at random for as long as is asked for: `cargo xtask soak --minutes N`.
//! What must hold, holds at every look, and at the end the agent is as large as it was after it had warmed up: it is measured at rest,
//! because what waits for clients and receivers that are slow comes and goes.

mod chance;
mod client;
mod hangs;
mod invariants;
mod listener;
mod load;
mod sink;
mod trouble;
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
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use nvml_sim::testing::Simulator;

use chance::Chance;
use client::Client;
use load::Load;
use sink::Sink;
use support::AgentBuilder;
use trouble::Tokens;

const TICK: Duration = Duration::from_millis(100);

/// Clients that ask without a pause in between.
const CLIENTS: u64 = 4;

/// Clients that listen to the stream.
const LISTENERS: u64 = 3;

/// After which shares of the time the agent is measured at rest and warm: the allocator and caches find their size, which takes
/// some minutes.
const WARM: [f64; 3] = [0.5, 0.56, 0.62];

/// After which shares it is measured again, to be compared with that.
const AT_THE_END: [f64; 3] = [0.88, 0.94, 1.0];

/// How long it takes at least until it is warm: memory of shorter runs is shown, and not compared.
const WARM_AFTER: Duration = Duration::from_secs(300);

/// What the agent may have grown by after that.
const GROWTH_KIB: u64 = 1_024;

/// What all is well again within, once the last fault is over.
const PATIENCE: Duration = Duration::from_secs(60);

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
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let load = Arc::new(Load::default());
    let sink = Sink::start(seed, &load).unwrap_or_else(|error| panic!("{error}"));
    let (token, line) = token("soak", "read,metrics,admin");
    let tokens = Tokens {
        path: &directory.path().join("tokens"),
        lines: line,
    };
    tokens.write(0).unwrap_or_else(|error| panic!("{error}"));
    let mut agent = AgentBuilder::over(simulator.library_path());
    for (name, value) in environment() {
        agent = agent.variable(name, value);
    }
    let agent = agent
        .interval("100ms")
        .variable("GPULSE_SAMPLER__SLOW_INTERVAL", "300ms")
        .variable("GPULSE_SAMPLER__DEADLINE", "500ms")
        .variable("GPULSE_SAMPLER__STALE_AFTER", "1s")
        .variable("GPULSE_NVML__RETRY_FIRST", "50ms")
        .variable("GPULSE_NVML__RETRY_MAX", "500ms")
        .variable("GPULSE_AUTH__TOKENS_FILE", &tokens.path.display().to_string())
        // A history that is as large as it may be before the agent is warm, and written all the time.
        .variable("GPULSE_HISTORY__MAX_BYTES", "1048576")
        .variable("GPULSE_HISTORY__KEEP_1S", "1m")
        .variable("GPULSE_HISTORY__KEEP_10S", "1m")
        .variable("GPULSE_HISTORY__KEEP_1MIN", "1m")
        .variable("GPULSE_HISTORY__DIRECTORY", &directory.path().join("history").display().to_string())
        .variable("GPULSE_HISTORY__FLUSH_INTERVAL", "1s")
        .variable("GPULSE_OTLP__ENDPOINT", &sink.url("/v1/metrics"))
        .variable("GPULSE_OTLP__PROTOCOL", "http")
        .variable("GPULSE_OTLP__INTERVAL", "1s")
        .variable("GPULSE_OTLP__TIMEOUT", "1s")
        .variable("GPULSE_OTLP__BUFFER_BYTES", "1048576")
        .variable("GPULSE_REMOTE_WRITE__ENDPOINT", &sink.url("/api/v1/write"))
        .variable("GPULSE_REMOTE_WRITE__INTERVAL", "1s")
        .variable("GPULSE_REMOTE_WRITE__TIMEOUT", "1s")
        .variable("GPULSE_REMOTE_WRITE__BUFFER_BYTES", "1048576")
        .start();
    println!(
        "{} s of faults, scrapes, streams, pushes and changes at random, seed {seed}.",
        time.as_secs()
    );

    let mut broken = Vec::new();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (client, load) = (Client::new(&agent, &token), &load);
                scope.spawn(move || client.ask(Chance::new(seed ^ number << 32), load))
            })
            .collect();
        let listeners: Vec<_> = (0..LISTENERS)
            .map(|number| {
                let (agent, token, load) = (&agent, &token, &load);
                let chance = Chance::new(seed ^ number << 40);
                scope.spawn(move || listener::listen(agent, token, chance, load))
            })
            .collect();
        let operator = Client::new(&agent, &token);
        broken.extend(trouble::make(
            &simulator,
            &operator,
            &tokens,
            &load,
            time,
            Chance::new(seed),
        ));
        load.end();
        for client in clients.into_iter().chain(listeners) {
            broken.extend(
                client
                    .join()
                    .unwrap_or_else(|_| vec!["a client panicked".to_owned()]),
            );
        }
    });
    let (taken, refused) = sink.counts();
    println!(
        "{} requests answered, {} frames of streams read; {taken} pushes taken, {refused} refused.",
        load.answers.load(Ordering::Relaxed),
        load.frames.load(Ordering::Relaxed)
    );
    if taken == 0 || refused == 0 {
        broken.push("the receiver was not pushed to".to_owned());
    }
    broken
}

/// What the unit in `packaging` sets: the agent is measured as it runs there.
fn environment() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = include_str!("../../../packaging/gpulse.service").lines();
    let settings = lines.filter_map(|line| line.strip_prefix("Environment="));
    settings
        .flat_map(str::split_whitespace)
        .filter_map(|setting| setting.split_once('='))
}

/// A fresh token and its line, by the agent's own command.
fn token(name: &str, scopes: &str) -> (String, String) {
    let command = AgentBuilder::default()
        .argument("--name")
        .argument(name)
        .argument("--scopes")
        .argument(scopes)
        .command("token")
        .output()
        .unwrap_or_else(|error| panic!("{error}"));
    let shown = String::from_utf8_lossy(&command.stderr).into_owned();
    let token = shown.lines().find(|line| line.starts_with("gpulse_"));
    let token = token.unwrap_or_else(|| panic!("no token: {shown}"));
    (
        token.to_owned(),
        String::from_utf8_lossy(&command.stdout).into_owned(),
    )
}
