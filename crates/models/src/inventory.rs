//! What GPUs the machine should have, from elsewhere than the driver, and which of them the driver does not know.
//!
//! A GPU that fell off the bus before NVML was initialised is not in NVML's list, and nothing that NVML says tells that
//! it is missing. The kernel's list of PCI devices does.

use serde::Serialize;

use crate::{DriverStatus, GpuSnapshot, HostSnapshot, PciBusId, Reason};

/// What is known of the GPUs that the machine should have. Never changes after it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// How many GPUs the configuration says there are; it overrides the number of devices.
    pub configured: Option<usize>,
    /// The GPUs among the machine's PCI devices that NVML should know, by bus id.
    pub devices: Result<Vec<PciGpu>, Absence>,
    /// Whether the devices are those of this machine, with which simulated GPUs have nothing to do.
    pub is_of_this_machine: bool,
}

/// A GPU among the PCI devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PciGpu {
    /// Where it sits.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub pci_bus_id: PciBusId,
    /// Its PCI device id, such as `0x2330`; null if it cannot be read.
    pub device_id: Option<String>,
    /// The kernel driver that it is bound to; null if it is bound to none.
    pub driver: Option<String>,
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The kind, for programs.
    pub reason: Reason,
    /// What happened, for a person.
    pub message: String,
}

impl Absence {
    /// An absence for this reason.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

impl Inventory {
    /// What is known before anything was looked at.
    pub fn unread() -> Self {
        let absence = Absence::new(Reason::NotReady, "the PCI devices have not been looked at yet");
        Self {
            configured: None,
            devices: Err(absence),
            is_of_this_machine: true,
        }
    }
}

/// The roster, compared with what the machine should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedGpus<'a> {
    /// GPUs that there should be.
    pub count: usize,
    /// Those of them that the roster has.
    pub found: usize,
    /// Those that it does not have.
    pub missing_count: usize,
    /// Which those are. More than there are missing if a GPU of the roster has not said where it sits; fewer if the
    /// number is configured and the PCI devices do not show them.
    pub missing: Vec<&'a PciGpu>,
}

impl HostSnapshot {
    /// Compares the roster with what the machine should have.
    ///
    /// # Errors
    ///
    /// Why that cannot be done.
    pub fn expected_gpus(&self) -> Result<ExpectedGpus<'_>, Absence> {
        let inventory = &*self.inventory;
        let simulated = match &self.driver {
            DriverStatus::Starting => {
                let message = "NVML has not been initialised yet";
                return Err(Absence::new(Reason::NotReady, message));
            }
            DriverStatus::Ready(driver) => driver.simulated,
            DriverStatus::Unavailable(_) => false,
        };
        let devices = match &inventory.devices {
            _ if simulated && inventory.is_of_this_machine => Err(Absence::new(
                Reason::NotSupported,
                "the GPUs are simulated: this machine's PCI devices say nothing about them",
            )),
            Ok(devices) => Ok(devices.as_slice()),
            Err(absence) => Err(absence.clone()),
        };
        match (inventory.configured, devices) {
            (Some(count), devices) => Ok(self.compared_with_number(count, devices.unwrap_or_default())),
            (None, devices) => devices.map(|devices| self.compared_with(devices)),
        }
    }

    fn compared_with_number<'a>(&self, count: usize, devices: &'a [PciGpu]) -> ExpectedGpus<'a> {
        let missing_count = count.saturating_sub(self.gpus.len());
        ExpectedGpus {
            count,
            found: count - missing_count,
            missing_count,
            missing: if missing_count == 0 {
                Vec::new()
            } else {
                self.unmatched(devices)
            },
        }
    }

    /// A GPU of the roster that has not said where it sits may be any of those that nobody says to be.
    fn compared_with<'a>(&self, devices: &'a [PciGpu]) -> ExpectedGpus<'a> {
        let unmatched = self.unmatched(devices);
        let silent = |gpu: &&_| GpuSnapshot::pci_bus_id(gpu).is_none();
        let silent = self.gpus.iter().map(|gpu| &**gpu).filter(silent).count();
        let missing_count = unmatched.len().saturating_sub(silent);
        ExpectedGpus {
            count: devices.len(),
            found: devices.len() - missing_count,
            missing_count,
            missing: if missing_count == 0 { Vec::new() } else { unmatched },
        }
    }

    /// The devices that no GPU of the roster says to be.
    fn unmatched<'a>(&self, devices: &'a [PciGpu]) -> Vec<&'a PciGpu> {
        let known: Vec<_> = self.gpus.iter().filter_map(|gpu| gpu.pci_bus_id()).collect();
        let unmatched = devices.iter().filter(|gpu| !known.contains(&gpu.pci_bus_id));
        unmatched.collect()
    }
}

#[cfg(test)]
mod tests;
