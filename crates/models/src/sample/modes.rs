//! What is switched on.

use crate::{Bytes, Label, catalogue::readings};

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
}
