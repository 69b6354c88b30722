//! Words for NVML's numbers. A number of a later driver is `unknown_N`: nothing is lost, and nothing fails for want of a name.

use gpulse_models::Label;

/// Declares a function from a number to its word.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($number:literal $word:literal)* })*) => { $(
        $(#[$doc])*
        pub(crate) fn $name(number: u32) -> Label {
            match number {
                $($number => $word.into(),)*
                other => format!("unknown_{other}").into(),
            }
        }
    )* };
}

words! {
    /// `nvmlBrandType_t`, as NVIDIA writes its brands.
    brand {
        0 "unknown" 1 "Quadro" 2 "Tesla" 3 "NVS" 4 "GRID" 5 "GeForce" 6 "Titan" 7 "NVIDIA vApps" 8 "NVIDIA vPC"
        9 "NVIDIA vCS" 10 "NVIDIA RTX vWS" 11 "NVIDIA Cloud Gaming" 12 "Quadro RTX" 13 "NVIDIA RTX" 14 "NVIDIA"
        15 "GeForce RTX" 16 "Titan RTX" 17 "NVIDIA DLA" 18 "NVIDIA RTX Virtual Game Dev" 19 "NVIDIA NPU"
    }
    /// `nvmlDeviceArchitecture_t`
    architecture {
        2 "Kepler" 3 "Maxwell" 4 "Pascal" 5 "Volta" 6 "Turing" 7 "Ampere" 8 "Ada" 9 "Hopper" 10 "Blackwell" 13 "Rubin"
        0xffff_ffff "unknown"
    }
    /// `nvmlBusType_t`
    bus_type { 0 "unknown" 1 "pci" 2 "pcie" 3 "fpci" 4 "agp" }
    /// `nvmlPowerSource_t`
    power_source { 0 "ac" 1 "battery" 2 "undersized" }
    /// `nvmlComputeMode_t`
    compute_mode { 0 "default" 1 "exclusive_thread" 2 "prohibited" 3 "exclusive_process" }
    /// `nvmlGpuVirtualizationMode_t`
    virtualization { 0 "none" 1 "passthrough" 2 "vgpu" 3 "host_vgpu" 4 "host_vsga" }
    /// `nvmlHostVgpuMode_t`
    vgpu_host_mode { 0 "non_sriov" 1 "sriov" }
    /// `nvmlGridLicenseFeatureCode_t`
    license_feature { 0 "unknown" 1 "vgpu" 2 "nvidia_rtx" 3 "gaming" 4 "compute" }
    /// `NVML_GRID_LICENSE_EXPIRY_…`
    license_expiry { 0 "not_available" 1 "invalid" 2 "valid" 3 "not_applicable" 4 "permanent" }
    /// `nvmlFanControlPolicy_t`
    fan_policy { 0 "automatic" 1 "manual" }
    /// `nvmlDeviceAddressingModeType_t`
    addressing_mode { 0 "none" 1 "hmm" 2 "ats" }
    /// `nvmlIntNvLinkDeviceType_t`
    nvlink_remote { 0 "gpu" 1 "cpu" 2 "switch" 255 "unknown" }
    /// `nvmlNvlinkVersion_t`
    nvlink_version { 1 "1.0" 2 "2.0" 3 "2.2" 4 "3.0" 5 "3.1" 6 "4.0" 7 "5.0" 8 "6.0" }
    /// `nvmlGpuFabricState_t`
    fabric_state { 0 "not_supported" 1 "not_started" 2 "in_progress" 3 "completed" }
    /// `nvmlDeviceGpuRecoveryAction_t`
    recovery_action {
        0 "none" 1 "gpu_reset" 2 "node_reboot" 3 "drain_p2p" 4 "drain_and_reset" 5 "recover_imex_domain" 6 "bus_reset"
        7 "system_reboot"
    }
    /// `nvmlGpuTopologyLevel_t`
    topology_level { 0 "internal" 10 "single" 20 "multiple" 30 "host_bridge" 40 "node" 50 "system" }
    /// `nvmlGpuP2PStatus_t`
    p2p_status {
        0 "ok" 1 "chipset_not_supported" 2 "gpu_not_supported" 3 "io_hub_not_supported" 4 "disabled_by_regkey"
        5 "not_supported" 6 "unknown"
    }
}

/// What is switched on of confidential compute, by `nvmlConfComputeSystemState_t`: its feature and its mode for developers.
pub(crate) fn confidential_compute(feature: u32, developers: u32) -> Label {
    match (feature, developers) {
        (0, _) => "off".into(),
        (_, 1) => "devtools".into(),
        (1, _) => "on".into(),
        (2, _) => "bare_metal".into(),
        (other, _) => format!("unknown_{other}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_later_driver_is_not_lost() {
        assert_eq!(architecture(9).as_str(), "Hopper");
        assert_eq!(architecture(77).as_str(), "unknown_77");
        assert_eq!(confidential_compute(7, 0).as_str(), "unknown_7");
    }

    #[test]
    fn tools_for_developers_take_confidence_away() {
        assert_eq!(confidential_compute(1, 0).as_str(), "on");
        assert_eq!(confidential_compute(1, 1).as_str(), "devtools");
        assert_eq!(confidential_compute(0, 0).as_str(), "off");
    }
}
