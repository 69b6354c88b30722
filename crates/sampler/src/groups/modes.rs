//! What is switched on.

use gpulse_models::{Bytes, LicenseFeature, Modes, Reading, Reason};

use super::Gpu;
use crate::{
    convert, label,
    raw::{self, LicensableFeature, Licensing},
};

pub(super) fn read(gpu: &mut Gpu<'_, '_>) -> Modes {
    let (nvml, device) = (gpu.nvml, gpu.device);
    let asker = &mut *gpu.asker;
    let protected = asker.ask(
        "nvmlDeviceGetConfComputeMemSizeInfo",
        || raw::protected_memory(device),
        Ok,
    );
    let licensing = asker.ask(
        "nvmlDeviceGetGridLicensableFeatures_v4",
        || raw::licensing(device),
        Ok,
    );
    let licensing = licensing.as_ref();
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
        vgpu_license_supported: licensing.map(|licensing| licensing.supported),
        vgpu_licensed: licensing.and_then(vgpu_licensed),
        license_features: licensing.map(|licensing| licensing.features.iter().map(describe).collect()),
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

/// Whether the vGPU has its licence, where it takes one.
fn vgpu_licensed(licensing: &Licensing) -> Result<bool, Reason> {
    let vgpu = licensing
        .features
        .iter()
        .find(|feature| feature.code == raw::VGPU);
    vgpu.map(|vgpu| vgpu.licensed).ok_or(Reason::NotSupported)
}

fn describe(feature: &LicensableFeature) -> LicenseFeature {
    LicenseFeature {
        feature: Reading::Value(label::license_feature(feature.code)),
        product: convert::name(&feature.product).into(),
        enabled: Reading::Value(feature.enabled),
        licensed: Reading::Value(feature.licensed),
        expiry: Reading::Value(label::license_expiry(feature.expiry.status)),
        expires_at: convert::expiry(feature.expiry).into(),
    }
}
