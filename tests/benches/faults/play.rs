//! Plays one fault after the other to one running agent, and looks at what that costs.

use std::{
    thread,
    time::{Duration, Instant},
};

use nvml_sim::testing::Simulator;
use serde_json::Value;

use super::{
    rows::{DEADLINE, Row, SICK, Seen},
    support::{Agent, AgentBuilder},
};

/// One tick of the agent under test.
const TICK: Duration = Duration::from_millis(100);

/// What has not come by then will not.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long a fault that nothing is to be seen of is left in force.
const WATCHED_TICKS: u64 = 8;

/// Ticks that a healthy GPU has to go on for while another is ill.
const KEEP_PACE: u64 = 3;

/// Routes that have to answer whatever happens.
const ROUTES: [&str; 12] = [
    "/gpu/info",
    "/gpu/metrics",
    "/gpu/metrics/0",
    "/gpu/metrics/1",
    "/api/v1/gpus",
    "/api/v1/gpus/1",
    "/api/v1/host",
    "/api/v1/processes",
    "/api/v1/topology",
    "/api/v1/events",
    "/health/detailed",
    "/health/live",
];

/// A simulated node and the agent on it.
pub(crate) struct Stage {
    simulator: Simulator,
    agent: Agent,
    /// What is absent of each GPU while all is well.
    healthy: Vec<Value>,
}

/// What came of a row.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Ticks until the fault was to be seen; nothing for faults of which nothing is.
    pub(crate) noticed: Option<u64>,
    /// Ticks from its end until all was as before.
    pub(crate) recovered: Option<u64>,
    /// What was not as it has to be.
    pub(crate) broken: Vec<String>,
}

impl Outcome {
    /// Whether the fault was survived.
    pub(crate) fn survived(&self) -> bool {
        self.broken.is_empty()
    }
}

impl Stage {
    /// Four GPUs that have everything, read every tick.
    pub(crate) fn set() -> Self {
        let simulator = Simulator::builder("h100-sxm-8")
            .overrides("count = 4")
            .and_then(nvml_sim::testing::Builder::start)
            .unwrap_or_else(|error| panic!("{error}"));
        let tick = format!("{}ms", TICK.as_millis());
        let agent = AgentBuilder::over(simulator.library_path())
            .interval(&tick)
            .variable("GPULSE_SAMPLER__SLOW_INTERVAL", &tick)
            .variable("GPULSE_SAMPLER__DEADLINE", &format!("{}ms", DEADLINE.as_millis()))
            .variable("GPULSE_SAMPLER__STALE_AFTER", "1s")
            .variable("GPULSE_NVML__RETRY_FIRST", "50ms")
            .variable("GPULSE_NVML__RETRY_MAX", "200ms")
            .start();
        let mut stage = Self {
            simulator,
            agent,
            healthy: Vec::new(),
        };
        let start = Instant::now();
        // Rates and intervals need a second tick.
        while !stage
            .gpus()
            .is_some_and(|gpus| gpus.len() == 4 && gpus.iter().all(is_settled))
        {
            assert!(
                start.elapsed() < PATIENCE,
                "the GPUs do not get well: {:#?}",
                stage.gpus()
            );
            thread::sleep(TICK / 4);
        }
        stage.healthy = stage.gpus().unwrap_or_default().iter().map(absent).collect();
        stage
    }

    /// Plays a row and ends it.
    pub(crate) fn play(&self, row: &Row) -> Outcome {
        let (pid, mut broken) = (self.agent.pid(), Vec::new());
        let before = self.sequences();
        if let Err(error) = self.simulator.set_faults(&row.faults) {
            return Outcome {
                noticed: None,
                recovered: None,
                broken: vec![error.to_string()],
            };
        }
        let noticed = self.await_that(|stage| stage.shows(row, &before));
        if noticed.is_none() {
            broken.push(format!("never seen: {:?}; GPU {SICK}: {}", row.seen, self.sick()));
        }
        self.check_others(row, &mut broken);
        self.check_routes(&mut broken);
        if let Err(error) = self.simulator.clear_faults() {
            broken.push(error.to_string());
        }
        let recovered = self.await_that(Self::is_well);
        if recovered.is_none() {
            broken.push(format!("not as before: {}", self.difference()));
        }
        if self.agent.pid() != pid {
            broken.push("the agent was started again".to_owned());
        }
        let silent = matches!(row.seen, Seen::Nothing);
        Outcome {
            noticed: noticed.filter(|_| !silent),
            recovered: recovered.filter(|_| !silent),
            broken,
        }
    }

    /// Ticks until `holds`; nothing if it never does.
    fn await_that(&self, holds: impl Fn(&Self) -> bool) -> Option<u64> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if holds(self) {
                return Some((start.elapsed().as_secs_f64() / TICK.as_secs_f64()).ceil() as u64);
            }
            thread::sleep(TICK / 5);
        }
        None
    }

    fn shows(&self, row: &Row, before: &[u64]) -> bool {
        match &row.seen {
            Seen::State(state) => self.sick()["state"] == *state,
            Seen::Absent(path, reason) => reason_of(&self.sick(), path).is_some_and(|said| said == *reason),
            Seen::Reading(path, json) => {
                let pointer = format!("/{}", path.replace('.', "/"));
                self.sick().pointer(&pointer).is_some_and(|value| {
                    serde_json::from_str(json).is_ok_and(|wanted: Value| *value == wanted)
                })
            }
            Seen::Driver(reason) => self.agent.json("/gpu/info")["reason"] == *reason,
            Seen::Gpus(count) => self.gpus().is_some_and(|gpus| gpus.len() == *count),
            Seen::Events(kind, count) => {
                let events = self.agent.json("/api/v1/events?limit=1");
                let counted = events["counters"]["gpus"][SICK]["kinds"][*kind].as_u64();
                counted.is_some_and(|counted| counted >= *count)
            }
            Seen::Nothing => {
                let now = self.sequences();
                now.first() >= before.first().map(|sequence| sequence + WATCHED_TICKS).as_ref()
            }
        }
    }

    /// The other GPUs go on as if nothing had happened, unless the fault is not one of a GPU alone.
    fn check_others(&self, row: &Row, broken: &mut Vec<String>) {
        let alone = row.faults.iter().all(|fault| fault.gpu == Some(SICK));
        if !alone {
            return;
        }
        let before = self.sequences();
        let went_on = self.await_that(|stage| {
            let now = stage.sequences();
            (0..4)
                .filter(|gpu| *gpu != SICK)
                .all(|gpu| now.get(gpu) >= before.get(gpu).map(|n| n + KEEP_PACE).as_ref())
        });
        if went_on.is_none() {
            broken.push("the other GPUs do not go on".to_owned());
        }
        for (gpu, now) in self
            .gpus()
            .unwrap_or_default()
            .iter()
            .enumerate()
            .filter(|(gpu, _)| *gpu != SICK)
        {
            if now["state"] != "ok" || Some(&absent(now)) != self.healthy.get(gpu) {
                broken.push(format!(
                    "GPU {gpu} has it too: {} {}",
                    now["state"], now["unavailable"]
                ));
            }
        }
    }

    fn check_routes(&self, broken: &mut Vec<String>) {
        for route in ROUTES {
            let reply = self.agent.get(route);
            if ![200, 404, 500, 503].contains(&reply.status) {
                broken.push(format!("{route} answers {}", reply.status));
            }
        }
    }

    fn is_well(&self) -> bool {
        self.gpus().is_some_and(|gpus| {
            gpus.len() == 4
                && gpus
                    .iter()
                    .zip(&self.healthy)
                    .all(|(gpu, healthy)| gpu["state"] == "ok" && absent(gpu) == *healthy)
        })
    }

    fn difference(&self) -> String {
        let Some(gpus) = self.gpus() else {
            return self.agent.json("/gpu/info").to_string();
        };
        let unlike = gpus
            .iter()
            .zip(&self.healthy)
            .filter(|(gpu, healthy)| gpu["state"] != "ok" || absent(gpu) != **healthy);
        unlike
            .map(|(gpu, _)| format!("{} {} {}", gpu["state"], gpu["last_error"], gpu["unavailable"]))
            .collect()
    }

    fn gpus(&self) -> Option<Vec<Value>> {
        let reply = self.agent.get("/api/v1/gpus");
        (reply.status == 200)
            .then(|| reply.json()["gpus"].as_array().cloned())
            .flatten()
    }

    fn sick(&self) -> Value {
        self.gpus()
            .and_then(|gpus| gpus.get(SICK).cloned())
            .unwrap_or_default()
    }

    fn sequences(&self) -> Vec<u64> {
        let gpus = self.gpus().unwrap_or_default();
        gpus.iter().filter_map(|gpu| gpu["sequence"].as_u64()).collect()
    }
}

/// Read often enough that what needs two reads is there.
fn is_settled(gpu: &Value) -> bool {
    gpu["state"] == "ok"
        && gpu["sequence"].as_u64() > Some(5)
        && !gpu["unavailable"].to_string().contains("not_ready")
}

/// What is absent of a GPU, but for what comes and goes by itself: a ring without a fresh sample.
fn absent(gpu: &Value) -> Value {
    let mut gaps = gpu["unavailable"].clone();
    if let Some(gaps) = gaps.as_object_mut() {
        gaps.retain(|path, _| !path.contains(".interval"));
    }
    gaps
}

/// Why `path` is absent: by its own entry, or by that of a path above it.
fn reason_of<'a>(gpu: &'a Value, path: &str) -> Option<&'a str> {
    let mut path = path;
    loop {
        if let Some(reason) = gpu["unavailable"].get(path) {
            return reason.as_str();
        }
        path = path.rsplit_once('.')?.0;
    }
}
