//! Confidential computing: on for a whole node, or off.

use super::call::Global;
use super::code::{Code, Result};
use super::ffi::{Out, Tagged, export};
use super::layout::{
    ConfComputeCapabilities, ConfComputeMemory, ConfComputeSettings, ConfComputeSettingsV2, ConfComputeState,
    Memory,
};

/// `NVML_CC_SYSTEM_CPU_CAPS_AMD_SEV_SNP`: the simulated processors.
const CPU_SEV_SNP: u32 = 3;

/// `NVML_CC_SYSTEM_ENVIRONMENT_PROD`.
const PRODUCTION: u32 = 2;

/// `NVML_CC_SYSTEM_MULTIGPU_PROTECTED_PCIE`: how several GPUs are one trusted domain.
const PROTECTED_PCIE: u32 = 1;

export! {
    global fn nvmlSystemGetConfComputeState(state: Out<ConfComputeState>) |call| {
        let on = is_on(call);
        let environment = if on { PRODUCTION } else { 0 };
        state.write(ConfComputeState { environment, feature: u32::from(on), dev_tools: 0 })
    }

    global fn nvmlSystemGetConfComputeSettings(settings: Tagged) |call| {
        let place = settings.of::<ConfComputeSettings>()?;
        let ConfComputeSettingsV2 { version, environment, feature, dev_tools, multi_gpu, .. } =
            current(call, settings.tag()?);
        place.write(ConfComputeSettings { version, environment, feature, dev_tools, multi_gpu })
    }

    global fn nvmlSystemGetConfComputeSettings_v2(settings: Tagged) |call| {
        settings.of::<ConfComputeSettingsV2>()?.write(current(call, settings.tag()?))
    }

    global fn nvmlSystemGetConfComputeCapabilities(capabilities: Out<ConfComputeCapabilities>) |call| {
        let gpus = &call.world.profile.gpus;
        let capable = !gpus.is_empty() && gpus.iter().all(|gpu| gpu.can_be_confidential());
        capabilities.write(ConfComputeCapabilities {
            cpu: if is_on(call) { CPU_SEV_SNP } else { 0 },
            gpus: u32::from(capable),
        })
    }

    global fn nvmlSystemGetConfComputeGpusReadyState(accepting: Out<u32>) |call| {
        needs(is_on(call))?;
        accepting.write(1)
    }

    device fn nvmlDeviceGetConfComputeMemSizeInfo(memory: Out<ConfComputeMemory>) |gpu| {
        let total = gpu.truth()?.memory_total >> 10;
        let on = gpu.world.profile.driver.confidential_compute;
        let (protected_kib, unprotected_kib) = if on { (total, 0) } else { (0, total) };
        memory.write(ConfComputeMemory { protected_kib, unprotected_kib })
    }

    device fn nvmlDeviceGetConfComputeProtectedMemoryUsage(memory: Out<Memory>) |gpu| {
        needs(gpu.world.profile.driver.confidential_compute)?;
        let truth = gpu.truth()?;
        let used = truth.memory_used.saturating_add(truth.memory_reserved);
        memory.write(Memory { total: truth.memory_total, free: truth.memory_free, used })
    }
}

fn is_on(call: &Global) -> bool {
    call.world.profile.driver.confidential_compute
}

fn needs(on: bool) -> Result {
    if on { Ok(()) } else { Err(Code::NOT_SUPPORTED) }
}

fn current(call: &Global, version: u32) -> ConfComputeSettingsV2 {
    let on = is_on(call);
    let several = on && call.world.engine.len() > 1;
    ConfComputeSettingsV2 {
        version,
        environment: if on { PRODUCTION } else { 0 },
        feature: u32::from(on),
        dev_tools: 0,
        multi_gpu: if several { PROTECTED_PCIE } else { 0 },
        // The GPUs are not behind a TDI.
        tdisp: 0,
    }
}
