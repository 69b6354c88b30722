//! What end-to-end tests are made of: an agent process, HTTP, simulated hosts, and waiting for a condition.

mod agent;
mod http;
pub(crate) mod python;
mod skip;
mod wait;
mod world;

pub(crate) use agent::{Agent, AgentBuilder};
pub(crate) use http::request;
pub(crate) use skip::skipped;
pub(crate) use wait::eventually;
pub(crate) use world::simulator;
