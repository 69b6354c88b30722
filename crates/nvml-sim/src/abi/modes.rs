//! Modes and states that simulated GPUs have but never change.

use super::code::Code;
use super::ffi::{Out, Tagged, export};
use super::layout::{Capabilities, FabricInfo, FabricInfoV2, FabricInfoV3};

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
            health_mask: FABRIC_HEALTHY,
            health_summary: FABRIC_SUMMARY_HEALTHY,
        })
    }
}

/// GPUs behind NVSwitch register with the fabric manager from Hopper on.
fn in_a_fabric(gpu: &super::call::Device) -> super::code::Result {
    let spec = gpu.spec()?;
    let switched = spec.nvlink.as_ref().is_some_and(|link| link.switch);
    if switched && spec.architecture >= crate::profile::Architecture::Hopper {
        Ok(())
    } else {
        Err(Code::NOT_SUPPORTED)
    }
}
