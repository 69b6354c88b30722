//! What is switched on.

use crate::{Bytes, Label, Timestamp, catalogue::readings};

readings! {
    /// What is switched on.
    pub struct Modes {
        /// Whether the driver stays loaded while nobody uses the GPU.
        reading persistence: bool, info, "nvmlDeviceGetPersistenceMode", Fermi;
        /// Who may compute: `default` (anybody), `exclusive_process` or `prohibited`.
        reading compute_mode: Label, info, "nvmlDeviceGetComputeMode", Fermi;
        /// Whether a display is initialised on it.
        reading display_active: bool, info, "nvmlDeviceGetDisplayActive", Fermi;
        /// Whether a display is plugged in.
        reading display_connected: bool, info, "nvmlDeviceGetDisplayMode", Fermi;
        /// How the GPU is virtualised: `none`, `passthrough`, `vgpu`, `host_vgpu` or `host_vsga`.
        reading virtualization: Label, info, "nvmlDeviceGetVirtualizationMode", Kepler;
        /// Whether vGPUs are cut by time (`sriov`) or not (`non_sriov`).
        reading vgpu_host_mode: Label, info, "nvmlDeviceGetHostVgpuMode", Turing;
        /// Whether vGPU software takes a licence here: as a rule in virtual machines only.
        reading vgpu_license_supported: bool, info, "nvmlDeviceGetGridLicensableFeatures_v4", Maxwell;
        /// Whether the vGPU has its licence, without which it soon becomes slow; absent where it needs none.
        reading vgpu_licensed: bool, info, "nvmlDeviceGetGridLicensableFeatures_v4", Maxwell;
        /// Each feature that takes a licence; none where there is no licensing.
        list license_features: LicenseFeature, info, "nvmlDeviceGetGridLicensableFeatures_v4", Maxwell;
        /// Whether the driver keeps accounts of processes.
        reading accounting: bool, info, "nvmlDeviceGetAccountingMode", Kepler;
        /// Whether GPU and processor are joined by a coherent link between chips.
        reading chip_to_chip: bool, info, "nvmlDeviceGetC2cModeInfoV", Hopper;
        /// Whether the GPU computes on encrypted data only: `off`, `on` or `devtools`.
        reading confidential_compute: Label, info, "nvmlSystemGetConfComputeState", Hopper;
        /// Memory that is protected from the host.
        reading protected_memory_bytes: Bytes, gauge, "nvmlDeviceGetConfComputeMemSizeInfo", Hopper;
        /// Memory that is not.
        reading unprotected_memory_bytes: Bytes, gauge, "nvmlDeviceGetConfComputeMemSizeInfo", Hopper;
    }

    /// A feature of the vGPU software that takes a licence.
    pub struct LicenseFeature {
        /// Which one: `vgpu`, `nvidia_rtx` (a virtual workstation), `gaming` or `compute`.
        reading feature: Label, info, "nvmlDeviceGetGridLicensableFeatures_v4", Maxwell;
        /// The product that is licensed, such as `NVIDIA RTX Virtual Workstation`.
        reading product: String, info, "nvmlDeviceGetGridLicensableFeatures_v4", Maxwell;
        /// Whether it is asked for.
        reading enabled: bool, info, "nvmlDeviceGetGridLicensableFeatures_v4", Maxwell;
        /// Whether it has its licence.
        reading licensed: bool, info, "nvmlDeviceGetGridLicensableFeatures_v4", Maxwell;
        /// What is known of its end: `not_available`, `invalid`, `valid` (it ends at `expires_at`), `not_applicable` or `permanent`.
        reading expiry: Label, info, "nvmlDeviceGetGridLicensableFeatures_v4", Maxwell;
        /// When it ends.
        reading expires_at: Timestamp, info, "nvmlDeviceGetGridLicensableFeatures_v4", Maxwell;
    }
}
