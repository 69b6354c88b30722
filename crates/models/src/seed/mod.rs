//! The shape that REST clients of `/gpu/…` know, and how a snapshot takes it.
//!
//! Its rules differ from the rest of this crate on purpose: a required number that a GPU cannot give is sent as
//! 0.0 **and named** in `unavailable`, and percents are limited to 0..=100.

mod collection;
mod gaps;
mod info;
mod parts;
mod single;
#[cfg(test)]
mod tests;

pub use collection::{GpuMetricsCollection, MissingGpu};
pub use gaps::Unavailable;
pub use info::{GpuInfo, GpuLine};
pub use parts::{
    GpuClockSpeeds, GpuEcc, GpuMemory, GpuPcie, GpuPower, GpuProcessInfo, GpuTemperature, GpuUtilization,
};
pub use single::SingleGpuMetrics;
