//! What must hold of everything that one client sees, in the order in which it sees it.

use std::collections::HashMap;

use serde_json::Value;

/// What was seen last.
#[derive(Default)]
pub(crate) struct Invariants {
    generation: u64,
    next_event: u64,
    /// By UUID and key.
    counters: HashMap<(String, &'static str), f64>,
}

/// Keys of a GPU that only grow.
const GROWING: [&str; 4] = [
    "/sequence",
    "/power/energy_joules_total",
    "/pcie/sent_bytes_total",
    "/clocks/lowered/power_seconds_total",
];

impl Invariants {
    /// Looks at one answer.
    pub(crate) fn look(&mut self, route: &str, body: &Value) -> Result<(), String> {
        if let Some(generation) = body["generation"].as_u64() {
            if generation < self.generation {
                return Err(format!(
                    "{route}: generation {generation} after {}",
                    self.generation
                ));
            }
            self.generation = generation;
        }
        if let Some(next) = body["next"].as_u64() {
            if next < self.next_event {
                return Err(format!("{route}: event {next} after {}", self.next_event));
            }
            self.next_event = next;
        }
        let gpus = body["gpus"].as_array().map(Vec::as_slice).unwrap_or_default();
        for gpu in gpus {
            self.grows(route, gpu)?;
            whole(route, gpu)?;
        }
        Ok(())
    }

    /// Looks at one scrape: generations rise as those of the routes do, and every line is a series or a comment.
    pub(crate) fn scrape(&mut self, route: &str, text: &str) -> Result<(), String> {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let value = series_value(line).ok_or_else(|| format!("{route}: no series: {line}"))?;
            if line.starts_with("gpulse_generation ") {
                let generation = value as u64;
                if generation < self.generation {
                    return Err(format!(
                        "{route}: generation {generation} after {}",
                        self.generation
                    ));
                }
                self.generation = generation;
            }
        }
        Ok(())
    }

    fn grows(&mut self, route: &str, gpu: &Value) -> Result<(), String> {
        let Some(uuid) = gpu["uuid"].as_str() else {
            return Ok(());
        };
        for key in GROWING {
            let Some(now) = gpu.pointer(key).and_then(Value::as_f64) else {
                continue;
            };
            let before = self.counters.entry((uuid.to_owned(), key)).or_insert(now);
            if now < *before {
                return Err(format!("{route}: {key} of {uuid} is {now} after {before}"));
            }
            *before = now;
        }
        Ok(())
    }
}

/// The value of a line of an exposition: behind the name and its labels, before an exemplar.
fn series_value(line: &str) -> Option<f64> {
    let behind = match line.find('{') {
        // No value of a label that the simulator gives has a brace.
        Some(_) => line.split_once("} ")?.1,
        None => line.split_once(' ')?.1,
    };
    behind.split(' ').next()?.parse().ok()
}

/// A GPU that is shown has a name for its state, and one that is lost shows no load.
fn whole(route: &str, gpu: &Value) -> Result<(), String> {
    let (Some(state), Some(load)) = (gpu["state"].as_str(), gpu.pointer("/load/gpu_percent")) else {
        return Ok(());
    };
    let shown = !load.is_null();
    match state {
        "lost" | "unavailable" if shown => Err(format!("{route}: a GPU that is {state} has a load")),
        "ok" | "stale" | "hung" | "lost" | "unavailable" => Ok(()),
        other => Err(format!("{route}: a state {other}")),
    }
}
