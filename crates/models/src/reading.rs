//! One metric of a sample: a value, or the reason why there is none.

use serde::{Deserialize, Serialize};

/// Why a value is absent. The names are those of the REST contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// This GPU has no such thing (`NVML_ERROR_NOT_SUPPORTED`).
    NotSupported,
    /// The agent may not ask for it (`NVML_ERROR_NO_PERMISSION`).
    NoPermission,
    /// This driver's library does not know the call.
    FunctionNotFound,
    /// The GPU fell off the bus (`NVML_ERROR_GPU_IS_LOST`).
    GpuLost,
    /// The call did not return in time.
    Timeout,
    /// Nothing has been read yet.
    NotReady,
    /// The call failed in another way, or gave what cannot be true.
    Error,
    /// The agent's configuration turns it off.
    Disabled,
}

impl Reason {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::NotSupported,
        Self::NoPermission,
        Self::FunctionNotFound,
        Self::GpuLost,
        Self::Timeout,
        Self::NotReady,
        Self::Error,
        Self::Disabled,
    ];

    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSupported => "not_supported",
            Self::NoPermission => "no_permission",
            Self::FunctionNotFound => "function_not_found",
            Self::GpuLost => "gpu_lost",
            Self::Timeout => "timeout",
            Self::NotReady => "not_ready",
            Self::Error => "error",
            Self::Disabled => "disabled",
        }
    }

    /// Whether the reason lasts as long as the driver stays loaded, so that asking again is useless.
    pub fn is_permanent(self) -> bool {
        matches!(self, Self::NotSupported | Self::FunctionNotFound | Self::Disabled)
    }
}

/// A value, or the reason why there is none. Absent is never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    /// What the driver said.
    Value(T),
    /// Why it said nothing that could be used.
    Unavailable(Reason),
}

impl<T> Reading<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unavailable(_) => None,
        }
    }

    /// The reason, if there is no value.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Value(_) => None,
            Self::Unavailable(reason) => Some(*reason),
        }
    }

    /// Converts the value and keeps the reason.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Value(value) => Reading::Value(convert(value)),
            Self::Unavailable(reason) => Reading::Unavailable(reason),
        }
    }

    /// Converts the value where that is possible, and keeps the reason.
    pub fn and_then<U>(self, convert: impl FnOnce(T) -> Result<U, Reason>) -> Reading<U> {
        match self {
            Self::Value(value) => convert(value).into(),
            Self::Unavailable(reason) => Reading::Unavailable(reason),
        }
    }

    /// The value, or the reason why there is none.
    pub fn into_result(self) -> Result<T, Reason> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Unavailable(reason) => Err(reason),
        }
    }

    /// The same, or where it has no value another one that does.
    #[must_use]
    pub fn or(self, other: &Self) -> Self
    where
        T: Clone,
    {
        match (&self, other) {
            (Self::Unavailable(_), Self::Value(_)) => other.clone(),
            _ => self,
        }
    }

    /// Borrows the value.
    pub fn as_ref(&self) -> Reading<&T> {
        match self {
            Self::Value(value) => Reading::Value(value),
            Self::Unavailable(reason) => Reading::Unavailable(*reason),
        }
    }
}

impl<T> From<Result<T, Reason>> for Reading<T> {
    fn from(result: Result<T, Reason>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(reason) => Self::Unavailable(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_survives_json_with_its_reason() {
        for reading in [Reading::Value(0.0), Reading::Unavailable(Reason::NoPermission)] {
            let json = serde_json::to_string(&reading).unwrap();
            assert_eq!(serde_json::from_str::<Reading<f64>>(&json).unwrap(), reading);
        }
    }

    #[test]
    fn a_reason_is_named_the_same_in_json_and_in_text() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
