//! One who asks: with a token, for one route after the other, and looks at what comes.

use std::{sync::atomic::Ordering, thread, time::Duration};

use serde_json::Value;

use super::{chance::Chance, invariants::Invariants, load::Load, support::Agent};

/// Between two requests of a client.
const PAUSE: Duration = Duration::from_millis(5);

/// Mistakes after which a client has seen enough.
const ENOUGH: usize = 5;

/// What clients ask for: JSON.
const ROUTES: [&str; 14] = [
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
    "/api/v1/history?metric=power.draw_watts,load.gpu_percent&from=-1m",
    "/api/v1/targets",
    "/health/detailed",
];

/// What Prometheus and its like ask for: text.
const SCRAPES: [(&str, &str); 4] = [
    ("/metrics", "text/plain"),
    ("/metrics", "application/openmetrics-text"),
    ("/metrics?profile=dcgm,nvidia_smi", "text/plain"),
    ("/metrics?profile=native,dcgm", "application/openmetrics-text"),
];

/// A client with a token.
pub(crate) struct Client<'a> {
    pub(crate) agent: &'a Agent,
    authorization: String,
}

impl<'a> Client<'a> {
    pub(crate) fn new(agent: &'a Agent, token: &str) -> Self {
        let authorization = format!("Bearer {token}");
        Self { agent, authorization }
    }

    /// The status and the body of an answer.
    pub(crate) fn send(&self, method: &str, path: &str, accept: &str) -> (u16, Vec<u8>) {
        let headers = [("authorization", self.authorization.as_str()), ("accept", accept)];
        let reply = self.agent.request(method, path, &headers);
        (reply.status, reply.body)
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let (_, body) = self.send("GET", path, "application/json");
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// Asks for as long as `load` goes on. What is not as it has to be, each thing once.
    pub(crate) fn ask(&self, mut chance: Chance, load: &Load) -> Vec<String> {
        let (mut invariants, mut broken) = (Invariants::default(), Vec::new());
        while load.goes_on() && broken.len() < ENOUGH {
            let looked = match chance.below(ROUTES.len() + SCRAPES.len()) {
                place if place < ROUTES.len() => self.look(ROUTES[place], &mut invariants),
                place => self.scrape(SCRAPES[place - ROUTES.len()], &mut invariants),
            };
            load.answers.fetch_add(1, Ordering::Relaxed);
            broken.extend(looked.err());
            thread::sleep(PAUSE);
        }
        broken
    }

    fn look(&self, route: &str, invariants: &mut Invariants) -> Result<(), String> {
        let (status, body) = self.send("GET", route, "application/json");
        if ![200, 404, 500, 503].contains(&status) {
            return Err(format!("{route} answers {status}"));
        }
        let body = serde_json::from_slice(&body).map_err(|error| format!("{route}: {error}"))?;
        invariants.look(route, &body)
    }

    fn scrape(&self, (route, accept): (&str, &str), invariants: &mut Invariants) -> Result<(), String> {
        let (status, body) = self.send("GET", route, accept);
        if status != 200 {
            return Err(format!("{route} answers {status}"));
        }
        let text = String::from_utf8(body).map_err(|error| format!("{route}: {error}"))?;
        if accept.contains("openmetrics") && !text.ends_with("# EOF\n") {
            return Err(format!("{route}: no # EOF at the end"));
        }
        invariants.scrape(route, &text)
    }
}
