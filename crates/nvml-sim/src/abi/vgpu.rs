//! vGPUs: off unless the profile says what a GPU is cut into; then it has one type, and some of that type at work.
//!
//! Without them the calls say NOT_SUPPORTED, as they do on any machine that is no virtualisation host. What takes a licence is told
//! everywhere.

use super::call::{Call, Device};
use super::code::{Code, Result};
use super::ffi::{Array, CharBuf, InOut, Out, export};
use super::identity;
use super::layout::{LicensableFeature, LicensableFeatures, LicenseExpiry, fixed};
use crate::profile::{self, Architecture, Moment, Vgpu};

/// `nvmlGpuVirtualizationMode_t`: a host of vGPUs.
const VGPU_HOST: u32 = 3;

/// `nvmlHostVgpuMode_t`.
const WITHOUT_SRIOV: u32 = 0;
const SRIOV: u32 = 1;

/// `NVML_VGPU_VM_ID_UUID`.
const VM_IS_A_UUID: u32 = 1;

/// `NVML_GRID_LICENSE_EXPIRY_…`: no licence that could end, one that ends at a time, and one that does not.
const EXPIRY_NOT_AVAILABLE: u8 = 0;
const EXPIRY_VALID: u8 = 2;
const EXPIRY_PERMANENT: u8 = 4;

/// Numbers of instances begin here: the GPU follows, then the number among its vGPUs.
const FIRST_INSTANCE: u32 = 0xC1D0_0000;
const PER_GPU: u32 = 64;

export! {
    device fn nvmlDeviceGetVirtualizationMode(mode: Out<u32>) |gpu| {
        let spec = gpu.spec()?;
        mode.write(if spec.vgpu.is_some() { VGPU_HOST } else { spec.virtualization as u32 })
    }

    device fn nvmlDeviceGetHostVgpuMode(mode: Out<u32>) |gpu| {
        cut(gpu)?;
        let sriov = gpu.spec()?.architecture >= Architecture::Ampere;
        mode.write(if sriov { SRIOV } else { WITHOUT_SRIOV })
    }

    device fn nvmlDeviceGetSupportedVgpus(count: InOut<u32>, types: Array<u32>) |gpu| {
        types.fill(&count, &[cut(gpu)?.type_id])
    }

    device fn nvmlDeviceGetCreatableVgpus(count: InOut<u32>, types: Array<u32>) |gpu| {
        let of = cut(gpu)?;
        let room = of.active < of.most;
        types.fill(&count, if room { std::slice::from_ref(&of.type_id) } else { &[] })
    }

    device fn nvmlDeviceGetActiveVgpus(count: InOut<u32>, instances: Array<u32>) |gpu| {
        let first = FIRST_INSTANCE + gpu.gpu as u32 * PER_GPU;
        let all: Vec<u32> = (first..first + cut(gpu)?.active).collect();
        instances.fill(&count, &all)
    }

    device fn nvmlDeviceGetGridLicensableFeatures_v4(features: Out<LicensableFeatures>) |gpu| {
        let said = gpu.values().and_then(|values| values.licensed);
        let licensable = &gpu.spec()?.licensable;
        let mut all = LicensableFeatures {
            supported: i32::from(!licensable.is_empty()),
            count: licensable.len() as u32,
            features: [NO_FEATURE; 3],
        };
        for (place, feature) in all.features.iter_mut().zip(licensable) {
            *place = told(feature, said.unwrap_or(feature.licensed));
        }
        features.write(all)
    }

    device fn nvmlVgpuTypeGetMaxInstances(type_id: u32, most: Out<u32>) |gpu| {
        let of = cut(gpu)?;
        if of.type_id != type_id {
            return Err(Code::INVALID_ARGUMENT);
        }
        most.write(of.most)
    }

    lookup fn nvmlVgpuTypeGetName(type_id: u32, name: CharBuf, length: InOut<u32>) |call| {
        let (_, of) = of_type(call, type_id)?;
        name.write(length.read()?, of.name.as_bytes())
    }

    lookup fn nvmlVgpuTypeGetClass(type_id: u32, class: CharBuf, length: InOut<u32>) |call| {
        of_type(call, type_id)?;
        class.write(length.read()?, b"Quadro")
    }

    lookup fn nvmlVgpuTypeGetFramebufferSize(type_id: u32, bytes: Out<u64>) |call| {
        let (_, of) = of_type(call, type_id)?;
        bytes.write(of.memory_mib << 20)
    }

    lookup fn nvmlVgpuInstanceGetType(instance: u32, type_id: Out<u32>) |call| {
        let (_, _, of) = of_instance(call, instance)?;
        type_id.write(of.type_id)
    }

    lookup fn nvmlVgpuInstanceGetUUID(instance: u32, uuid: CharBuf, length: u32) |call| {
        let (gpu, number, _) = of_instance(call, instance)?;
        let text = identity::uuid_digits(&call.world, gpu, 64 + number);
        uuid.write(length, text.as_bytes())
    }

    lookup fn nvmlVgpuInstanceGetVmID(instance: u32, vm: CharBuf, length: u32, kind: Out<u32>) |call| {
        let (gpu, number, _) = of_instance(call, instance)?;
        let text = identity::uuid_digits(&call.world, gpu, 128 + number);
        vm.write(length, text.as_bytes())?;
        kind.write(VM_IS_A_UUID)
    }

    lookup fn nvmlVgpuInstanceGetFbUsage(instance: u32, bytes: Out<u64>) |call| {
        let (gpu, _, of) = of_instance(call, instance)?;
        // What the guest does is not simulated; it has all of its memory set aside, and uses as much as the GPU does.
        let truth = call.world.engine.truth(gpu, call.world.clock.now()).ok_or(Code::NOT_FOUND)?;
        let all = u128::from(of.memory_mib << 20);
        bytes.write((all * u128::from(truth.memory_used) / u128::from(truth.memory_total.max(1))) as u64)
    }
}

const NO_EXPIRY: LicenseExpiry = LicenseExpiry {
    year: 0,
    month: 0,
    day: 0,
    hour: 0,
    minute: 0,
    second: 0,
    status: EXPIRY_NOT_AVAILABLE,
    padding: 0,
};

const NO_FEATURE: LicensableFeature = LicensableFeature {
    code: 0,
    state: 0,
    info: [0; 128],
    product: [0; 128],
    enabled: 0,
    expiry: NO_EXPIRY,
};

/// A feature as NVML tells it.
fn told(feature: &profile::LicensableFeature, licensed: bool) -> LicensableFeature {
    let expiry = match feature.expires {
        _ if !licensed => NO_EXPIRY,
        None => LicenseExpiry {
            status: EXPIRY_PERMANENT,
            ..NO_EXPIRY
        },
        Some(Moment { date, time }) => LicenseExpiry {
            year: date.year.into(),
            month: date.month.into(),
            day: date.day.into(),
            hour: time.hour.into(),
            minute: time.minute.into(),
            second: time.second.unwrap_or(0).into(),
            status: EXPIRY_VALID,
            padding: 0,
        },
    };
    LicensableFeature {
        code: feature.code as u32,
        state: u32::from(licensed),
        product: fixed(&feature.product),
        enabled: u32::from(feature.enabled),
        expiry,
        ..NO_FEATURE
    }
}

/// What a GPU is cut into.
fn cut(gpu: &Device) -> Result<&Vgpu> {
    gpu.spec()?.vgpu.as_ref().ok_or(Code::NOT_SUPPORTED)
}

/// The first GPU that is cut into this type, past its faults.
fn of_type(call: &Call, type_id: u32) -> Result<(usize, &Vgpu)> {
    let all = (0..call.world.engine.len()).filter_map(|gpu| Some((gpu, vgpu(call, gpu)?)));
    let mut all = all.peekable();
    if all.peek().is_none() {
        return Err(call.refuse(Code::NOT_SUPPORTED));
    }
    let found = all.find(|(_, of)| of.type_id == type_id);
    let found = found.ok_or_else(|| call.refuse(Code::INVALID_ARGUMENT))?;
    call.pass(Some(found.0))?;
    Ok(found)
}

/// The GPU of a vGPU, its number there and its type, past the faults of the GPU.
pub(super) fn of_instance(call: &Call, instance: u32) -> Result<(usize, u64, &Vgpu)> {
    if (0..call.world.engine.len()).all(|gpu| vgpu(call, gpu).is_none()) {
        return Err(call.refuse(Code::NOT_SUPPORTED));
    }
    let place = instance
        .checked_sub(FIRST_INSTANCE)
        .map(|place| (place / PER_GPU, place % PER_GPU));
    let found = place.and_then(|(gpu, number)| Some((gpu as usize, number, vgpu(call, gpu as usize)?)));
    let (gpu, number, of) = found
        .filter(|(_, number, of)| *number < of.active)
        .ok_or_else(|| call.refuse(Code::NOT_FOUND))?;
    call.pass(Some(gpu))?;
    Ok((gpu, u64::from(number), of))
}

fn vgpu(call: &Call, gpu: usize) -> Option<&Vgpu> {
    call.world.engine.spec(gpu)?.vgpu.as_ref()
}
