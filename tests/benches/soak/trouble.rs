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
    AT_THE_END, GROWTH_KIB, PATIENCE, TICK, WARM, WARM_AFTER, chance::Chance, client::Client, load::Load,
    rows, usage::Usage,
};

/// How long all rest before the agent is measured: until receivers have taken what waits, and what is kept for clients that come
/// back is forgotten.
const REST: Duration = Duration::from_secs(20);

/// How often it is measured in each rest; the least counts, beside which something of the moment was under way.
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

/// Makes trouble until `time` is over, and compares the agent towards the end with how it was warm. What is not as it has to be.
///
/// Of several rests the least counts on both sides. Free memory that the C library could not give back, because something small
/// lies behind it, comes and goes by some megabytes from one rest to the next; what the agent keeps is in all of them.
pub(crate) fn make(
    simulator: &Simulator,
    operator: &Client<'_>,
    tokens: &Tokens<'_>,
    load: &Load,
    time: Duration,
    mut chance: Chance,
) -> Vec<String> {
    let Ok(started) = Usage::of(operator.agent.pid()) else {
        return vec!["the agent has ended".to_owned()];
    };
    let rows = rows::all();
    if let Err(error) = fill_the_log(simulator, operator, &rows) {
        return vec![error];
    }
    let (start, mut planted, mut changes) = (Instant::now(), 0, 0);
    let mut rests = [(WARM, Vec::new()), (AT_THE_END, Vec::new())];
    loop {
        let now = start.elapsed();
        for (shares, seen) in &mut rests {
            if shares
                .get(seen.len())
                .is_some_and(|share| now >= time.mul_f64(*share))
            {
                let Some(usage) = at_rest(operator, load) else {
                    return vec![format!("not all is well again: {}", operator.json("/gpu/info"))];
                };
                seen.push(usage);
            }
        }
        if now >= time {
            break;
        }
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
    }
    println!("{planted} faults planted, {changes} changes by the operator.");
    println!("| | Memory (RSS), KiB | Threads | Files |");
    println!("|---|---|---|---|");
    println!("| at the start | {started} |");
    for (name, (_, seen)) in ["warm", "at the end"].iter().zip(&rests) {
        seen.iter().for_each(|usage| println!("| {name} | {usage} |"));
    }
    let [Some(warm), Some(end)] = rests.map(|(_, seen)| seen.into_iter().reduce(Usage::least)) else {
        return vec!["the agent was never at rest: give it more minutes".to_owned()];
    };
    let mut broken = Vec::new();
    if time.mul_f64(WARM[0]) < WARM_AFTER {
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
