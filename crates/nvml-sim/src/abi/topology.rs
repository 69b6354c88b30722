//! Who is near whom: GPUs, processors, memory.

use super::call::{Call, Device};
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, export};
use super::handle::{Handle, Target};
use super::lookup::fill_or_count;
use super::nvlink::bridged;
use crate::world::World;

/// `nvmlGpuTopologyLevel_t`: on one processor's bus, and across processors.
const SAME_NODE: u32 = 40;
const ACROSS_SYSTEM: u32 = 50;

/// `nvmlGpuP2PStatus_t`: works, and does not.
const P2P_OK: u32 = 0;
const P2P_NOT_SUPPORTED: u32 = 5;

/// Processors of a simulated node, half of them on each of two sockets.
const CPUS: usize = 128;

export! {
    lookup fn nvmlDeviceGetTopologyCommonAncestor(first: Handle, second: Handle, level: Out<u32>) |call| {
        let (a, b) = pair(call, first, second)?;
        level.write(distance(call, a, b))
    }

    device fn nvmlDeviceGetTopologyNearestGpus(level: u32, count: InOut<u32>, devices: Array<Handle>) |gpu| {
        let others = gpu.world.roster().into_iter().filter(|other| *other != gpu.gpu);
        let near = others.filter(|other| distance_in(gpu, *other) <= level);
        let list: Vec<_> = near.map(|other| Handle::new(Target::Gpu(other))).collect();
        fill_or_count(&count, &devices, &list)
    }

    lookup fn nvmlDeviceGetP2PStatus(
        first: Handle,
        second: Handle,
        capability: u32,
        status: Out<u32>,
    ) |call| {
        const NVLINK: u32 = 2;
        let (a, b) = pair(call, first, second)?;
        if capability > 4 {
            return Err(Code::INVALID_ARGUMENT);
        }
        let switched = |gpu| {
            let spec = call.world.engine.spec(gpu);
            let link = spec.and_then(|spec| spec.nvlink.as_ref());
            link.is_some_and(|link| link.active > 0 && link.switch)
        };
        let linked = bridged(&call.world, a) == Some(b) || switched(a) && switched(b);
        let works = a != b && (capability != NVLINK || linked);
        status.write(if works { P2P_OK } else { P2P_NOT_SUPPORTED })
    }

    lookup fn nvmlDeviceOnSameBoard(first: Handle, second: Handle, same: Out<i32>) |call| {
        let (a, b) = pair(call, first, second)?;
        same.write(i32::from(a == b))
    }

    device fn nvmlDeviceGetCpuAffinity(words: u32, set: Array<u64>) |gpu| {
        set.copy(&cpu_set(gpu, words))
    }

    device fn nvmlDeviceGetCpuAffinityWithinScope(words: u32, set: Array<u64>, scope: u32) |gpu| {
        if scope > 1 {
            return Err(Code::INVALID_ARGUMENT);
        }
        set.copy(&cpu_set(gpu, words))
    }

    device fn nvmlDeviceGetMemoryAffinity(words: u32, set: Array<u64>, scope: u32) |gpu| {
        if scope > 1 {
            return Err(Code::INVALID_ARGUMENT);
        }
        let mut nodes = vec![0_u64; words.min(16) as usize];
        if let Some(first) = nodes.first_mut() {
            *first = 1 << socket(&gpu.world, gpu.gpu);
        }
        set.copy(&nodes)
    }
}

/// Two GPUs, past the faults of both; it is a call of the first.
fn pair(call: &Call, first: Handle, second: Handle) -> Result<(usize, usize)> {
    let a = call.device(first)?;
    let Ok(Target::Gpu(b)) = second.target() else {
        return Err(Code::INVALID_ARGUMENT);
    };
    if call.world.engine.spec(b).is_none() || a.mig.is_some() {
        return Err(Code::INVALID_ARGUMENT);
    }
    if a.gpu != b {
        call.judge(Some(b))?;
    }
    Ok((a.gpu, b))
}

fn distance(call: &Call, a: usize, b: usize) -> u32 {
    level_between(&call.world, a, b)
}

fn distance_in(gpu: &Device, other: usize) -> u32 {
    level_between(&gpu.world, gpu.gpu, other)
}

fn level_between(world: &World, a: usize, b: usize) -> u32 {
    if a == b {
        0
    } else if socket(world, a) == socket(world, b) {
        SAME_NODE
    } else {
        ACROSS_SYSTEM
    }
}

/// The first half of the GPUs hangs on the first socket; bridged GPUs sit side by side and share a socket.
fn socket(world: &World, gpu: usize) -> usize {
    let gpus = world.engine.len();
    let first_of_pair = bridged(world, gpu).map_or(gpu, |peer| peer.min(gpu));
    usize::from(gpus > 1 && first_of_pair >= gpus.div_ceil(2))
}

fn cpu_set(gpu: &Device, words: u32) -> Vec<u64> {
    const BITS: usize = u64::BITS as usize;
    let first = socket(&gpu.world, gpu.gpu) * CPUS / 2;
    let near = first..first + CPUS / 2;
    let word = |n: usize| {
        (0..BITS)
            .filter(|bit| near.contains(&(n * BITS + bit)))
            .fold(0, |set, bit| set | 1 << bit)
    };
    // No machine has more than 64 words of processors; a caller who asks for more gets what there is.
    (0..words.min(64) as usize).map(word).collect()
}
