//! What happens to the agent: faults of GPUs and driver, and an operator who changes his mind.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use nvml_sim::testing::Simulator;
use rustix::process::Signal;

use super::{
    GROWTH_KIB, PATIENCE, TICK, WARM_AFTER, WARM_UP, chance::Chance, client::Client, load::Load, rows,
    usage::Usage,
};

/// How long all rest before the agent is measured: until receivers have taken what waits, and what is kept for clients that come
/// back is forgotten.
const REST: Duration = Duration::from_secs(20);

/// How often it is measured then; the least counts, beside which something of the moment was under way.
const LOOKS: u32 = 20;

/// What is to hold once more before the agent is measured.
const GPUS: usize = 4;

/// The file of tokens, and what has to stand in it.
pub(crate) struct Tokens<'a> {
    pub(crate) path: &'a Path,
    pub(crate) lines: String,
}

impl Tokens<'_> {
    /// Writes the file anew: with another guest each time, whom nobody knows otherwise.
    pub(crate) fn write(&self, guest: u64) -> io::Result<()> {
        let text = format!("{}read guest{guest} sha256:{guest:064x}\n", self.lines);
        fs::write(self.path, text)
    }
}

/// Makes trouble until `time` is over, and compares the agent at the end with how it was warm. What is not as it has to be.
pub(crate) fn make(
    simulator: &Simulator,
    operator: &Client<'_>,
    tokens: &Tokens<'_>,
    load: &Load,
    time: Duration,
    mut chance: Chance,
) -> Vec<String> {
    let rows = rows::all();
    if let Err(error) = fill_the_log(simulator, operator, &rows) {
        return vec![error];
    }
    let (start, mut warm, mut planted, mut changes) = (Instant::now(), None, 0, 0);
    while start.elapsed() < time {
        let row = &rows[chance.below(rows.len())];
        if let Err(error) = simulator.set_faults(&row.faults) {
            return vec![error.to_string()];
        }
        planted += 1;
        if chance.below(4) == 0 {
            changes += 1;
            if let Err(error) = change(operator, tokens, changes, &mut chance) {
                return vec![error];
            }
        }
        thread::sleep(TICK * (1 + chance.below(15)) as u32);
        if let Err(error) = simulator.clear_faults() {
            return vec![error.to_string()];
        }
        thread::sleep(TICK * chance.below(10) as u32);
        if warm.is_none() && start.elapsed() >= time.mul_f64(WARM_UP) {
            warm = at_rest(operator, load);
        }
    }
    let end = at_rest(operator, load);
    let Some(end) = end else {
        return vec![format!(
            "not all is well at the end: {}",
            operator.json("/gpu/info")
        )];
    };
    let Some(warm) = warm else {
        return vec!["all was never well once the agent was warm: give it more minutes".to_owned()];
    };
    println!("{planted} faults planted, {changes} changes by the operator.");
    println!("| | Memory (RSS), KiB | Threads | Files |");
    println!("|---|---|---|---|");
    for (name, usage) in [("warm", warm), ("at the end", end)] {
        let Usage {
            resident_kib,
            threads,
            files,
        } = usage;
        println!("| {name} | {resident_kib} | {threads} | {files} |");
    }
    let mut broken = Vec::new();
    if time.mul_f64(WARM_UP) < WARM_AFTER {
        println!("Memory is not compared: the agent is warm after five minutes, so give it ten.");
    } else if end.resident_kib > warm.resident_kib + GROWTH_KIB {
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

/// Fills the log of events, which otherwise would, or would not, be full before the agent is warm.
fn fill_the_log(simulator: &Simulator, operator: &Client<'_>, rows: &[rows::Row]) -> Result<(), String> {
    let events = |row: &&rows::Row| match row.seen {
        rows::Seen::Events(_, many) => many,
        _ => 0,
    };
    let storm = rows.iter().max_by_key(events).ok_or("there are no faults")?;
    simulator
        .set_faults(&storm.faults)
        .map_err(|error| error.to_string())?;
    let start = Instant::now();
    let is_full = || operator.json("/api/v1/events?limit=1")["oldest"].as_u64() > Some(1);
    while !is_full() {
        if start.elapsed() > PATIENCE {
            return Err("the log of events does not fill".to_owned());
        }
        thread::sleep(TICK);
    }
    simulator.clear_faults().map_err(|error| error.to_string())
}

/// One change by the operator: the GPUs are let go and taken again, or other clients may ask.
fn change(
    operator: &Client<'_>,
    tokens: &Tokens<'_>,
    number: u64,
    chance: &mut Chance,
) -> Result<(), String> {
    if chance.below(2) == 0 {
        tokens.write(number).map_err(|error| error.to_string())?;
        operator.agent.signal(Signal::HUP);
        return Ok(());
    }
    for (path, pause) in [
        ("/api/v1/admin/park", chance.below(5)),
        ("/api/v1/admin/resume", 0),
    ] {
        let (status, body) = operator.send("POST", path, "application/json");
        if status != 202 {
            return Err(format!(
                "{path} answers {status}: {}",
                String::from_utf8_lossy(&body)
            ));
        }
        thread::sleep(TICK * pause as u32);
    }
    Ok(())
}

/// What the agent takes once all is well and nobody asks for anything; nothing if that does not come.
fn at_rest(operator: &Client<'_>, load: &Load) -> Option<Usage> {
    settled(operator).then(|| {
        load.rest(|| {
            thread::sleep(REST);
            let looks = (0..LOOKS).map(|_| {
                thread::sleep(TICK);
                Usage::of(operator.agent.pid())
            });
            let looks: Vec<_> = looks.collect::<Result<_, _>>().ok()?;
            looks.into_iter().min_by_key(|usage| usage.resident_kib)
        })
    })?
}

/// Whether every GPU is well again within a while, and threads that were given up have ended.
fn settled(operator: &Client<'_>) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let info = operator.json("/gpu/info");
        let gpus = info["gpus"].as_array();
        if gpus.is_some_and(|gpus| gpus.len() == GPUS && gpus.iter().all(|gpu| gpu["state"] == "ok")) {
            thread::sleep(Duration::from_secs(2));
            return true;
        }
        thread::sleep(TICK);
    }
    false
}
