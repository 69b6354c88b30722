//! The real agent over the simulated driver, through real HTTP.

mod absence;
mod caching;
mod command_line;
mod contract;
mod faults;
mod foreign;
mod isolation;
mod seed_cases;
mod shutdown;
mod snapshots;
mod support;
