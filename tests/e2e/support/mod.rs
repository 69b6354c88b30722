//! What end-to-end tests are made of: an agent process, HTTP, simulated hosts, and waiting for a condition.

mod agent;
mod http;
#[allow(dead_code, reason = "the tests of the exporters use all of it")]
#[path = "../../../crates/exporters/tests/kubelet/fake.rs"]
pub(crate) mod kubelet;
pub(crate) mod python;
mod skip;
#[allow(dead_code, reason = "the benchmark of fidelity uses all of it")]
mod ticks;
mod wait;
mod wire;
mod world;

pub(crate) use agent::{Agent, AgentBuilder};
pub(crate) use http::request;
pub(crate) use skip::skipped;
pub(crate) use ticks::{Record, Tick, sim_step, spans};
pub(crate) use wait::eventually;
pub(crate) use wire::{Authority, connect, exchange, get, rest, status};
pub(crate) use world::simulator;
