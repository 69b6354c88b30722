//! Finding GPUs: how many there are, and a handle for each.

use super::call::Call;
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, Text, export};
use super::handle::{Handle, Target};
use super::layout::PciInfo;
use super::{identity, pci};

export! {
    global fn nvmlDeviceGetCount | nvmlDeviceGetCount_v2 (count: Out<u32>) |call| {
        count.write(call.world.roster().len() as u32)
    }

    lookup fn nvmlDeviceGetHandleByIndex | nvmlDeviceGetHandleByIndex_v2 (
        index: u32,
        device: Out<Handle>,
    ) |call| {
        let gpu = call.world.roster().get(index as usize).copied();
        hand_out(call, gpu.ok_or(Code::INVALID_ARGUMENT), &device)
    }

    lookup fn nvmlDeviceGetHandleByUUID(uuid: Text, device: Out<Handle>) |call| {
        let uuid = uuid.read().map_err(|code| call.refuse(code))?;
        if uuid.starts_with("MIG-") {
            return hand_out_instance(call, &uuid, &device);
        }
        let gpu = find(call, |gpu| identity::uuid(&call.world, gpu) == uuid);
        hand_out(call, gpu.ok_or(Code::NOT_FOUND), &device)
    }

    lookup fn nvmlDeviceGetHandleBySerial(serial: Text, device: Out<Handle>) |call| {
        let serial = serial.read().map_err(|code| call.refuse(code))?;
        let gpu = find(call, |gpu| identity::serial(&call.world, gpu).as_ref() == Some(&serial));
        hand_out(call, gpu.ok_or(Code::NOT_FOUND), &device)
    }

    lookup fn nvmlDeviceGetHandleByPciBusId | nvmlDeviceGetHandleByPciBusId_v2 (
        bus_id: Text,
        device: Out<Handle>,
    ) |call| {
        let bus_id = bus_id.read().map_err(|code| call.refuse(code))?;
        let Some(wanted) = pci::Address::parse(&bus_id) else {
            return Err(call.refuse(Code::INVALID_ARGUMENT));
        };
        let gpu = find(call, |gpu| pci::Address::of(&call.world, gpu) == Some(wanted));
        hand_out(call, gpu.ok_or(Code::NOT_FOUND), &device)
    }

    lookup fn
        nvmlDeviceDiscoverGpus
        | nvmlDeviceModifyDrainState
        | nvmlDeviceQueryDrainState
        | nvmlDeviceRemoveGpu
        | nvmlDeviceRemoveGpu_v2
    (place: InOut<PciInfo>) |call| {
        // GPUs stay where they are; still, these concern the one in this place.
        let asked = place.read().map_err(|code| call.refuse(code))?;
        let wanted = pci::Address { domain: asked.domain, bus: asked.bus, device: asked.device };
        let gpu = find(call, |gpu| pci::Address::of(&call.world, gpu) == Some(wanted));
        call.pass(gpu)?;
        Err(Code::NOT_SUPPORTED)
    }

    global fn nvmlSystemGetTopologyGpuSet(cpu: u32, count: InOut<u32>, devices: Array<Handle>) |call| {
        // The first half of the GPUs is near the first half of the processors; processor 0 stands for them
        // all.
        let all: Vec<_> = call.world.roster().into_iter().map(|gpu| Handle::new(Target::Gpu(gpu))).collect();
        let near = if cpu == 0 { &all[..] } else { &[] };
        fill_or_count(&count, &devices, near)
    }

    global fn nvmlGetExcludedDeviceCount(count: Out<u32>) |_call| {
        count.write(0)
    }

    global fn nvmlUnitGetCount(count: Out<u32>) |_call| {
        // Units are S-class enclosures, which no simulated node has.
        count.write(0)
    }

    global fn nvmlSystemGetHicVersion(count: InOut<u32>, _entries: Array<u32>) |_call| {
        count.write(0)
    }
}

/// For lists where NULL is a plain question for the length.
pub(super) fn fill_or_count<T: Copy>(count: &InOut<u32>, place: &Array<T>, items: &[T]) -> Result {
    if place.is_null() {
        return count.write(items.len() as u32);
    }
    place.fill(count, items)
}

fn find(call: &Call, wanted: impl Fn(usize) -> bool) -> Option<usize> {
    (0..call.world.engine.len()).find(|gpu| wanted(*gpu))
}

fn hand_out(call: &Call, gpu: Result<usize>, device: &Out<Handle>) -> Result {
    let gpu = gpu.map_err(|code| call.refuse(code))?;
    call.pass(Some(gpu))?;
    device.write(Handle::new(Target::Gpu(gpu)))
}

fn hand_out_instance(call: &Call, uuid: &str, device: &Out<Handle>) -> Result {
    for gpu in 0..call.world.engine.len() {
        for mig in call.world.mig_instances(gpu) {
            if identity::mig_uuid(&call.world, gpu, mig) == uuid {
                call.pass(Some(gpu))?;
                return device.write(Handle::new(Target::MigDevice(gpu, mig)));
            }
        }
    }
    Err(call.refuse(Code::NOT_FOUND))
}
