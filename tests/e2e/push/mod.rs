//! Pushing to receivers that take what comes, are down, slow, or refuse: what arrives, in which order, and that sampling goes on.

mod collector;
mod messages;
mod otlp;
mod receiver;
mod remote_write;
mod stored;

use crate::support::Agent;

/// What the agent counts about pushing: the value of the series that contains all of `parts`; 0 if there is none.
fn counted(agent: &Agent, parts: &[&str]) -> f64 {
    let text = String::from_utf8(agent.get("/metrics").body).unwrap();
    let line = text
        .lines()
        .find(|line| parts.iter().all(|part| line.contains(part)));
    line.and_then(|line| line.rsplit_once(' '))
        .map_or(0.0, |(_, value)| value.parse().unwrap())
}

/// Batches of an exporter with this outcome.
fn batches(agent: &Agent, exporter: &str, outcome: &str) -> f64 {
    let labels = format!("{{exporter=\"{exporter}\",outcome=\"{outcome}\"}}");
    counted(agent, &[&format!("gpulse_push_batches_total{labels}")])
}

/// The generation of the latest snapshot.
fn generation(agent: &Agent) -> u64 {
    agent.json("/gpu/metrics")["generation"].as_u64().unwrap()
}
