//! Who may read, and what a bad client can do: the real agent, over real sockets.

mod admin;
mod bad_clients;
mod binding;
pub(crate) mod credentials;
mod crowd;
mod tls;

pub(crate) use credentials::token;

use crate::support::AgentBuilder;

/// An agent over a small simulated host.
pub(crate) fn small() -> (nvml_sim::testing::Simulator, AgentBuilder) {
    let simulator = crate::support::simulator("t4");
    let builder = AgentBuilder::over(simulator.library_path());
    (simulator, builder)
}
