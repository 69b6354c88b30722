//! Whether NVML can be used on this host, and if not, why and what to do.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether NVML can be used on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverStatus {
    /// The first initialisation is under way.
    Starting,
    /// NVML answers.
    Ready(Arc<DriverInfo>),
    /// NVML cannot be used; it is tried again with back-off.
    Unavailable(Arc<DriverFault>),
}

/// What NVML says of itself, once per initialisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverInfo {
    /// `nvmlSystemGetDriverVersion`, or `unknown`.
    pub driver_version: String,
    /// `nvmlSystemGetCudaDriverVersion`, as `13.0`.
    pub cuda_driver_version: Option<String>,
    /// `nvmlSystemGetNVMLVersion`
    pub nvml_version: Option<String>,
    /// The library that was loaded.
    pub library: PathBuf,
    /// Whether the GPUs are simulated ones.
    pub simulated: bool,
}

/// Why NVML cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DriverFault {
    /// The kind, for programs.
    pub reason: DriverReason,
    /// What happened, for a person.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
    /// Whether the library itself could be loaded.
    pub library_loaded: bool,
    /// Attempts so far.
    pub attempts: u32,
    /// When the first of these attempts failed.
    pub since: Timestamp,
}

/// The kinds of reasons why NVML cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DriverReason {
    /// The first initialisation is under way.
    Starting,
    /// There is no such file, or it is no usable library.
    LibraryNotFound,
    /// The library is there, the kernel driver is not (`NVML_ERROR_DRIVER_NOT_LOADED`).
    DriverNotLoaded,
    /// Library and kernel driver differ in version (`NVML_ERROR_LIB_RM_VERSION_MISMATCH`).
    VersionMismatch,
    /// The agent may not use the driver (`NVML_ERROR_NO_PERMISSION`).
    NoPermission,
    /// The driver answers and knows no GPU.
    NoGpus,
    /// Initialisation does not return.
    Timeout,
    /// An operator wants the GPUs to be let go.
    Parked,
    /// Initialisation failed in another way.
    Error,
}

impl DriverReason {
    /// Whether there is something to look for, which `gpulse doctor` does: not while it passes by itself, or where somebody
    /// wants it so.
    pub fn is_for_doctor(self) -> bool {
        !matches!(self, Self::Starting | Self::Parked)
    }

    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::LibraryNotFound => "library_not_found",
            Self::DriverNotLoaded => "driver_not_loaded",
            Self::VersionMismatch => "version_mismatch",
            Self::NoPermission => "no_permission",
            Self::NoGpus => "no_gpus",
            Self::Timeout => "timeout",
            Self::Parked => "parked",
            Self::Error => "error",
        }
    }
}
