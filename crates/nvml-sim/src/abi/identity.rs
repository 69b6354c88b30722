//! What a GPU is: names, numbers, and properties that never change.

use super::code::Code;
use super::ffi::{CharBuf, Out, Tagged, export};
use super::layout::AddressingMode;
use crate::world::World;

/// `NVML_DEVICE_GSP_FIRMWARE_VERSION_BUF_SIZE`: the one string whose room is agreed in advance.
const GSP_VERSION_ROOM: u32 = 0x40;

/// `nvmlInforomObject_t`.
const INFOROM_OEM: u32 = 0;
const INFOROM_ECC: u32 = 1;
const INFOROM_POWER: u32 = 2;
const INFOROM_DEN: u32 = 3;

/// `NVML_DEVICE_ADDRESSING_MODE_ATS`, and none.
const ADDRESSING_ATS: u32 = 2;
const ADDRESSING_NONE: u32 = 0;

export! {
    any_device fn nvmlDeviceGetName(name: CharBuf, length: u32) |gpu| {
        let spec = gpu.spec()?;
        let text = match gpu.instance()? {
            Some(instance) => format!("{} MIG {}", spec.name, instance.profile),
            None => spec.name.clone(),
        };
        name.write(length, text.as_bytes())
    }

    any_device fn nvmlDeviceGetUUID(uuid: CharBuf, length: u32) |gpu| {
        let text = match gpu.mig {
            Some(mig) => mig_uuid(&gpu.world, gpu.gpu, mig),
            None => self::uuid(&gpu.world, gpu.gpu),
        };
        uuid.write(length, text.as_bytes())
    }

    device fn nvmlDeviceGetSerial(serial: CharBuf, length: u32) |gpu| {
        let text = self::serial(&gpu.world, gpu.gpu).ok_or(Code::NOT_SUPPORTED)?;
        serial.write(length, text.as_bytes())
    }

    any_device fn nvmlDeviceGetBrand(brand: Out<u32>) |gpu| {
        brand.write(gpu.spec()?.brand as u32)
    }

    any_device fn nvmlDeviceGetIndex(index: Out<u32>) |gpu| {
        let place = match gpu.mig {
            Some(mig) => gpu.world.mig_instances(gpu.gpu).iter().position(|m| *m == mig),
            None => gpu.world.roster().iter().position(|g| *g == gpu.gpu),
        };
        index.write(place.ok_or(Code::INVALID_ARGUMENT)? as u32)
    }

    device fn nvmlDeviceGetMinorNumber(minor: Out<u32>) |gpu| {
        minor.write(gpu.gpu as u32)
    }

    device fn nvmlDeviceGetModuleId(module: Out<u32>) |gpu| {
        if !gpu.spec()?.nvlink.as_ref().is_some_and(|link| link.switch) {
            return Err(Code::NOT_SUPPORTED);
        }
        module.write(gpu.gpu as u32 + 1)
    }

    any_device fn nvmlDeviceGetArchitecture(architecture: Out<u32>) |gpu| {
        architecture.write(gpu.spec()?.architecture as u32)
    }

    any_device fn nvmlDeviceGetCudaComputeCapability(major: Out<i32>, minor: Out<i32>) |gpu| {
        let capability = gpu.spec()?.compute_capability;
        major.write(capability[0])?;
        minor.write(capability[1])
    }

    device fn nvmlDeviceGetNumGpuCores(cores: Out<u32>) |gpu| {
        cores.write(gpu.spec()?.cores)
    }

    device fn nvmlDeviceGetVbiosVersion(version: CharBuf, length: u32) |gpu| {
        version.write(length, gpu.spec()?.vbios.as_bytes())
    }

    device fn nvmlDeviceGetBoardPartNumber(part: CharBuf, length: u32) |gpu| {
        let text = gpu.spec()?.board_part.as_ref().ok_or(Code::NOT_SUPPORTED)?;
        part.write(length, text.as_bytes())
    }

    device fn nvmlDeviceGetBoardId(board: Out<u32>) |gpu| {
        let address = super::pci::Address::of(&gpu.world, gpu.gpu).ok_or(Code::INVALID_ARGUMENT)?;
        board.write(address.domain << 16 | address.bus << 8)
    }

    device fn nvmlDeviceGetMultiGpuBoard(multi: Out<u32>) |_gpu| {
        multi.write(0)
    }

    device fn nvmlDeviceGetInforomImageVersion(version: CharBuf, length: u32) |gpu| {
        let inforom = gpu.spec()?.inforom.as_ref().ok_or(Code::NOT_SUPPORTED)?;
        version.write(length, inforom.image.as_bytes())
    }

    device fn nvmlDeviceGetInforomVersion(object: u32, version: CharBuf, length: u32) |gpu| {
        let inforom = gpu.spec()?.inforom.as_ref();
        let text = match object {
            INFOROM_OEM => inforom.and_then(|inforom| inforom.oem.as_ref()),
            INFOROM_ECC => inforom.and_then(|inforom| inforom.ecc.as_ref()),
            INFOROM_POWER => inforom.and_then(|inforom| inforom.power.as_ref()),
            INFOROM_DEN => None,
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        version.write(length, text.ok_or(Code::NOT_SUPPORTED)?.as_bytes())
    }

    device fn nvmlDeviceGetGspFirmwareVersion(version: CharBuf) |gpu| {
        // GSP firmware ships with the driver, and has its version.
        version.write(GSP_VERSION_ROOM, gpu.world.profile.driver.version.as_bytes())
    }

    device fn nvmlDeviceGetGspFirmwareMode(enabled: Out<u32>, default: Out<u32>) |_gpu| {
        enabled.write(1)?;
        default.write(1)
    }

    device fn nvmlDeviceGetNumaNodeId(node: Out<u32>) |gpu| {
        node.write(gpu.spec()?.numa_node.ok_or(Code::NOT_SUPPORTED)?)
    }

    device fn nvmlDeviceGetAddressingMode(mode: Tagged) |gpu| {
        let place = mode.of::<AddressingMode>()?;
        // Only a GPU that shares the system's memory is itself a NUMA node here.
        let value = if gpu.spec()?.numa_node.is_some() { ADDRESSING_ATS } else { ADDRESSING_NONE };
        place.write(AddressingMode { mode: value, ..place.read()? })
    }

    device fn nvmlDeviceGetIrqNum(number: Out<u32>) |gpu| {
        number.write(120 + gpu.gpu as u32)
    }
}

/// The UUID of a GPU.
pub(super) fn uuid(world: &World, gpu: usize) -> String {
    let given = world.engine.spec(gpu).and_then(|spec| spec.uuid.clone());
    given.unwrap_or_else(|| format!("GPU-{}", uuid_digits(world, gpu, 0)))
}

/// The UUID of a MIG instance.
pub(super) fn mig_uuid(world: &World, gpu: usize, mig: usize) -> String {
    let instance = world.engine.spec(gpu).and_then(|spec| spec.mig.get(mig));
    let given = instance.and_then(|instance| instance.uuid.clone());
    given.unwrap_or_else(|| format!("MIG-{}", uuid_digits(world, gpu, 16 + mig as u64)))
}

/// The serial number of a GPU; boards without a part number have none.
pub(super) fn serial(world: &World, gpu: usize) -> Option<String> {
    let spec = world.engine.spec(gpu)?;
    let made = || {
        let number = world.engine.identity(gpu, 1) % 1_000_000_000;
        spec.board_part.as_ref().map(|_| format!("1653{number:09}"))
    };
    spec.serial.clone().or_else(made)
}

/// 128 bits of identity in the form of a version 4 UUID.
pub(super) fn uuid_digits(world: &World, gpu: usize, what: u64) -> String {
    let high = world.engine.identity(gpu, 100 + 2 * what);
    let low = world.engine.identity(gpu, 101 + 2 * what);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xFFFF,
        high & 0xFFF,
        0x8000 | low >> 48 & 0x3FFF,
        low & 0xFFFF_FFFF_FFFF
    )
}
