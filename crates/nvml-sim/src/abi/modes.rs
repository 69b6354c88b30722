//! Modes and states that simulated GPUs have but never change.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Out, Tagged, Versioned, export};
use super::layout::{C2cMode, Capabilities, FabricInfo, FabricInfoV2, FabricInfoV3, PlatformInfo};
use crate::profile::Architecture;

/// `NVML_GPU_FABRIC_STATE_COMPLETED`.
const FABRIC_COMPLETED: u8 = 3;

/// Bandwidth not degraded, no route recovery, routes healthy, no access timeout recovery: the "false" of
/// each.
const FABRIC_HEALTHY: u32 = 0b10_10_10_10;

/// `NVML_GPU_FABRIC_HEALTH_SUMMARY_HEALTHY`.
const FABRIC_SUMMARY_HEALTHY: u8 = 1;

export! {
    any_device fn nvmlDeviceGetPersistenceMode(mode: Out<u32>) |_gpu| {
        mode.write(1)
    }

    any_device fn nvmlDeviceGetComputeMode(mode: Out<u32>) |_gpu| {
        mode.write(0)
    }

    device fn nvmlDeviceGetDisplayMode | nvmlDeviceGetDisplayActive (state: Out<u32>) |gpu| {
        state.write(u32::from(gpu.spec()?.is_consumer()))
    }

    device fn nvmlDeviceGetAPIRestriction(api: u32, restricted: Out<u32>) |_gpu| {
        if api > 1 {
            return Err(Code::INVALID_ARGUMENT);
        }
        restricted.write(1)
    }

    device fn nvmlDeviceGetCapabilities(capabilities: Tagged) |_gpu| {
        let place = capabilities.of::<Capabilities>()?;
        place.write(Capabilities { mask: 0, ..place.read()? })
    }

    device fn nvmlDeviceGetC2cModeInfoV(mode: Out<C2cMode>) |gpu| {
        if !gpu.spec()?.c2c {
            return Err(Code::NOT_SUPPORTED);
        }
        mode.write(C2cMode { enabled: 1 })
    }

    device fn nvmlDeviceGetPlatformInfo(info: Tagged) |gpu| {
        // The first version has the same places for other names.
        const FIRST: u32 = PlatformInfo::TAG & 0xFF_FFFF | 1 << 24;
        let tag = info.tag()?;
        let place = info.of_version::<PlatformInfo>(FIRST).or_else(|_| info.of::<PlatformInfo>())?;
        place.write(PlatformInfo { version: tag, ..platform(gpu)? })
    }

    device fn nvmlDeviceGetGpuFabricInfo(info: Out<FabricInfo>) |gpu| {
        in_a_fabric(gpu)?;
        let state = FABRIC_COMPLETED;
        info.write(FabricInfo { cluster: [0; 16], status: 0, clique: 0, state, padding: [0; 3] })
    }

    device fn nvmlDeviceGetGpuFabricInfoV(info: Tagged) |gpu| {
        if let Ok(place) = info.of::<FabricInfoV2>() {
            in_a_fabric(gpu)?;
            return place.write(FabricInfoV2 {
                version: info.tag()?,
                cluster: [0; 16],
                status: 0,
                clique: 0,
                state: FABRIC_COMPLETED,
                padding: [0; 3],
                health_mask: FABRIC_HEALTHY,
            });
        }
        let place = info.of::<FabricInfoV3>()?;
        in_a_fabric(gpu)?;
        place.write(FabricInfoV3 {
            version: info.tag()?,
            cluster: [0; 16],
            status: 0,
            clique: 0,
            state: FABRIC_COMPLETED,
            padding: [0; 3],
            health_mask: FABRIC_HEALTHY,
            health_summary: FABRIC_SUMMARY_HEALTHY,
            end: [0; 3],
        })
    }
}

/// GPUs behind NVSwitch register with the fabric manager from Hopper on.
fn in_a_fabric(gpu: &Device) -> Result {
    let spec = gpu.spec()?;
    let switched = spec.nvlink.as_ref().is_some_and(|link| link.switch);
    if switched && spec.architecture >= Architecture::Hopper {
        Ok(())
    } else {
        Err(Code::NOT_SUPPORTED)
    }
}

/// Where a GPU sits in its rack. Boards behind NVSwitch tell from Blackwell on.
fn platform(gpu: &Device) -> Result<PlatformInfo> {
    /// Bytes of a GUID and of a serial number on Blackwell; the rest of their places is zero.
    const GUID: usize = 8;
    const SERIAL: usize = 13;
    const BEHIND_A_SWITCH: u8 = 1;
    let spec = gpu.spec()?;
    let switched = spec.nvlink.as_ref().is_some_and(|link| link.switch);
    if !switched || spec.architecture < Architecture::Blackwell {
        return Err(Code::NOT_SUPPORTED);
    }
    let mut guid = [0; 16];
    guid[..GUID].copy_from_slice(&gpu.world.engine.identity(gpu.gpu, 3).to_be_bytes());
    let mut chassis = [0; 16];
    // All GPUs of a node share its chassis.
    let number = gpu.world.engine.identity(0, 4) % 10_u64.pow(SERIAL as u32);
    chassis[..SERIAL].copy_from_slice(format!("{number:0SERIAL$}").as_bytes());
    Ok(PlatformInfo {
        version: 0,
        guid,
        chassis,
        slot: 1,
        tray: 0,
        host: 0,
        peer: BEHIND_A_SWITCH,
        module: gpu.gpu as u8 + 1,
    })
}
