//! `/api/v1/host`.

use serde::Deserialize;

use super::or_default;

/// The agent, the driver, and the host as a whole.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Host {
    #[serde(deserialize_with = "or_default")]
    pub(crate) agent: Agent,
    #[serde(deserialize_with = "or_default")]
    pub(crate) driver: Driver,
    #[serde(deserialize_with = "or_default")]
    pub(crate) expected: Expected,
}

/// The agent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Agent {
    pub(crate) id: Option<String>,
    pub(crate) version: Option<String>,
    /// Another one means that the agent was started anew.
    pub(crate) instance: Option<String>,
}

/// The driver.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Driver {
    #[serde(deserialize_with = "or_default")]
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) driver_version: Option<String>,
    pub(crate) cuda_driver_version: Option<String>,
    pub(crate) simulated: Option<bool>,
}

/// The GPUs that the machine should have.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Expected {
    pub(crate) count: Option<u64>,
    pub(crate) found: Option<u64>,
}

impl Driver {
    /// Whether GPUs can be asked for.
    pub(crate) fn is_ready(&self) -> bool {
        self.status == "ready"
    }
}
