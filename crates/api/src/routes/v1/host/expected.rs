//! `expected` of `/api/v1/host`: what GPUs the machine should have, and which of them the driver does not know.

use gpulse_models::{HostSnapshot, PciGpu, Reason};
use serde::Serialize;
use utoipa::ToSchema;

/// What GPUs the machine should have.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostExpected {
    /// GPUs that there should be: `health.expected_gpus`, or those among the PCI devices; null if that is not known.
    #[schema(minimum = 0)]
    count: Option<usize>,
    /// Those of them that the roster has; null if that is not known.
    #[schema(minimum = 0)]
    found: Option<usize>,
    /// Those that it does not have, as the PCI devices show them; null if that is not known. More than `count` less
    /// `found` if a GPU has not said where it sits; fewer if a number is configured that the PCI devices do not show.
    missing: Option<Vec<PciGpu>>,
    #[serde(skip)]
    reason: Option<Reason>,
}

impl HostExpected {
    pub(super) fn of(host: &HostSnapshot) -> Self {
        match host.expected_gpus() {
            Ok(expected) => Self {
                count: Some(expected.count),
                found: Some(expected.found),
                missing: Some(expected.missing.into_iter().cloned().collect()),
                reason: None,
            },
            Err(absence) => Self {
                count: None,
                found: None,
                missing: None,
                reason: Some(absence.reason),
            },
        }
    }

    /// What is absent, and why.
    pub(super) fn gaps(&self) -> Vec<(&'static str, String, Reason)> {
        if let Some(reason) = self.reason {
            let keys = ["count", "found", "missing"].into_iter();
            return keys.map(|key| (key, key.to_owned(), reason)).collect();
        }
        let missing = self.missing.iter().flatten().enumerate();
        let unnamed = missing.filter(|(_, gpu)| gpu.device_id.is_none());
        unnamed
            .map(|(place, _)| ("missing", format!("missing.{place}.device_id"), Reason::Error))
            .collect()
    }
}
