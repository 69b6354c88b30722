//! The real engines over real agents: Prometheus with all that `deploy` ships for it, and VictoriaMetrics.

mod dashboards;
mod discovery;
pub(crate) mod engine;
mod fleet;
mod peers;
mod promtool;
mod rules;
mod shipped;
mod victoria;
