//! What end-to-end tests are made of: an agent process, HTTP, simulated hosts, and waiting for a condition.

mod agent;
mod http;
mod wait;
mod wire;
mod world;

pub(crate) use agent::{Agent, AgentBuilder};
pub(crate) use http::request;
pub(crate) use wait::eventually;
pub(crate) use wire::{Authority, connect, exchange, get, rest, status};
pub(crate) use world::simulator;
