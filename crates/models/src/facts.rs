//! What does not change while the driver stays loaded: read once per initialisation, as far as the driver answers.

use serde::{Deserialize, Serialize};

use crate::{
    Bits, Celsius, GpuId, Label, Megabits, Megahertz, PciBusId, Percent, Reading, Watts,
    catalogue::{Readings, Shown, readings},
};

/// The static facts of one GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GpuFacts {
    /// NVML UUID (`nvmlDeviceGetUUID`).
    pub id: GpuId,
    /// What the GPU is.
    pub identity: GpuIdentity,
    /// What the GPU can be driven to.
    pub limits: GpuLimits,
}

impl GpuFacts {
    /// The same, with what was known before in place of what is absent now.
    #[must_use]
    pub fn or(self, before: &Self) -> Self {
        Self {
            id: self.id,
            identity: self.identity.or(&before.identity),
            limits: self.limits.or(&before.limits),
        }
    }

    /// Whether a fact is absent for a reason that may pass, so that it is worth asking for again.
    pub fn is_provisional(&self) -> bool {
        fn passing(readings: &dyn Readings) -> bool {
            let mut found = false;
            readings.see(&mut |_, reading| {
                found |= match reading {
                    Reading::Unavailable(reason) => !reason.is_permanent(),
                    Reading::Value(Shown::Part(part)) => passing(&*part),
                    Reading::Value(_) => false,
                };
            });
            found
        }
        passing(&self.identity) || passing(&self.limits)
    }
}

readings! {
    /// What the GPU is.
    pub struct GpuIdentity {
        /// Model.
        reading name: String, info, "nvmlDeviceGetName", Fermi;
        /// Line of products, such as `GeForce RTX`.
        reading brand: Label, info, "nvmlDeviceGetBrand", Fermi;
        /// Generation of the chip, such as `Hopper`.
        reading architecture: Label, info, "nvmlDeviceGetArchitecture", Kepler;
        /// CUDA compute capability, such as `9.0`.
        reading compute_capability: String, info, "nvmlDeviceGetCudaComputeCapability", Fermi;
        /// CUDA cores.
        reading cores: u32, info, "nvmlDeviceGetNumGpuCores", Fermi;
        /// Width of the memory bus.
        reading memory_bus_bits: Bits, info, "nvmlDeviceGetMemoryBusWidth", Fermi;
        /// Serial number of the board.
        reading serial: String, info, "nvmlDeviceGetSerial", Fermi;
        /// Part number of the board.
        reading board_part_number: String, info, "nvmlDeviceGetBoardPartNumber", Fermi;
        /// Number of the board; GPUs of one board share it.
        reading board_id: u32, info, "nvmlDeviceGetBoardId", Fermi;
        /// Whether the board has several GPUs.
        reading multi_gpu_board: bool, info, "nvmlDeviceGetMultiGpuBoard", Fermi;
        /// Version of the video BIOS.
        reading vbios_version: String, info, "nvmlDeviceGetVbiosVersion", Fermi;
        /// Version of the firmware of the GPU's system processor.
        reading gsp_firmware_version: String, info, "nvmlDeviceGetGspFirmwareVersion", Turing;
        /// Version of the image in the board's own memory, the infoROM.
        reading inforom_image_version: String, info, "nvmlDeviceGetInforomImageVersion", Kepler;
        /// Version of the vendor's object in the infoROM.
        reading inforom_oem_version: String, info, "nvmlDeviceGetInforomVersion(OEM)", Fermi;
        /// Version of the infoROM's object for memory errors.
        reading inforom_ecc_version: String, info, "nvmlDeviceGetInforomVersion(ECC)", Fermi;
        /// Version of the infoROM's object for power management.
        reading inforom_power_version: String, info, "nvmlDeviceGetInforomVersion(POWER)", Fermi;
        /// Where it sits.
        reading pci_bus_id: PciBusId, info, "nvmlDeviceGetPciInfo_v3", Fermi;
        /// PCI ids of the chip: device and vendor, such as `0x233010DE`.
        reading pci_device_id: String, info, "nvmlDeviceGetPciInfo_v3", Fermi;
        /// PCI ids of the board: subsystem and vendor.
        reading pci_subsystem_id: String, info, "nvmlDeviceGetPciInfo_v3", Fermi;
        /// What it is joined to the host by: `pci`, `pcie`, `fpci` or `agp`.
        reading bus_type: Label, info, "nvmlDeviceGetBusType", Fermi;
        /// Number of its device file: `/dev/nvidia` and this.
        reading minor_number: u32, info, "nvmlDeviceGetMinorNumber", Fermi;
        /// The NUMA node of the host that is nearest to it.
        reading numa_node: u32, info, "nvmlDeviceGetNumaNodeId", Fermi;
        /// Number of its module on the base board.
        reading module_id: u32, info, "nvmlDeviceGetModuleId", Ampere;
        /// How addresses of host and GPU come together: `none`, `hmm` or `ats`.
        reading addressing_mode: Label, info, "nvmlDeviceGetAddressingMode", Pascal;
        /// Serial number of the chassis that it sits in.
        reading chassis_serial: String, info, "nvmlDeviceGetPlatformInfo", Blackwell;
        /// Its slot in that chassis.
        reading chassis_slot: u32, info, "nvmlDeviceGetPlatformInfo", Blackwell;
        /// The tray within the slot.
        reading chassis_tray: u32, info, "nvmlDeviceGetPlatformInfo", Blackwell;
        /// The node within that tray.
        reading chassis_host_id: u32, info, "nvmlDeviceGetPlatformInfo", Blackwell;
    }

    /// What the GPU can be driven to.
    pub struct GpuLimits {
        /// Clocks are lowered from here.
        reading slowdown_celsius: Celsius, gauge, "nvmlDeviceGetTemperatureThreshold(slowdown)", Kepler;
        /// The GPU switches off from here.
        reading shutdown_celsius: Celsius, gauge, "nvmlDeviceGetTemperatureThreshold(shutdown)", Kepler;
        /// The core is kept below this.
        reading gpu_max_celsius: Celsius, gauge, "nvmlDeviceGetTemperatureThreshold(GPU max)", Pascal;
        /// The memory is kept below this.
        reading memory_max_celsius: Celsius, gauge, "nvmlDeviceGetTemperatureThreshold(memory max)", Pascal;
        /// The power limit after a reset.
        reading power_default_watts: Watts, gauge, "nvmlDeviceGetPowerManagementDefaultLimit", Kepler;
        /// The lowest power limit that can be set.
        reading power_min_watts: Watts, gauge, "nvmlDeviceGetPowerManagementLimitConstraints", Kepler;
        /// The highest power limit that can be set.
        reading power_max_watts: Watts, gauge, "nvmlDeviceGetPowerManagementLimitConstraints", Kepler;
        /// The highest graphics clock.
        reading graphics_max_mhz: Megahertz, gauge, "nvmlDeviceGetMaxClockInfo(graphics)", Fermi;
        /// The highest clock of the streaming multiprocessors.
        reading sm_max_mhz: Megahertz, gauge, "nvmlDeviceGetMaxClockInfo(sm)", Fermi;
        /// The highest memory clock.
        reading memory_max_mhz: Megahertz, gauge, "nvmlDeviceGetMaxClockInfo(memory)", Fermi;
        /// The highest clock of the video engines.
        reading video_max_mhz: Megahertz, gauge, "nvmlDeviceGetMaxClockInfo(video)", Maxwell;
        /// The graphics clock of applications after a reset.
        reading application_graphics_default_mhz: Megahertz, gauge, "nvmlDeviceGetDefaultApplicationsClock(graphics)", Kepler;
        /// The memory clock of applications after a reset.
        reading application_memory_default_mhz: Megahertz, gauge, "nvmlDeviceGetDefaultApplicationsClock(memory)", Kepler;
        /// Highest PCIe generation of GPU and slot.
        reading pcie_generation_max: u32, info, "nvmlDeviceGetMaxPcieLinkGeneration", Fermi;
        /// Highest PCIe width, in lanes.
        reading pcie_width_max: u32, info, "nvmlDeviceGetMaxPcieLinkWidth", Fermi;
        /// Highest rate of a PCIe lane.
        reading pcie_lane_max_mbps: Megabits, info, "nvmlDeviceGetPcieLinkMaxSpeed", Fermi;
        /// The lowest speed that fans can be driven at.
        reading fan_min_percent: Percent, gauge, "nvmlDeviceGetMinMaxFanSpeed", Maxwell;
        /// The highest speed that fans can be driven at.
        reading fan_max_percent: Percent, gauge, "nvmlDeviceGetMinMaxFanSpeed", Maxwell;
    }
}
