//! One actor per GPU; the only crate that knows NVML.
//!
//! [`Discovery`] initialises NVML (and tries again for as long as that fails), seeds the aggregator's roster and
//! starts a [`Sampler`] per GPU. A sampler never blocks: a reader thread of its own calls NVML for it. One more thread
//! waits for what the driver reports by itself, such as XIDs.

mod asker;
mod convert;
mod discovery;
mod driver;
mod events;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the reader does not ask for intervals yet")
)]
mod interval;
mod port;
mod probe;
mod processes;
mod reader;
mod sampler;

pub use discovery::{Discovery, DiscoverySettings};
pub use processes::{MAX_PROCESSES, ProcessSettings};
pub use sampler::{MAX_INTERVAL, MIN_INTERVAL, Sampler, SamplerSettings};
