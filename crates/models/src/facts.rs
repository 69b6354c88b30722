//! What does not change while the driver stays loaded: read once per initialisation, as far as the driver answers.

use serde::{Deserialize, Serialize};

use crate::{Celsius, GpuId, PciBusId, Reading, Watts};

/// The static facts of one GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GpuFacts {
    /// NVML UUID (`nvmlDeviceGetUUID`).
    pub id: GpuId,
    /// Model (`nvmlDeviceGetName`).
    pub name: Reading<String>,
    /// Where it sits (`nvmlDeviceGetPciInfo_v3`).
    pub pci_bus_id: Reading<PciBusId>,
    /// Board serial number (`nvmlDeviceGetSerial`).
    pub serial: Reading<String>,
    /// VBIOS version (`nvmlDeviceGetVbiosVersion`).
    pub vbios_version: Reading<String>,
    /// Temperatures at which the GPU protects itself (`nvmlDeviceGetTemperatureThreshold`).
    pub thresholds: TemperatureThresholds,
    /// What the power limit may be set to.
    pub power_limits: PowerLimits,
    /// Highest PCIe generation of GPU and slot (`nvmlDeviceGetMaxPcieLinkGeneration`).
    pub pcie_generation_max: Reading<u32>,
    /// Highest PCIe width, in lanes (`nvmlDeviceGetMaxPcieLinkWidth`).
    pub pcie_width_max: Reading<u32>,
}

impl GpuFacts {
    /// Whether a fact is absent for a reason that may pass, so that it is worth asking for again.
    pub fn is_provisional(&self) -> bool {
        let reasons = [
            self.name.reason(),
            self.pci_bus_id.reason(),
            self.serial.reason(),
            self.vbios_version.reason(),
            self.thresholds.slowdown.reason(),
            self.thresholds.shutdown.reason(),
            self.power_limits.default.reason(),
            self.power_limits.min.reason(),
            self.power_limits.max.reason(),
            self.pcie_generation_max.reason(),
            self.pcie_width_max.reason(),
        ];
        reasons.into_iter().flatten().any(|reason| !reason.is_permanent())
    }
}

/// Temperatures at which the GPU protects itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemperatureThresholds {
    /// Clocks are lowered from here.
    pub slowdown: Reading<Celsius>,
    /// The GPU switches off from here.
    pub shutdown: Reading<Celsius>,
}

/// What the power limit is by default and may be set to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerLimits {
    /// The limit after a reset (`nvmlDeviceGetPowerManagementDefaultLimit`).
    pub default: Reading<Watts>,
    /// The lowest limit that can be set (`nvmlDeviceGetPowerManagementLimitConstraints`).
    pub min: Reading<Watts>,
    /// The highest limit that can be set (`nvmlDeviceGetPowerManagementLimitConstraints`).
    pub max: Reading<Watts>,
}
