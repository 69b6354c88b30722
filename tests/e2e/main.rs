//! The real agent over the simulated driver, through real HTTP.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

mod absence;
mod caching;
mod command_line;
mod contract;
mod events;
mod faults;
mod foreign;
mod fuzzed;
mod isolation;
mod security;
mod seed_cases;
mod shutdown;
mod snapshots;
mod support;
