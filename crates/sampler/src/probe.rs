//! Static facts of a GPU: read once per initialisation.

use gpulse_models::{Bits, GpuFacts, GpuId, GpuIdentity, GpuLimits, Megabits, Reason};
use nvml_wrapper::{
    Device,
    enum_wrappers::device::{Clock, InfoRom, TemperatureThreshold},
};

use crate::{asker::Asker, convert, label, raw};

/// Reads the static facts of `device`, whose UUID is known.
pub(crate) fn facts(asker: &mut Asker, device: &Device<'_>, uuid: &str) -> GpuFacts {
    GpuFacts {
        id: GpuId::from_uuid(uuid),
        identity: identity(asker, device),
        limits: limits(asker, device),
    }
}

fn identity(asker: &mut Asker, device: &Device<'_>) -> GpuIdentity {
    let pci = asker.ask("nvmlDeviceGetPciInfo_v3", || device.pci_info(), Ok);
    let pci = pci.as_ref();
    let platform = asker.ask("nvmlDeviceGetPlatformInfo", || raw::platform(device), Ok);
    let platform = platform.as_ref();
    GpuIdentity {
        name: asker.ask("nvmlDeviceGetName", || device.name(), Ok),
        brand: asker.ask(
            "nvmlDeviceGetBrand",
            || raw::brand(device),
            |brand| Ok(label::brand(brand)),
        ),
        architecture: asker.ask(
            "nvmlDeviceGetArchitecture",
            || raw::architecture(device),
            |architecture| Ok(label::architecture(architecture)),
        ),
        compute_capability: asker.ask(
            "nvmlDeviceGetCudaComputeCapability",
            || device.cuda_compute_capability(),
            |version| Ok(format!("{}.{}", version.major, version.minor)),
        ),
        cores: asker.ask(
            "nvmlDeviceGetNumGpuCores",
            || device.num_cores(),
            convert::small_number,
        ),
        memory_bus_bits: asker.ask(
            "nvmlDeviceGetMemoryBusWidth",
            || device.memory_bus_width(),
            |bits| convert::small_number(bits).map(Bits),
        ),
        serial: asker.ask("nvmlDeviceGetSerial", || device.serial(), Ok),
        board_part_number: asker.ask("nvmlDeviceGetBoardPartNumber", || device.board_part_number(), Ok),
        board_id: asker.ask("nvmlDeviceGetBoardId", || device.board_id(), Ok),
        multi_gpu_board: asker.ask("nvmlDeviceGetMultiGpuBoard", || device.is_multi_gpu_board(), Ok),
        vbios_version: asker.ask("nvmlDeviceGetVbiosVersion", || device.vbios_version(), Ok),
        gsp_firmware_version: asker.ask(
            "nvmlDeviceGetGspFirmwareVersion",
            || device.gsp_firmware_version(),
            Ok,
        ),
        inforom_image_version: asker.ask(
            "nvmlDeviceGetInforomImageVersion",
            || device.info_rom_image_version(),
            Ok,
        ),
        inforom_oem_version: asker.ask(
            "nvmlDeviceGetInforomVersion(OEM)",
            || device.info_rom_version(InfoRom::OEM),
            Ok,
        ),
        inforom_ecc_version: asker.ask(
            "nvmlDeviceGetInforomVersion(ECC)",
            || device.info_rom_version(InfoRom::ECC),
            Ok,
        ),
        inforom_power_version: asker.ask(
            "nvmlDeviceGetInforomVersion(POWER)",
            || device.info_rom_version(InfoRom::Power),
            Ok,
        ),
        pci_bus_id: pci.and_then(|pci| pci.bus_id.parse().map_err(|_| Reason::Error)),
        pci_device_id: pci.map(|pci| format!("0x{:08X}", pci.pci_device_id)),
        pci_subsystem_id: pci.and_then(|pci| {
            let id = pci.pci_sub_system_id.ok_or(Reason::NotSupported)?;
            Ok(format!("0x{id:08X}"))
        }),
        bus_type: asker.ask(
            "nvmlDeviceGetBusType",
            || raw::bus_type(device),
            |bus| Ok(label::bus_type(bus)),
        ),
        minor_number: asker.ask("nvmlDeviceGetMinorNumber", || device.minor_number(), Ok),
        numa_node: asker.ask(
            "nvmlDeviceGetNumaNodeId",
            || raw::numa_node(device),
            convert::small_number,
        ),
        module_id: asker.ask(
            "nvmlDeviceGetModuleId",
            || raw::module_id(device),
            convert::small_number,
        ),
        addressing_mode: asker.ask(
            "nvmlDeviceGetAddressingMode",
            || raw::addressing_mode(device),
            |mode| Ok(label::addressing_mode(mode)),
        ),
        chassis_serial: platform.and_then(|platform| {
            raw::chassis_serial(&platform.chassisSerialNumber).ok_or(Reason::NotSupported)
        }),
        chassis_slot: platform.map(|platform| platform.slotNumber.into()),
        chassis_tray: platform.map(|platform| platform.trayIndex.into()),
        chassis_host_id: platform.map(|platform| platform.hostId.into()),
    }
}

fn limits(asker: &mut Asker, device: &Device<'_>) -> GpuLimits {
    let mut threshold = |key, threshold| {
        asker.ask(
            key,
            || raw::where_known(device.temperature_threshold(threshold)),
            convert::celsius,
        )
    };
    let slowdown_celsius = threshold(
        "nvmlDeviceGetTemperatureThreshold(slowdown)",
        TemperatureThreshold::Slowdown,
    );
    let shutdown_celsius = threshold(
        "nvmlDeviceGetTemperatureThreshold(shutdown)",
        TemperatureThreshold::Shutdown,
    );
    let gpu_max_celsius = threshold(
        "nvmlDeviceGetTemperatureThreshold(GPU max)",
        TemperatureThreshold::GpuMax,
    );
    let memory_max_celsius = threshold(
        "nvmlDeviceGetTemperatureThreshold(memory max)",
        TemperatureThreshold::MemoryMax,
    );
    let constraints = asker.ask(
        "nvmlDeviceGetPowerManagementLimitConstraints",
        || device.power_management_limit_constraints(),
        |limits| Ok((limits.min_limit, limits.max_limit)),
    );
    let power_default_watts = asker.ask(
        "nvmlDeviceGetPowerManagementDefaultLimit",
        || device.power_management_limit_default(),
        convert::watts,
    );
    let mut most = |key, clock| {
        asker.ask(
            key,
            || raw::where_known(device.max_clock_info(clock)),
            convert::megahertz,
        )
    };
    let graphics_max_mhz = most("nvmlDeviceGetMaxClockInfo(graphics)", Clock::Graphics);
    let sm_max_mhz = most("nvmlDeviceGetMaxClockInfo(sm)", Clock::SM);
    let memory_max_mhz = most("nvmlDeviceGetMaxClockInfo(memory)", Clock::Memory);
    let video_max_mhz = most("nvmlDeviceGetMaxClockInfo(video)", Clock::Video);
    let mut usual = |key, clock| {
        asker.ask(
            key,
            || raw::where_known(device.default_applications_clock(clock)),
            convert::megahertz,
        )
    };
    let application_graphics = usual("nvmlDeviceGetDefaultApplicationsClock(graphics)", Clock::Graphics);
    let application_memory = usual("nvmlDeviceGetDefaultApplicationsClock(memory)", Clock::Memory);
    let fans = asker.ask("nvmlDeviceGetMinMaxFanSpeed", || device.min_max_fan_speed(), Ok);
    GpuLimits {
        slowdown_celsius,
        shutdown_celsius,
        gpu_max_celsius,
        memory_max_celsius,
        power_default_watts,
        power_min_watts: constraints.and_then(|(min, _)| convert::watts(min)),
        power_max_watts: constraints.and_then(|(_, max)| convert::watts(max)),
        graphics_max_mhz,
        sm_max_mhz,
        memory_max_mhz,
        video_max_mhz,
        application_graphics_default_mhz: application_graphics,
        application_memory_default_mhz: application_memory,
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
        pcie_lane_max_mbps: asker.ask(
            "nvmlDeviceGetPcieLinkMaxSpeed",
            || raw::pcie_max_speed(device),
            lane_speed,
        ),
        fan_min_percent: fans.and_then(|(min, _)| convert::percent(min)),
        fan_max_percent: fans.and_then(|(_, max)| convert::percent(max)),
    }
}

/// `NVML_PCIE_LINK_MAX_SPEED_…`: which generation's rate a lane can have.
fn lane_speed(number: u32) -> Result<Megabits, Reason> {
    match number {
        1 => Ok(Megabits(2_500)),
        2 => Ok(Megabits(5_000)),
        3 => Ok(Megabits(8_000)),
        4 => Ok(Megabits(16_000)),
        5 => Ok(Megabits(32_000)),
        6 => Ok(Megabits(64_000)),
        _ => Err(Reason::Error),
    }
}
