//! The real agent over the simulated driver, through real HTTP.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

mod absence;
mod caching;
mod cli;
mod command_line;
mod conformance;
mod contract;
mod dashboard;
mod deployment;
mod events;
mod faults;
mod fidelity;
mod foreign;
mod foreign_crates;
mod fuzzed;
mod history;
mod inventory;
mod isolation;
mod kubernetes;
mod life_cycle;
mod native;
mod nvidia;
mod packaging;
mod parking;
mod prometheus;
mod push;
mod restart;
mod security;
mod seed_cases;
mod shutdown;
mod snapshots;
mod stream;
mod supervision;
mod support;
mod top;
