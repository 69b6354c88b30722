//! What is switched on.

use gpulse_models::{Bytes, Modes};

use super::Gpu;
use crate::{convert, label, raw};

pub(super) fn read(gpu: &mut Gpu<'_, '_>) -> Modes {
    let (nvml, device) = (gpu.nvml, gpu.device);
    let asker = &mut *gpu.asker;
    let protected = asker.ask(
        "nvmlDeviceGetConfComputeMemSizeInfo",
        || raw::protected_memory(device),
        Ok,
    );
    Modes {
        persistence: asker.ask(
            "nvmlDeviceGetPersistenceMode",
            || device.is_in_persistent_mode(),
            Ok,
        ),
        compute_mode: asker.ask(
            "nvmlDeviceGetComputeMode",
            || raw::compute_mode(device),
            |mode| Ok(label::compute_mode(mode)),
        ),
        display_active: asker.ask("nvmlDeviceGetDisplayActive", || device.is_display_active(), Ok),
        display_connected: asker.ask("nvmlDeviceGetDisplayMode", || device.is_display_connected(), Ok),
        virtualization: asker.ask(
            "nvmlDeviceGetVirtualizationMode",
            || raw::virtualization_mode(device),
            |mode| Ok(label::virtualization(mode)),
        ),
        vgpu_host_mode: asker.ask(
            "nvmlDeviceGetHostVgpuMode",
            || raw::host_vgpu_mode(device),
            |mode| Ok(label::vgpu_host_mode(mode)),
        ),
        accounting: asker.ask(
            "nvmlDeviceGetAccountingMode",
            || device.is_accounting_enabled(),
            Ok,
        ),
        chip_to_chip: asker.ask("nvmlDeviceGetC2cModeInfoV", || raw::chip_to_chip(device), Ok),
        confidential_compute: asker.ask_host(
            "nvmlSystemGetConfComputeState",
            || raw::confidential_compute(nvml),
            |(feature, developers)| Ok(label::confidential_compute(feature, developers)),
        ),
        protected_memory_bytes: protected.and_then(|size| convert::count(size.protected).map(Bytes)),
        unprotected_memory_bytes: protected.and_then(|size| convert::count(size.unprotected).map(Bytes)),
    }
}
