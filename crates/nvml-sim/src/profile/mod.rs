//! A profile says what GPUs a simulated node has: their fixed properties and their kind of work.

mod builtin;
mod check;
mod file;
#[cfg(test)]
mod nonsense;
mod spec;
mod vgpu;
mod work;

pub use builtin::names;
pub use file::{Profile, ProfileError};
pub use spec::{
    Architecture, Brand, Clocks, Driver, Engines, Fans, GpuSpec, Inforom, Memory, MigSpec, NvLink, Pcie,
    Power, Thermal,
};
pub use vgpu::{FeatureCode, LicensableFeature, Moment, Vgpu, Virtualization};
pub use work::{Shape, Waveform, WorkKind};
