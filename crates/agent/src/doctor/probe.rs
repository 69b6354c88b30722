//! What an agent says of the driver and the GPUs: the one that is named, or one of this command's own.

use serde_json::Value;

use crate::client::{ClientError, Source};

/// The answers of an agent.
#[derive(Debug)]
pub(super) struct Answers {
    /// `/gpu/info`.
    pub(super) info: Value,
    /// `/api/v1/gpus`, with what the checks look at.
    pub(super) gpus: Value,
    /// `/api/v1/host`.
    pub(super) host: Value,
    /// `/health/detailed`.
    pub(super) health: Value,
}

impl Answers {
    /// Asks.
    pub(super) fn of(source: &Source) -> anyhow::Result<Self> {
        let client = source.open()?;
        let get = |path: &str| -> Result<Value, ClientError> { Ok(client.get(path)?.json) };
        let info = get("/gpu/info")?;
        if !info["available"].is_boolean() {
            let error = ClientError::NoAgent {
                place: client.place().to_owned(),
                path: "/gpu/info".to_owned(),
                problem: "the answer does not say whether GPUs can be read".to_owned(),
            };
            return Err(error.into());
        }
        Ok(Self {
            info,
            gpus: get("/api/v1/gpus?fields=index,state,last_error,modes.persistence")?,
            host: get("/api/v1/host")?,
            health: get("/health/detailed")?,
        })
    }

    /// Whether the GPUs are made up.
    pub(super) fn is_simulated(&self) -> bool {
        self.info["simulated"] == true
    }

    /// The GPUs; none while NVML cannot be used.
    pub(super) fn gpus(&self) -> impl Iterator<Item = &Value> {
        self.gpus["gpus"].as_array().into_iter().flatten()
    }
}
