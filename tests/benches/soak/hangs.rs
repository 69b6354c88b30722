//! The same GPU hangs and recovers over and over: each time its reader is given up and replaced, and nothing is left behind.

use std::{
    thread,
    time::{Duration, Instant},
};

use nvml_sim::faults::Fault;

use super::{
    GROWTH_KIB, PATIENCE,
    support::{Agent, AgentBuilder, simulator},
    usage::Usage,
};

/// Cycles in which allocators and caches find their size.
const WARM_UP: u64 = 50;

/// Lets a GPU hang and recover `cycles` times after a warm-up, and says what is not as it has to be.
pub(crate) fn play(cycles: u64) -> Vec<String> {
    let simulator = simulator("a100-pcie-4");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("20ms")
        .variable("GPULSE_SAMPLER__DEADLINE", "40ms")
        // It fills for as long as this takes, whatever the GPUs do.
        .variable("GPULSE_HISTORY__ENABLED", "false")
        .start();
    agent.wait_until_ready();
    println!("GPU 1 of 4 hangs and recovers {cycles} times, after {WARM_UP} times to warm up.");
    let mut warm = None;
    for cycle in 0..WARM_UP + cycles {
        if cycle == WARM_UP {
            warm = Usage::of(agent.pid()).ok();
        }
        for (fault, state) in [(Some(Fault::everywhere().gpu(1).hang()), "hung"), (None, "ok")] {
            let planted = match &fault {
                Some(fault) => simulator.set_faults(std::slice::from_ref(fault)),
                None => simulator.clear_faults(),
            };
            if let Err(error) = planted {
                return vec![error.to_string()];
            }
            if !comes_to(&agent, state) {
                let log = agent.log();
                let last = log.last().cloned().unwrap_or_default();
                return vec![format!(
                    "cycle {cycle}: GPU 1 is never {state}; last in the log: {last}"
                )];
            }
        }
    }
    let ended = || vec!["the agent has ended".to_owned()];
    let (Some(warm), Some(mut end)) = (warm, Usage::of(agent.pid()).ok()) else {
        return ended();
    };
    // Readers that were stuck end when they find that nobody listens, and connections when they find their peer gone.
    let start = Instant::now();
    while (end.threads > warm.threads || end.files > warm.files) && start.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(5));
        let Ok(now) = Usage::of(agent.pid()) else {
            return ended();
        };
        end = now;
    }
    println!("warm: {warm:?}\nend:  {end:?}");
    let mut broken = Vec::new();
    if end.threads > warm.threads || end.files > warm.files {
        broken.push("threads or file descriptors grew".to_owned());
    }
    if end.resident_kib > warm.resident_kib + GROWTH_KIB {
        broken.push(format!("memory grew by more than {GROWTH_KIB} KiB"));
    }
    broken
}

/// Whether GPU 1 is in this state before patience ends.
fn comes_to(agent: &Agent, state: &str) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if agent.json("/gpu/info")["gpus"][1]["state"] == state {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}
