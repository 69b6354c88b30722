//! The files beside the library by which a simulation is described, disturbed and observed.

pub(crate) mod clock;
pub(crate) mod counters;
mod description;

pub use description::Description;

/// Describes the world; read at initialisation.
pub const DESCRIPTION_FILE: &str = "nvml-sim.toml";

/// The fault list; read again whenever it changes.
pub const FAULTS_FILE: &str = "nvml-sim.faults.toml";

/// The call counters, when they are asked for.
pub const CALLS_FILE: &str = "nvml-sim.calls";

/// Names the profile when there is no description file.
pub const PROFILE_VARIABLE: &str = "NVML_SIM_PROFILE";
