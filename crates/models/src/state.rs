//! How a GPU is doing, beside its data.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Reason, XidSeverity};

/// How a GPU is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GpuState {
    /// It is read at its pace.
    Ok,
    /// Nothing was heard of it for longer than `stale_after`; the last sample is old.
    Stale,
    /// A call on it has not returned within its deadline; the last sample is old.
    Hung,
    /// The driver says that it fell off the bus.
    Lost,
    /// It gives no data: not yet, or its reads fail.
    Unavailable,
}

impl GpuState {
    /// How bad it is that a GPU is so, whatever it was before: one that has never answered is no better off.
    pub fn severity(self) -> XidSeverity {
        match self {
            Self::Ok => XidSeverity::Info,
            Self::Stale => XidSeverity::Warning,
            Self::Hung | Self::Unavailable => XidSeverity::Critical,
            Self::Lost => XidSeverity::Fatal,
        }
    }

    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stale => "stale",
            Self::Hung => "hung",
            Self::Lost => "lost",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Why a tick gave no sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind: `timeout` makes a GPU hung, `gpu_lost` makes it lost.
    pub reason: Reason,
    /// The NVML call that failed or did not return.
    pub call: Cow<'static, str>,
    /// What happened, for a person.
    pub message: String,
    /// When it was noticed.
    pub at: Timestamp,
}
