//! The part of `/health/detailed` that says which GPUs the machine should have and the driver does not know.

use gpulse_models::{HostSnapshot, PciBusId, Reason};
use serde::Serialize;
use utoipa::ToSchema;

/// The roster against what the machine should have.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InventoryHealth {
    /// Whether it is complete.
    status: InventoryStatus,
    /// Why that is not known; null if it is.
    reason: Option<Reason>,
    /// The same for a person.
    message: Option<String>,
    /// GPUs that there should be: `health.expected_gpus`, or those among the PCI devices; null if that is not known.
    #[schema(minimum = 0)]
    gpus_expected: Option<usize>,
    /// Those of them that the roster has; null if that is not known.
    #[schema(minimum = 0)]
    gpus_found: Option<usize>,
    /// Those that it does not have; null if that is not known.
    #[schema(minimum = 0)]
    gpus_missing: Option<usize>,
    /// PCI bus ids of those. More than there are missing if a GPU has not said where it sits; fewer if a number is
    /// configured and the PCI devices do not show them.
    #[schema(value_type = Vec<String>)]
    missing: Vec<PciBusId>,
}

/// Whether the driver knows every GPU of the machine.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum InventoryStatus {
    /// None is known to be missing.
    Ok,
    /// Some are missing.
    Missing,
    /// It is not known what there should be.
    Unknown,
}

impl InventoryHealth {
    pub(super) fn of(host: &HostSnapshot) -> Self {
        match host.expected_gpus() {
            Ok(expected) => Self {
                status: if expected.missing_count == 0 {
                    InventoryStatus::Ok
                } else {
                    InventoryStatus::Missing
                },
                reason: None,
                message: None,
                gpus_expected: Some(expected.count),
                gpus_found: Some(expected.found),
                gpus_missing: Some(expected.missing_count),
                missing: expected.missing.iter().map(|gpu| gpu.pci_bus_id).collect(),
            },
            Err(absence) => Self {
                status: InventoryStatus::Unknown,
                reason: Some(absence.reason),
                message: Some(absence.message),
                gpus_expected: None,
                gpus_found: None,
                gpus_missing: None,
                missing: Vec::new(),
            },
        }
    }
}
