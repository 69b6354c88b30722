//! Device memory.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Out, Tagged, export};
use super::layout::{Bar1Memory, Memory, MemoryV2};

export! {
    any_device fn nvmlDeviceGetMemoryInfo(memory: Out<Memory>) |gpu| {
        let of = usage(gpu)?;
        // The first version has no place for the reserved part, and counts it as used.
        memory.write(Memory { total: of.total, free: of.free, used: of.used.saturating_add(of.reserved) })
    }

    any_device fn nvmlDeviceGetMemoryInfo_v2(memory: Tagged) |gpu| {
        let place = memory.of::<MemoryV2>()?;
        let of = usage(gpu)?;
        place.write(MemoryV2 { version: memory.tag()?, ..of })
    }

    any_device fn nvmlDeviceGetBAR1MemoryInfo(memory: Out<Bar1Memory>) |gpu| {
        let truth = gpu.truth()?;
        let (total, used) = (truth.bar1_total, truth.bar1_used);
        memory.write(Bar1Memory { total, free: total - used, used })
    }

    device fn nvmlDeviceGetMemoryBusWidth(bits: Out<u32>) |gpu| {
        bits.write(gpu.spec()?.memory.bus_width_bits)
    }
}

/// The memory of a GPU or MIG instance.
fn usage(gpu: &Device) -> Result<MemoryV2> {
    let truth = gpu.truth()?;
    let (Some(mig), Some(instance)) = (gpu.mig, gpu.instance()?) else {
        let (total, reserved) = (truth.memory_total, truth.memory_reserved);
        return Ok(MemoryV2 {
            version: 0,
            total,
            reserved,
            free: truth.memory_free,
            used: truth.memory_used,
        });
    };
    let total = instance.memory_mib << 20;
    let used = truth
        .mig_memory_used
        .get(mig)
        .copied()
        .ok_or(Code::INVALID_ARGUMENT)?;
    Ok(MemoryV2 {
        version: 0,
        total,
        reserved: 0,
        free: total.saturating_sub(used),
        used,
    })
}
