//! NVML calls that nvml-wrapper does not make, or not as needed: every `unsafe` of this crate.
//!
//! There are few shapes of calls: a number, a number of one item, a structure, a list. A function that the library does not
//! have is the error of that call only. A [`Device`] is a handle that the library gave out. It stays valid for as long as
//! the library is loaded, and borrows the [`Nvml`] that keeps it so.
#![allow(unsafe_code, reason = "NVML is a C library")]

use std::{ffi::c_char, mem::zeroed, ptr::null_mut};

use nvml_wrapper::{
    Device, EventSet, GpmSample, Nvml,
    error::{NvmlError, nvml_sym, nvml_try},
};
use nvml_wrapper_sys::bindings::{
    nvmlC2cModeInfo_v1_t, nvmlConfComputeMemSizeInfo_t, nvmlConfComputeSystemState_t, nvmlDevice_t,
    nvmlDeviceAddressingMode_t, nvmlDeviceAttributes_t, nvmlEccSramErrorStatus_t, nvmlEventData_t,
    nvmlFieldValue_t, nvmlGpuFabricInfo_v2_t, nvmlGpuFabricInfo_v3_t, nvmlGridLicensableFeatures_t,
    nvmlMarginTemperature_t, nvmlMemory_t, nvmlMemory_v2_t, nvmlPciInfo_t, nvmlPlatformInfo_t,
    nvmlProcessInfo_t, nvmlProcessInfo_v1_t, nvmlProcessInfo_v2_t, nvmlReturn_enum_NVML_ERROR_UNKNOWN,
    nvmlRowRemapperHistogramValues_t, nvmlSample_t,
};

/// Structures that consist of numbers only.
///
/// # Safety
///
/// Memory of zeros is a value of the type.
unsafe trait Plain: Copy {}

/// Structures that say their own size and version first.
trait Versioned: Plain {
    const VERSION: u32;

    fn version(&mut self) -> &mut u32;
}

/// Sizes are those of the official header: a structure of another size would be read beyond its end.
macro_rules! plain {
    ($($type:ty = $size:literal $(, version $version:literal)?;)*) => { $(
        // SAFETY: by the header its fields are numbers, arrays of them and pointers, of which zero is one.
        unsafe impl Plain for $type {}
        const _: () = assert!(size_of::<$type>() == $size);
        $(impl Versioned for $type {
            const VERSION: u32 = $size | $version << 24;

            fn version(&mut self) -> &mut u32 {
                &mut self.version
            }
        })?
    )* };
}

plain! {
    nvmlMemory_t = 24;
    nvmlMemory_v2_t = 40, version 2;
    nvmlRowRemapperHistogramValues_t = 20;
    nvmlEccSramErrorStatus_t = 104, version 1;
    nvmlMarginTemperature_t = 8, version 1;
    nvmlDeviceAddressingMode_t = 8, version 1;
    nvmlGpuFabricInfo_v2_t = 36, version 2;
    nvmlGpuFabricInfo_v3_t = 40, version 3;
    nvmlPlatformInfo_t = 44, version 2;
    nvmlC2cModeInfo_v1_t = 4;
    nvmlDeviceAttributes_t = 40;
    nvmlConfComputeSystemState_t = 12;
    nvmlConfComputeMemSizeInfo_t = 16;
    nvmlGridLicensableFeatures_t = 860;
    nvmlPciInfo_t = 68;
    nvmlEventData_t = 32;
    nvmlFieldValue_t = 40;
    nvmlSample_t = 16;
    nvmlProcessInfo_v1_t = 16;
    nvmlProcessInfo_v2_t = 24;
}

fn blank<T: Plain>() -> T {
    // SAFETY: what `Plain` says.
    unsafe { zeroed() }
}

/// The handle of a device, for a call that is made at once.
fn handle(device: &Device<'_>) -> nvmlDevice_t {
    // SAFETY: no second owner is made of it; a device owns nothing.
    unsafe { device.handle() }
}

/// What tells a device from others, without a call into the driver.
pub(crate) fn address(device: &Device<'_>) -> usize {
    handle(device) as usize
}

/// Calls of the shapes (device, place for an answer) and (device, number of an item, place for an answer).
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident ( $($item:ident)? ) -> $type:ty = $symbol:ident;)*) => { $(
        $(#[$doc])*
        pub(crate) fn $name(device: &Device<'_> $(, $item: u32)?) -> Result<$type, NvmlError> {
            let call = nvml_sym(device.nvml().lib().$symbol.as_ref())?;
            let mut answer: $type = blank();
            // SAFETY: the function has this type by the header, the handle is valid, and the place is for one answer of its
            // type.
            nvml_try(unsafe { call(handle(device) $(, $item)?, &mut answer) })?;
            Ok(answer)
        }
    )* };
}

// SAFETY: zero is a number.
unsafe impl Plain for u32 {}
// SAFETY: likewise.
unsafe impl Plain for u64 {}

calls! {
    /// `nvmlBrandType_t`
    brand() -> u32 = nvmlDeviceGetBrand;
    /// `nvmlDeviceArchitecture_t`
    architecture() -> u32 = nvmlDeviceGetArchitecture;
    /// `nvmlBusType_t`
    bus_type() -> u32 = nvmlDeviceGetBusType;
    /// `nvmlPowerSource_t`
    power_source() -> u32 = nvmlDeviceGetPowerSource;
    /// `nvmlComputeMode_t`
    compute_mode() -> u32 = nvmlDeviceGetComputeMode;
    /// `nvmlGpuVirtualizationMode_t`
    virtualization_mode() -> u32 = nvmlDeviceGetVirtualizationMode;
    /// `nvmlHostVgpuMode_t`
    host_vgpu_mode() -> u32 = nvmlDeviceGetHostVgpuMode;
    /// `NVML_PCIE_LINK_MAX_SPEED_…`
    pcie_max_speed() -> u32 = nvmlDeviceGetPcieLinkMaxSpeed;
    /// Number of the NUMA node.
    numa_node() -> u32 = nvmlDeviceGetNumaNodeId;
    /// Number of the module.
    module_id() -> u32 = nvmlDeviceGetModuleId;
    /// Id of a MIG device's GPU instance.
    gpu_instance_id() -> u32 = nvmlDeviceGetGpuInstanceId;
    /// Id of a MIG device's compute instance.
    compute_instance_id() -> u32 = nvmlDeviceGetComputeInstanceId;
    /// Percent.
    target_fan_speed(fan) -> u32 = nvmlDeviceGetTargetFanSpeed;
    /// `nvmlFanControlPolicy_t`
    fan_policy(fan) -> u32 = nvmlDeviceGetFanControlPolicy_v2;
    /// `nvmlEnableState_t`
    nvlink_state(link) -> u32 = nvmlDeviceGetNvLinkState;
    /// `nvmlNvlinkVersion_t`
    nvlink_version(link) -> u32 = nvmlDeviceGetNvLinkVersion;
    /// `nvmlIntNvLinkDeviceType_t`
    nvlink_remote_type(link) -> u32 = nvmlDeviceGetNvLinkRemoteDeviceType;
    /// Where the far end sits.
    nvlink_remote(link) -> nvmlPciInfo_t = nvmlDeviceGetNvLinkRemotePciInfo_v2;
    /// Types of events that the GPU has, those included that nvml-wrapper has no name for.
    supported_event_types() -> u64 = nvmlDeviceGetSupportedEventTypes;
    /// `nvmlClocksEventReasons`
    clocks_event_reasons() -> u64 = nvmlDeviceGetCurrentClocksEventReasons;
    /// The same under its old name.
    clocks_throttle_reasons() -> u64 = nvmlDeviceGetCurrentClocksThrottleReasons;
    /// Memory, the reserved part counted as used.
    memory_v1() -> nvmlMemory_t = nvmlDeviceGetMemoryInfo;
    /// Banks by how many spare rows they have.
    row_remapper_histogram() -> nvmlRowRemapperHistogramValues_t = nvmlDeviceGetRowRemapperHistogram;
    /// Whether there is a link between chips.
    chip_to_chip() -> nvmlC2cModeInfo_v1_t = nvmlDeviceGetC2cModeInfoV;
    /// What a MIG device has.
    attributes() -> nvmlDeviceAttributes_t = nvmlDeviceGetAttributes_v2;
    /// Memory by whether it is protected, KiB.
    protected_memory() -> nvmlConfComputeMemSizeInfo_t = nvmlDeviceGetConfComputeMemSizeInfo;
    /// What of the vGPU software takes a licence.
    licensable_features() -> nvmlGridLicensableFeatures_t = nvmlDeviceGetGridLicensableFeatures_v4;
}

/// Calls of the shape (device, structure that says its version).
macro_rules! versioned {
    ($($(#[$doc:meta])* $name:ident -> $type:ty = $symbol:ident;)*) => { $(
        $(#[$doc])*
        pub(crate) fn $name(device: &Device<'_>) -> Result<$type, NvmlError> {
            let call = nvml_sym(device.nvml().lib().$symbol.as_ref())?;
            let mut answer: $type = blank();
            *answer.version() = <$type as Versioned>::VERSION;
            // SAFETY: as in `calls`; the structure says its version and size, beyond which nothing is written.
            nvml_try(unsafe { call(handle(device), (&raw mut answer).cast()) })?;
            Ok(answer)
        }
    )* };
}

versioned! {
    /// Memory, the reserved part apart.
    memory_v2 -> nvmlMemory_v2_t = nvmlDeviceGetMemoryInfo_v2;
    /// Errors in on-chip memory.
    sram_errors -> nvmlEccSramErrorStatus_t = nvmlDeviceGetSramEccErrorStatus;
    /// Degrees from the temperature at which clocks are lowered.
    margin_temperature -> nvmlMarginTemperature_t = nvmlDeviceGetMarginTemperature;
    /// `nvmlDeviceAddressingModeType_t`
    addressing_mode -> nvmlDeviceAddressingMode_t = nvmlDeviceGetAddressingMode;
    /// The fabric.
    fabric_v3 -> nvmlGpuFabricInfo_v3_t = nvmlDeviceGetGpuFabricInfoV;
    /// The same without the summary of its health.
    fabric_v2 -> nvmlGpuFabricInfo_v2_t = nvmlDeviceGetGpuFabricInfoV;
    /// The chassis.
    platform -> nvmlPlatformInfo_t = nvmlDeviceGetPlatformInfo;
}

/// Calls of the shape (device, two places for numbers).
macro_rules! pairs {
    ($($(#[$doc:meta])* $name:ident = $symbol:ident;)*) => { $(
        $(#[$doc])*
        pub(crate) fn $name(device: &Device<'_>) -> Result<(u32, u32), NvmlError> {
            let call = nvml_sym(device.nvml().lib().$symbol.as_ref())?;
            let (mut first, mut second) = (0, 0);
            // SAFETY: as in `calls`, with a place for each of two numbers.
            nvml_try(unsafe { call(handle(device), &mut first, &mut second) })?;
            Ok((first, second))
        }
    )* };
}

pairs! {
    /// Percent, and the microseconds that it is of.
    jpeg_utilization = nvmlDeviceGetJpgUtilization;
    /// Percent, and the microseconds that it is of.
    ofa_utilization = nvmlDeviceGetOfaUtilization;
    /// MIG mode now, and after the next reset.
    mig_mode = nvmlDeviceGetMigMode;
}

/// Rows after corrected and uncorrected errors, whether some are pending, and whether one failed.
pub(crate) fn remapped_rows(device: &Device<'_>) -> Result<[u32; 4], NvmlError> {
    let call = nvml_sym(device.nvml().lib().nvmlDeviceGetRemappedRows.as_ref())?;
    let mut rows = [0; 4];
    let [corrected, uncorrected, pending, failed] = &mut rows;
    // SAFETY: as in `calls`, with a place for each of four numbers.
    nvml_try(unsafe { call(handle(device), corrected, uncorrected, pending, failed) })?;
    Ok(rows)
}

/// Confidential compute on this host.
pub(crate) fn confidential_compute(nvml: &Nvml) -> Result<nvmlConfComputeSystemState_t, NvmlError> {
    let call = nvml_sym(nvml.lib().nvmlSystemGetConfComputeState.as_ref())?;
    let mut state = blank();
    // SAFETY: the function has this type by the header, and the place is for one answer of its type.
    nvml_try(unsafe { call(&mut state) })?;
    Ok(state)
}

/// `nvmlGpuTopologyLevel_t` of two devices.
pub(crate) fn common_ancestor(one: &Device<'_>, other: &Device<'_>) -> Result<u32, NvmlError> {
    let call = nvml_sym(one.nvml().lib().nvmlDeviceGetTopologyCommonAncestor.as_ref())?;
    let mut level = 0;
    // SAFETY: as in `calls`, with two valid handles.
    nvml_try(unsafe { call(handle(one), handle(other), &mut level) })?;
    Ok(level)
}

/// `nvmlGpuP2PStatus_t` of two devices, for one capability.
pub(crate) fn p2p_status(one: &Device<'_>, other: &Device<'_>, capability: u32) -> Result<u32, NvmlError> {
    let call = nvml_sym(one.nvml().lib().nvmlDeviceGetP2PStatus.as_ref())?;
    let mut status = 0;
    // SAFETY: as in `calls`, with two valid handles.
    nvml_try(unsafe { call(handle(one), handle(other), capability, &mut status) })?;
    Ok(status)
}

/// The text of a vGPU's UUID, as bytes up to its end.
pub(crate) fn vgpu_uuid(nvml: &Nvml, vgpu: u32) -> Result<Vec<u8>, NvmlError> {
    let call = nvml_sym(nvml.lib().nvmlVgpuInstanceGetUUID.as_ref())?;
    let mut text = [0_u8; 80];
    // SAFETY: the function has this type by the header, and writes no more than it is told there is room for.
    nvml_try(unsafe { call(vgpu, text.as_mut_ptr().cast::<c_char>(), 80) })?;
    Ok(text.into_iter().take_while(|byte| *byte != 0).collect())
}

/// Fills in the values of these fields; the code that the call as a whole returned.
pub(crate) fn field_values(device: &Device<'_>, fields: &mut [nvmlFieldValue_t]) -> Result<u32, NvmlError> {
    let call = nvml_sym(device.nvml().lib().nvmlDeviceGetFieldValues.as_ref())?;
    let count = i32::try_from(fields.len()).map_err(|_| NvmlError::InvalidArg)?;
    // SAFETY: as in `calls`, with places for as many values as are asked for.
    Ok(unsafe { call(handle(device), count, fields.as_mut_ptr()) })
}

/// A place for the value of a field. A driver that leaves it out has not read it: that is no zero.
pub(crate) fn field(id: u32, scope: u32) -> nvmlFieldValue_t {
    nvmlFieldValue_t {
        fieldId: id,
        scopeId: scope,
        nvmlReturn: nvmlReturn_enum_NVML_ERROR_UNKNOWN,
        ..blank()
    }
}

/// The bits of a value whose type is said beside it. A value narrower than 64 bits stands in the first bytes.
pub(crate) fn bits(value: nvml_wrapper_sys::bindings::nvmlValue_t) -> u64 {
    // SAFETY: the union was all zeros before the library wrote one of its members, which all are numbers.
    unsafe { value.ullVal }
}

/// Samples since a time, as many as there is room for: how many there are, and of which type.
pub(crate) fn samples(
    device: &Device<'_>,
    kind: u32,
    since: u64,
    room: &mut [nvmlSample_t],
) -> Result<(usize, u32), (NvmlError, usize)> {
    let symbol = device.nvml().lib().nvmlDeviceGetSamples.as_ref();
    let call = nvml_sym(symbol).map_err(|error| (error, 0))?;
    let (mut count, mut value_type) = (length(room.len()), 0);
    let place = if room.is_empty() {
        null_mut()
    } else {
        room.as_mut_ptr()
    };
    let device = handle(device);
    // SAFETY: as in `calls`; the list has as many places as are said, and is NULL where there are none.
    let code = unsafe { call(device, kind, since, &mut value_type, &mut count, place) };
    match nvml_try(code) {
        Ok(()) => Ok((count as usize, value_type)),
        Err(error) => Err((error, count as usize)),
    }
}

/// An empty sample.
pub(crate) fn no_sample() -> nvmlSample_t {
    blank()
}

/// Calls that fill a list with entries of one type: how many there are.
macro_rules! lists {
    ($($name:ident($type:ty) = $symbol:ident;)*) => { $(
        pub(crate) fn $name(device: &Device<'_>, room: &mut [$type]) -> Result<usize, (NvmlError, usize)> {
            let call = nvml_sym(device.nvml().lib().$symbol.as_ref()).map_err(|error| (error, 0))?;
            let mut count = length(room.len());
            let place = if room.is_empty() { null_mut() } else { room.as_mut_ptr() };
            // SAFETY: as in `calls`; the list has as many places as are said, and is NULL where there are none.
            match nvml_try(unsafe { call(handle(device), &mut count, place.cast()) }) {
                Ok(()) => Ok(count as usize),
                Err(error) => Err((error, count as usize)),
            }
        }
    )* };
}

/// Room for one entry of a process list in whichever layout: 24 bytes, or 32 in early drivers of branch R535, which write so
/// far beyond the room that they are told of.
pub(crate) type WidestEntry = [u64; 4];

const _: () = assert!(size_of::<WidestEntry>() >= size_of::<nvmlProcessInfo_t>());

lists! {
    compute_v3(WidestEntry) = nvmlDeviceGetComputeRunningProcesses_v3;
    compute_v2(nvmlProcessInfo_v2_t) = nvmlDeviceGetComputeRunningProcesses_v2;
    compute_v1(nvmlProcessInfo_v1_t) = nvmlDeviceGetComputeRunningProcesses;
    graphics_v3(WidestEntry) = nvmlDeviceGetGraphicsRunningProcesses_v3;
    graphics_v2(nvmlProcessInfo_v2_t) = nvmlDeviceGetGraphicsRunningProcesses_v2;
    graphics_v1(nvmlProcessInfo_v1_t) = nvmlDeviceGetGraphicsRunningProcesses;
    mps_v3(WidestEntry) = nvmlDeviceGetMPSComputeRunningProcesses_v3;
    mps_v2(nvmlProcessInfo_v2_t) = nvmlDeviceGetMPSComputeRunningProcesses_v2;
    mps_v1(nvmlProcessInfo_v1_t) = nvmlDeviceGetMPSComputeRunningProcesses;
    active_vgpus(u32) = nvmlDeviceGetActiveVgpus;
}

fn length(places: usize) -> u32 {
    u32::try_from(places).unwrap_or(u32::MAX)
}

/// Takes a sample of the performance monitor into one that was taken before.
pub(crate) fn gpm_take_again(
    device: &Device<'_>,
    instance: Option<u32>,
    sample: &GpmSample<'_>,
) -> Result<(), NvmlError> {
    let lib = device.nvml().lib();
    // SAFETY: no second owner is made of it.
    let place = unsafe { sample.handle() };
    let device = handle(device);
    match instance {
        None => {
            let call = nvml_sym(lib.nvmlGpmSampleGet.as_ref())?;
            // SAFETY: the function has this type by the header; device and sample are valid.
            nvml_try(unsafe { call(device, place) })
        }
        Some(instance) => {
            let call = nvml_sym(lib.nvmlGpmMigSampleGet.as_ref())?;
            // SAFETY: likewise.
            nvml_try(unsafe { call(device, instance, place) })
        }
    }
}

/// Waits for the next event of a set.
pub(crate) fn wait(nvml: &Nvml, set: &EventSet<'_>, milliseconds: u32) -> Result<nvmlEventData_t, NvmlError> {
    let call = nvml_sym(nvml.lib().nvmlEventSetWait_v2.as_ref())?;
    // SAFETY: no second owner is made of it.
    let set = unsafe { set.handle() };
    let mut data = blank();
    // SAFETY: the function has this type by the header, the set is valid, and the place is for one event.
    nvml_try(unsafe { call(set, &mut data, milliseconds) })?;
    Ok(data)
}
