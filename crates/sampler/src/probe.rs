//! Static facts of a GPU: read once per initialisation.

use gpulse_models::{GpuFacts, GpuId, PowerLimits, Reading, Reason, TemperatureThresholds};
use nvml_wrapper::{Device, enum_wrappers::device::TemperatureThreshold};

use crate::{asker::Asker, convert};

/// Reads the static facts of `device`, whose UUID is known.
pub(crate) fn facts(asker: &mut Asker, device: &Device<'_>, uuid: &str) -> GpuFacts {
    let thresholds = TemperatureThresholds {
        slowdown: asker.ask(
            "nvmlDeviceGetTemperatureThreshold(slowdown)",
            || device.temperature_threshold(TemperatureThreshold::Slowdown),
            convert::celsius,
        ),
        shutdown: asker.ask(
            "nvmlDeviceGetTemperatureThreshold(shutdown)",
            || device.temperature_threshold(TemperatureThreshold::Shutdown),
            convert::celsius,
        ),
    };
    GpuFacts {
        id: GpuId::from_uuid(uuid),
        name: asker.ask("nvmlDeviceGetName", || device.name(), Ok),
        pci_bus_id: asker.ask(
            "nvmlDeviceGetPciInfo_v3",
            || device.pci_info(),
            |info| info.bus_id.parse().map_err(|_| Reason::Error),
        ),
        serial: asker.ask("nvmlDeviceGetSerial", || device.serial(), Ok),
        vbios_version: asker.ask("nvmlDeviceGetVbiosVersion", || device.vbios_version(), Ok),
        thresholds,
        power_limits: power_limits(asker, device),
        pcie_generation_max: asker.ask(
            "nvmlDeviceGetMaxPcieLinkGeneration",
            || device.max_pcie_link_gen(),
            convert::small_number,
        ),
        pcie_width_max: asker.ask(
            "nvmlDeviceGetMaxPcieLinkWidth",
            || device.max_pcie_link_width(),
            convert::small_number,
        ),
    }
}

fn power_limits(asker: &mut Asker, device: &Device<'_>) -> PowerLimits {
    let constraints = asker.ask(
        "nvmlDeviceGetPowerManagementLimitConstraints",
        || device.power_management_limit_constraints(),
        |limits| Ok((limits.min_limit, limits.max_limit)),
    );
    let (min, max) = match constraints {
        Reading::Value((min, max)) => (convert::watts(min).into(), convert::watts(max).into()),
        Reading::Unavailable(reason) => (Reading::Unavailable(reason), Reading::Unavailable(reason)),
    };
    PowerLimits {
        default: asker.ask(
            "nvmlDeviceGetPowerManagementDefaultLimit",
            || device.power_management_limit_default(),
            convert::watts,
        ),
        min,
        max,
    }
}
