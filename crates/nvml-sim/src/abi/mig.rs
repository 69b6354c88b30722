//! MIG: GPUs that are cut into instances, each with one compute instance.

use super::call::{Call, Device};
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, export};
use super::handle::{Handle, Target};
use super::layout::{
    ComputeInstanceInfo, ComputeInstanceInfoV1, DeviceAttributes, DeviceAttributesV1, GpuInstanceInfo,
    Placement,
};
use crate::profile::MigSpec;

/// The most instances any chip can be cut into.
const MOST_INSTANCES: u32 = 7;

export! {
    device fn nvmlDeviceGetMigMode(current: Out<u32>, pending: Out<u32>) |gpu| {
        if !gpu.spec()?.mig_capable {
            return Err(Code::NOT_SUPPORTED);
        }
        let mode = u32::from(gpu.has_mig());
        current.write(mode)?;
        pending.write(mode)
    }

    device fn nvmlDeviceGetMaxMigDeviceCount(count: Out<u32>) |gpu| {
        // What is possible, not what is there; a chip that cannot be cut says 0.
        count.write(if gpu.spec()?.mig_capable { MOST_INSTANCES } else { 0 })
    }

    device fn nvmlDeviceGetMigDeviceHandleByIndex(index: u32, device: Out<Handle>) |gpu| {
        if !gpu.has_mig() {
            return Err(Code::NOT_SUPPORTED);
        }
        if index >= MOST_INSTANCES {
            return Err(Code::INVALID_ARGUMENT);
        }
        let instances = gpu.world.mig_instances(gpu.gpu);
        let instance = instances.get(index as usize).ok_or(Code::NOT_FOUND)?;
        device.write(Handle::new(Target::MigDevice(gpu.gpu, *instance)))
    }

    any_device fn nvmlDeviceGetDeviceHandleFromMigDeviceHandle(device: Out<Handle>) |gpu| {
        instance_of(gpu)?;
        device.write(Handle::new(Target::Gpu(gpu.gpu)))
    }

    any_device fn nvmlDeviceIsMigDeviceHandle(is_mig: Out<u32>) |gpu| {
        is_mig.write(u32::from(gpu.mig.is_some()))
    }

    any_device fn nvmlDeviceGetGpuInstanceId(id: Out<u32>) |gpu| {
        id.write(instance_of(gpu)?.gpu_instance)
    }

    any_device fn nvmlDeviceGetComputeInstanceId(id: Out<u32>) |gpu| {
        id.write(instance_of(gpu)?.compute_instance)
    }

    any_device fn nvmlDeviceGetAttributes(attributes: Out<DeviceAttributesV1>) |gpu| {
        let DeviceAttributes { multiprocessors, copy_engines, decoders, encoders, jpegs, ofas, .. } =
            attributes_of(instance_of(gpu)?);
        let first =
            DeviceAttributesV1 { multiprocessors, copy_engines, decoders, encoders, jpegs, ofas };
        attributes.write(first)
    }

    any_device fn nvmlDeviceGetAttributes_v2(attributes: Out<DeviceAttributes>) |gpu| {
        attributes.write(attributes_of(instance_of(gpu)?))
    }

    device fn nvmlDeviceGetGpuInstances(profile: u32, list: Array<Handle>, count: Out<u32>) |gpu| {
        if !gpu.has_mig() {
            return Err(Code::NOT_SUPPORTED);
        }
        // The caller has made room for as many as the profile allows.
        let instances = gpu.world.mig_instances(gpu.gpu).into_iter();
        let spec = gpu.spec()?;
        let found = instances.filter(|n| spec.mig.get(*n).is_some_and(|of| of.profile_id == profile));
        let handles: Vec<_> = found.map(|n| Handle::new(Target::GpuInstance(gpu.gpu, n))).collect();
        list.copy(&handles)?;
        count.write(handles.len() as u32)
    }

    device fn nvmlDeviceGetGpuInstanceById(id: u32, instance: Out<Handle>) |gpu| {
        if !gpu.has_mig() {
            return Err(Code::NOT_SUPPORTED);
        }
        let spec = gpu.spec()?;
        let mut instances = gpu.world.mig_instances(gpu.gpu).into_iter();
        let found = instances.find(|n| spec.mig.get(*n).is_some_and(|of| of.gpu_instance == id));
        instance.write(Handle::new(Target::GpuInstance(gpu.gpu, found.ok_or(Code::NOT_FOUND)?)))
    }

    lookup fn nvmlGpuInstanceGetInfo(instance: Handle, info: Out<GpuInstanceInfo>) |call| {
        let (gpu, _, of) = gpu_instance(call, instance)?;
        info.write(GpuInstanceInfo {
            device: Handle::new(Target::Gpu(gpu)),
            id: of.gpu_instance,
            profile: of.profile_id,
            placement: Placement { start: of.start, size: of.memory_slices },
        })
    }

    lookup fn nvmlGpuInstanceGetComputeInstanceById(instance: Handle, id: u32, found: Out<Handle>) |call| {
        let (gpu, position, of) = gpu_instance(call, instance)?;
        if of.compute_instance != id {
            return Err(Code::NOT_FOUND);
        }
        found.write(Handle::new(Target::ComputeInstance(gpu, position)))
    }

    lookup fn nvmlComputeInstanceGetInfo(instance: Handle, info: Out<ComputeInstanceInfoV1>) |call| {
        let ComputeInstanceInfo { device, gpu_instance, id, profile, .. } = compute_instance(call, instance)?;
        info.write(ComputeInstanceInfoV1 { device, gpu_instance, id, profile })
    }

    lookup fn nvmlComputeInstanceGetInfo_v2(instance: Handle, info: Out<ComputeInstanceInfo>) |call| {
        info.write(compute_instance(call, instance)?)
    }

    device fn nvmlDeviceGetGpuInstanceRemainingCapacity(profile: u32, count: InOut<u32>) |gpu| {
        if !gpu.has_mig() {
            return Err(Code::NOT_SUPPORTED);
        }
        let spec = gpu.spec()?;
        let known = spec.mig.iter().find(|of| of.profile_id == profile).ok_or(Code::NOT_SUPPORTED)?;
        let instances = gpu.world.mig_instances(gpu.gpu);
        let taken: u32 = instances.iter().filter_map(|n| spec.mig.get(*n)).map(|of| of.slices).sum();
        count.write(MOST_INSTANCES.saturating_sub(taken) / known.slices.max(1))
    }
}

fn attributes_of(instance: &MigSpec) -> DeviceAttributes {
    DeviceAttributes {
        multiprocessors: instance.multiprocessors,
        copy_engines: instance.copy_engines,
        decoders: instance.decoders,
        encoders: 0,
        jpegs: 0,
        ofas: 0,
        gpu_slices: instance.slices,
        compute_slices: instance.slices,
        memory_mb: instance.memory_mib,
    }
}

fn compute_instance(call: &Call, handle: Handle) -> Result<ComputeInstanceInfo> {
    let Ok(Target::ComputeInstance(gpu, position)) = handle.target() else {
        return Err(call.refuse(Code::INVALID_ARGUMENT));
    };
    let of = present(call, gpu, position)?;
    Ok(ComputeInstanceInfo {
        device: Handle::new(Target::Gpu(gpu)),
        gpu_instance: Handle::new(Target::GpuInstance(gpu, position)),
        id: of.compute_instance,
        // A compute instance that fills its GPU instance has the profile of its number of slices.
        profile: of.slices.saturating_sub(1),
        placement: Placement {
            start: 0,
            size: of.slices,
        },
    })
}

/// The instance that a call is on; on a GPU as a whole, the question makes no sense.
fn instance_of(gpu: &Device) -> Result<&MigSpec> {
    gpu.instance()?.ok_or(Code::INVALID_ARGUMENT)
}

fn gpu_instance(call: &Call, handle: Handle) -> Result<(usize, usize, MigSpec)> {
    let Ok(Target::GpuInstance(gpu, position)) = handle.target() else {
        return Err(call.refuse(Code::INVALID_ARGUMENT));
    };
    Ok((gpu, position, present(call, gpu, position)?))
}

/// An instance of a GPU, past the faults.
fn present(call: &Call, gpu: usize, position: usize) -> Result<MigSpec> {
    let spec = call
        .world
        .engine
        .spec(gpu)
        .and_then(|spec| spec.mig.get(position))
        .cloned();
    let Some(spec) = spec else {
        return Err(call.refuse(Code::INVALID_ARGUMENT));
    };
    call.pass(Some(gpu))?;
    if call.world.mig_instances(gpu).contains(&position) {
        Ok(spec)
    } else {
        Err(Code::INVALID_ARGUMENT)
    }
}
