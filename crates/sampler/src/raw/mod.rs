//! NVML calls that nvml-wrapper does not make, with types. Units are NVML's own; they change in `convert.rs`.

mod events;
mod fields;
mod gpm;
mod licensing;
mod processes;
mod samples;

use std::ffi::c_char;

use nvml_wrapper::{Device, Nvml, enum_wrappers::vgpu::VmId, error::NvmlError};

pub(crate) use self::{
    events::{Event, Handle, supported_types, wait},
    fields::{FieldNumber, fields},
    gpm::GpmBuffers,
    licensing::{LicensableFeature, LicenseExpiry, Licensing, VGPU, licensing},
    processes::{ProcessEntry, compute_processes, graphics_processes, mps_processes},
    samples::samples,
};
use crate::ffi;
pub(crate) use crate::ffi::{
    architecture, brand, bus_type, clocks_event_reasons as event_reasons, common_ancestor,
    compute_instance_id, compute_mode, fan_policy, gpu_instance_id, host_vgpu_mode, module_id, numa_node,
    nvlink_remote_type, nvlink_version, p2p_status, pcie_max_speed, platform, power_source,
    row_remapper_histogram, sram_errors, target_fan_speed, virtualization_mode,
};

/// `nvmlGpuP2PCapsIndex_t`
pub(crate) const P2P_READ: u32 = 0;
pub(crate) const P2P_WRITE: u32 = 1;
pub(crate) const P2P_NVLINK: u32 = 2;

/// Processors and NUMA nodes that are looked at, in words of 64.
const AFFINITY_WORDS: usize = 64;

/// Device memory, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) used: u64,
    pub(crate) free: u64,
    /// Nothing where the driver does not tell it from what is used.
    pub(crate) reserved: Option<u64>,
}

/// `nvmlDeviceGetMemoryInfo_v2`, or `nvmlDeviceGetMemoryInfo` of drivers that do not have it.
pub(crate) fn memory(device: &Device<'_>) -> Result<Memory, NvmlError> {
    match ffi::memory_v2(device) {
        Ok(info) => Ok(Memory {
            total: info.total,
            used: info.used,
            free: info.free,
            reserved: Some(info.reserved),
        }),
        Err(error) if is_missing(&error) => ffi::memory_v1(device).map(|info| Memory {
            total: info.total,
            used: info.used,
            free: info.free,
            reserved: None,
        }),
        Err(error) => Err(error),
    }
}

/// Whether this driver does not have the function, or not in this version: an older one may serve.
fn is_missing(error: &NvmlError) -> bool {
    const ARGUMENT_VERSION_MISMATCH: u32 = 25;
    matches!(
        error,
        NvmlError::FailedToLoadSymbol(_)
            | NvmlError::FunctionNotFound
            | NvmlError::UnexpectedVariant(ARGUMENT_VERSION_MISMATCH)
    )
}

/// An answer to a question with an argument, such as a clock, a threshold or a link. Drivers refuse the argument that they do
/// not know, or that this GPU does not have, as invalid, which means here: there is no such thing.
///
/// Not for questions without one: there it is the handle that is invalid.
pub(crate) fn where_known<T>(answer: Result<T, NvmlError>) -> Result<T, NvmlError> {
    match answer {
        Err(NvmlError::InvalidArg) => Err(NvmlError::NotSupported),
        answer => answer,
    }
}

/// Why clocks are lowered: `nvmlDeviceGetCurrentClocksEventReasons`, or under its old name `…ThrottleReasons`.
pub(crate) fn clocks_event_reasons(device: &Device<'_>) -> Result<u64, NvmlError> {
    match event_reasons(device) {
        Err(error) if is_missing(&error) => ffi::clocks_throttle_reasons(device),
        answer => answer,
    }
}

/// The fabric that a GPU belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fabric {
    pub(crate) cluster: [u8; 16],
    pub(crate) clique: u32,
    pub(crate) state: u8,
    pub(crate) status: u32,
    pub(crate) health_mask: u32,
}

/// `nvmlDeviceGetGpuFabricInfoV`, in version 2 of its structure where the driver does not know version 3.
pub(crate) fn fabric(device: &Device<'_>) -> Result<Fabric, NvmlError> {
    match ffi::fabric_v3(device) {
        Ok(info) => Ok(Fabric {
            cluster: info.clusterUuid,
            clique: info.cliqueId,
            state: info.state,
            status: info.status,
            health_mask: info.healthMask,
        }),
        // The header documents an invalid argument for a version that the driver does not know.
        Err(error) if is_missing(&error) || matches!(error, NvmlError::InvalidArg) => ffi::fabric_v2(device)
            .map(|info| Fabric {
                cluster: info.clusterUuid,
                clique: info.cliqueId,
                state: info.state,
                status: info.status,
                health_mask: info.healthMask,
            }),
        Err(error) => Err(error),
    }
}

/// Use of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EngineUse {
    pub(crate) percent: u32,
}

/// `nvmlDeviceGetJpgUtilization`
pub(crate) fn jpeg_utilization(device: &Device<'_>) -> Result<EngineUse, NvmlError> {
    ffi::jpeg_utilization(device).map(|(percent, _)| EngineUse { percent })
}

/// `nvmlDeviceGetOfaUtilization`
pub(crate) fn ofa_utilization(device: &Device<'_>) -> Result<EngineUse, NvmlError> {
    ffi::ofa_utilization(device).map(|(percent, _)| EngineUse { percent })
}

/// Degrees from the temperature at which clocks are lowered (`nvmlDeviceGetMarginTemperature`).
pub(crate) fn margin_temperature(device: &Device<'_>) -> Result<i32, NvmlError> {
    ffi::margin_temperature(device).map(|info| info.marginTemperature)
}

/// `nvmlDeviceGetAddressingMode`
pub(crate) fn addressing_mode(device: &Device<'_>) -> Result<u32, NvmlError> {
    ffi::addressing_mode(device).map(|mode| mode.value)
}

/// Whether GPU and processor are joined chip to chip (`nvmlDeviceGetC2cModeInfoV`).
pub(crate) fn chip_to_chip(device: &Device<'_>) -> Result<bool, NvmlError> {
    ffi::chip_to_chip(device).map(|info| info.isC2cEnabled != 0)
}

/// Memory by whether it is protected from the host, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProtectedMemory {
    pub(crate) protected: u64,
    pub(crate) unprotected: u64,
}

/// `nvmlDeviceGetConfComputeMemSizeInfo`
pub(crate) fn protected_memory(device: &Device<'_>) -> Result<ProtectedMemory, NvmlError> {
    const KIBIBYTE: u64 = 1_024;
    ffi::protected_memory(device).map(|info| ProtectedMemory {
        protected: info.protectedMemSizeKib.saturating_mul(KIBIBYTE),
        unprotected: info.unprotectedMemSizeKib.saturating_mul(KIBIBYTE),
    })
}

/// What is on of confidential compute, and its mode for developers (`nvmlSystemGetConfComputeState`).
pub(crate) fn confidential_compute(nvml: &Nvml) -> Result<(u32, u32), NvmlError> {
    ffi::confidential_compute(nvml).map(|state| (state.ccFeature, state.devToolsMode))
}

/// Rows of memory that were replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RemappedRows {
    pub(crate) corrected: u32,
    pub(crate) uncorrected: u32,
    pub(crate) pending: bool,
    pub(crate) failed: bool,
}

/// `nvmlDeviceGetRemappedRows`
pub(crate) fn remapped_rows(device: &Device<'_>) -> Result<RemappedRows, NvmlError> {
    ffi::remapped_rows(device).map(|[corrected, uncorrected, pending, failed]| RemappedRows {
        corrected,
        uncorrected,
        pending: pending != 0,
        failed: failed != 0,
    })
}

/// MIG mode now, and after the next reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MigMode {
    pub(crate) current: bool,
    pub(crate) pending: bool,
}

/// `nvmlDeviceGetMigMode`
pub(crate) fn mig_mode(device: &Device<'_>) -> Result<MigMode, NvmlError> {
    ffi::mig_mode(device).map(|(current, pending)| MigMode {
        current: current != 0,
        pending: pending != 0,
    })
}

/// What is at a number that a MIG device can have.
pub(crate) enum MigPlace<'n> {
    Taken(Device<'n>),
    Free,
    /// The GPU cannot be cut into so many.
    Beyond,
}

/// The MIG device with this number (`nvmlDeviceGetMigDeviceHandleByIndex`).
pub(crate) fn mig_device<'n>(device: &Device<'n>, index: u32) -> Result<MigPlace<'n>, NvmlError> {
    match device.mig_device_by_index(index) {
        Ok(instance) => Ok(MigPlace::Taken(instance)),
        Err(NvmlError::NotFound) => Ok(MigPlace::Free),
        Err(NvmlError::InvalidArg) if index > 0 => Ok(MigPlace::Beyond),
        Err(error) => Err(error),
    }
}

/// What a MIG device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MigAttributes {
    pub(crate) multiprocessors: u32,
    pub(crate) gpu_slices: u32,
    pub(crate) compute_slices: u32,
}

/// `nvmlDeviceGetAttributes_v2`
pub(crate) fn mig_attributes(device: &Device<'_>) -> Result<MigAttributes, NvmlError> {
    ffi::attributes(device).map(|of| MigAttributes {
        multiprocessors: of.multiprocessorCount,
        gpu_slices: of.gpuInstanceSliceCount,
        compute_slices: of.computeInstanceSliceCount,
    })
}

/// Whether a link is up (`nvmlDeviceGetNvLinkState`).
pub(crate) fn nvlink_state(device: &Device<'_>, link: u32) -> Result<bool, NvmlError> {
    ffi::nvlink_state(device, link).map(|state| state != 0)
}

/// Where the far end of a link sits, as text (`nvmlDeviceGetNvLinkRemotePciInfo_v2`).
pub(crate) fn nvlink_remote_bus_id(device: &Device<'_>, link: u32) -> Result<String, NvmlError> {
    ffi::nvlink_remote(device, link).map(|pci| characters(&pci.busId))
}

/// A C text up to its end.
fn characters(text: &[c_char]) -> String {
    let bytes: Vec<u8> = text.iter().map(|byte| byte.to_ne_bytes()[0]).collect();
    self::text(&bytes)
}

/// A text up to its end.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// The serial number of the chassis; nothing where it is empty.
pub(crate) fn chassis_serial(bytes: &[u8]) -> Option<String> {
    Some(text(bytes)).filter(|serial| !serial.trim().is_empty())
}

/// `nvmlVgpuInstanceGetUUID`
pub(crate) fn vgpu_uuid(nvml: &Nvml, vgpu: u32) -> Result<String, NvmlError> {
    ffi::vgpu_uuid(nvml, vgpu).map(|bytes| text(&bytes))
}

/// The ids of vGPUs that are at work, as many as are read (`nvmlDeviceGetActiveVgpus`).
pub(crate) fn active_vgpus(device: &Device<'_>, most: usize) -> Result<Vec<u32>, NvmlError> {
    let mut room = vec![0; most];
    match ffi::active_vgpus(device, &mut room) {
        Ok(count) => {
            room.truncate(count);
            Ok(room)
        }
        Err((error, _)) => Err(error),
    }
}

/// The virtual machine that has a vGPU.
pub(crate) fn virtual_machine(id: VmId) -> String {
    match id {
        VmId::Domain(domain) => domain,
        VmId::Uuid(uuid) => uuid,
    }
}

/// Processors that are nearest to the GPU (`nvmlDeviceGetCpuAffinity`).
pub(crate) fn cpu_affinity(device: &Device<'_>) -> Result<Vec<u32>, NvmlError> {
    device.cpu_affinity(AFFINITY_WORDS).map(|words| members(&words))
}

/// NUMA nodes that are nearest to the GPU (`nvmlDeviceGetMemoryAffinity`).
pub(crate) fn memory_affinity(device: &Device<'_>) -> Result<Vec<u32>, NvmlError> {
    /// `NVML_AFFINITY_SCOPE_NODE`
    const NODE: u32 = 0;
    device
        .memory_affinity(AFFINITY_WORDS, NODE)
        .map(|words| members(&words))
}

/// The numbers of the bits that are set.
fn members(words: &[u64]) -> Vec<u32> {
    let of_word = |(place, word): (u32, &u64)| {
        let word = *word;
        (0..u64::BITS)
            .filter(move |bit| word >> bit & 1 == 1)
            .map(move |bit| place * u64::BITS + bit)
    };
    (0..).zip(words).flat_map(of_word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_numbered_across_words() {
        assert_eq!(members(&[0b101, 0, 1 << 63]), [0, 2, 191]);
        assert!(members(&[]).is_empty());
    }

    #[test]
    fn a_text_ends_where_it_ends() {
        assert_eq!(text(b"GPU\0rest"), "GPU");
        assert_eq!(text(b"full"), "full");
        assert_eq!(chassis_serial(&[0; 16]), None);
    }
}
