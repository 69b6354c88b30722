//! How true what gpulse reports is: the agent at its defaults over loads that are known exactly, beside what samples at
//! single moments say of the same GPUs. `cargo xtask bench fidelity` runs it; it fails where gpulse misses its goal.

mod errors;
mod loads;
mod table;

#[path = "../../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "written for the tests, which use the rest"
)]
mod support;

use std::{
    env,
    error::Error,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use nvml_sim::testing::Simulator;

use errors::Errors;
use loads::LOADS;
use support::{Agent, AgentBuilder, Record, Tick, eventually};

/// Several looks a tick, so that none is missed.
const POLL: Duration = Duration::from_millis(200);

const DEFAULT_SECONDS: u64 = 60;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; whether gpulse reaches its goal.
fn run() -> Result<bool, Box<dyn Error>> {
    let seconds = seconds()?;
    let simulator = Simulator::builder(loads::BASE)
        .overrides(&loads::profile())?
        .start()?;
    let library = simulator.library_path().display().to_string();
    let agent = AgentBuilder::default()
        .argument("--nvml-library")
        .argument(&library)
        .start();
    agent.wait_until_ready();
    eprintln!(
        "Watching {} simulated GPUs for {} s.",
        LOADS.len(),
        seconds.as_secs()
    );
    let records = watch(&agent, seconds)?;

    let mut rows = Vec::new();
    for (gpu, record) in records.iter().enumerate() {
        let errors = Errors::of(&simulator, gpu, record);
        rows.push(errors.ok_or_else(|| format!("GPU {gpu} has no two ticks in a row: {record:?}"))?);
    }
    print!("{}", table::render(&rows));
    let missed: u64 = records.iter().map(Record::missed).sum();
    if missed > 0 {
        println!("{missed} ticks were not seen in time by this client, and count for nobody.");
    }
    Ok(table::reaches_the_goals(&rows))
}

/// The length that `--seconds` asks for; cargo itself adds `--bench`.
fn seconds() -> Result<Duration, Box<dyn Error>> {
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(Duration::from_secs(DEFAULT_SECONDS)),
        ["--seconds", seconds] => Ok(Duration::from_secs(seconds.parse()?)),
        _ => Err(format!("{arguments:?}: the only option is --seconds N").into()),
    }
}

/// Takes each tick of each GPU once, as a client does that asks again and again for what is new.
fn watch(agent: &Agent, seconds: Duration) -> Result<Vec<Record>, Box<dyn Error>> {
    let mut tag = String::new();
    let mut look = || -> Result<Vec<Option<Tick>>, Box<dyn Error>> {
        let reply = agent.request("GET", "/api/v1/gpus", &[("if-none-match", &tag)]);
        match reply.status {
            200 => {
                reply.header("etag").clone_into(&mut tag);
                let gpus = reply.json()["gpus"].as_array().cloned().unwrap_or_default();
                Ok(gpus.iter().map(Tick::of).collect())
            }
            304 => Ok(Vec::new()),
            status => Err(format!("/api/v1/gpus answers {status}").into()),
        }
    };
    let is_complete =
        |ticks: &Vec<Option<Tick>>| ticks.len() == LOADS.len() && ticks.iter().all(Option::is_some);
    eventually(
        "every GPU has ticked twice",
        || look().unwrap_or_default(),
        is_complete,
    );
    let mut records = vec![Record::default(); LOADS.len()];
    let start = Instant::now();
    while start.elapsed() < seconds {
        for (gpu, tick) in look()?.into_iter().enumerate() {
            let (Some(tick), Some(record)) = (tick, records.get_mut(gpu)) else {
                return Err(format!("GPU {gpu} is not as it was: its last sample is incomplete").into());
            };
            record.push(tick);
        }
        thread::sleep(POLL);
    }
    Ok(records)
}
