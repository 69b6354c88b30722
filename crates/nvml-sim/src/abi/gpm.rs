//! GPU performance monitoring: two samples, and what happened between them. Hopper and later.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{InOut, Out, export};
use super::handle::{Handle, Target};
use super::layout::{GpmMetric, GpmMetricsGet, GpmSupport};
use crate::engine::{NVLINK_SHARES, PCIE_SHARES};
use crate::profile::{Architecture, Engines};
use crate::world::{self, World};

/// GPM's structures carry a plain version number instead of a tag.
const VERSION: u32 = 1;

/// The most metrics in one question: the length of the structure's array.
const MOST_METRICS: u32 = 477;

const MIB: f64 = (1_u64 << 20) as f64;

/// Samples by number; empty ones have been allocated but not taken.
static SAMPLES: Mutex<Option<HashMap<u32, Option<Taken>>>> = Mutex::new(None);

#[derive(Debug, Clone)]
struct Taken {
    gpu: usize,
    /// The position of the MIG instance, if it is a sample of one.
    mig: Option<usize>,
    links: u32,
    at: Duration,
}

export! {
    device fn nvmlGpmQueryDeviceSupport(support: InOut<GpmSupport>) |gpu| {
        let asked = support.read()?;
        if asked.version != VERSION {
            return Err(Code::VERSION_MISMATCH);
        }
        support.write(GpmSupport { supported: u32::from(supported(gpu)?), ..asked })
    }

    device fn nvmlGpmQueryIfStreamingEnabled(state: Out<u32>) |gpu| {
        if supported(gpu)? { state.write(0) } else { Err(Code::NOT_SUPPORTED) }
    }

    global fn nvmlGpmSampleAlloc(sample: Out<Handle>) |_call| {
        if sample.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        let id = world::fresh_id() as u32 & 0xFF_FFFF;
        samples().get_or_insert_default().insert(id, None);
        sample.write(Handle::new(Target::GpmSample(id)))
    }

    global fn nvmlGpmSampleFree(sample: Handle) |_call| {
        let id = id_of(sample)?;
        let removed = samples().as_mut().and_then(|samples| samples.remove(&id));
        removed.map(drop).ok_or(Code::INVALID_ARGUMENT)
    }

    device fn nvmlGpmSampleGet(sample: Handle) |gpu| {
        take(gpu, None, sample)
    }

    device fn nvmlGpmMigSampleGet(instance: u32, sample: Handle) |gpu| {
        let spec = gpu.spec()?;
        let mut instances = gpu.world.mig_instances(gpu.gpu).into_iter();
        let position = instances.find(|n| spec.mig.get(*n).is_some_and(|of| of.gpu_instance == instance));
        take(gpu, Some(position.ok_or(Code::INVALID_ARGUMENT)?), sample)
    }

    lookup fn nvmlGpmMetricsGet(question: InOut<GpmMetricsGet>) |call| {
        let asked = question.read().map_err(|code| call.refuse(code))?;
        let samples = taken(asked.first).and_then(|first| Ok((first, taken(asked.second)?)));
        let (first, second) = samples.map_err(|code| call.refuse(code))?;
        // It concerns the GPU that the samples are of.
        call.device(Handle::new(Target::Gpu(first.gpu)))?;
        if asked.version != VERSION {
            return Err(Code::VERSION_MISMATCH);
        }
        if asked.count > MOST_METRICS {
            return Err(Code::INVALID_ARGUMENT);
        }
        if (first.gpu, first.mig) != (second.gpu, second.mig) {
            return Err(Code::INVALID_ARGUMENT);
        }
        let list = question.following::<GpmMetric>();
        for index in 0..asked.count as usize {
            let place = list.item(index);
            let metric = place.read()?;
            let (code, value) = match between(&call.world, &first, &second, metric.metric) {
                Ok(value) => (0, value),
                Err(code) => (code.0, 0.0),
            };
            // The texts that describe a metric are not simulated: NULL.
            place.write(GpmMetric { code, value, short_name: 0, long_name: 0, unit: 0, ..metric })?;
        }
        Ok(())
    }
}

fn supported(gpu: &Device) -> Result<bool> {
    let spec = gpu.spec()?;
    Ok(spec.architecture >= Architecture::Hopper && spec.mig_capable)
}

/// Takes a sample of a GPU or of one of its instances.
fn take(gpu: &Device, mig: Option<usize>, sample: Handle) -> Result {
    if !supported(gpu)? {
        return Err(Code::NOT_SUPPORTED);
    }
    let id = id_of(sample)?;
    let links = gpu.spec()?.nvlink.as_ref().map_or(0, |link| link.active);
    let at = gpu.now();
    let taken = Taken {
        gpu: gpu.gpu,
        mig,
        links,
        at,
    };
    let mut samples = samples();
    let place = samples
        .as_mut()
        .and_then(|samples| samples.get_mut(&id))
        .ok_or(Code::INVALID_ARGUMENT)?;
    *place = Some(taken);
    Ok(())
}

/// A metric over the time between two samples, in NVML's units: percent, or MiB per second.
fn between(world: &World, first: &Taken, second: &Taken, metric: u32) -> Result<f64> {
    // Nothing can be said about no time at all.
    const NO_DATA: Code = Code(21);
    let engine = &world.engine;
    let whole = engine.mean(first.gpu, first.at, second.at).ok_or(NO_DATA)?;
    let (load, memory_load) = match first.mig {
        // What goes over the buses is not told apart by instance.
        Some(_) if metric >= 20 => return Err(Code::NOT_SUPPORTED),
        Some(mig) => engine
            .instance_mean(first.gpu, mig, first.at, second.at)
            .ok_or(NO_DATA)?,
        None => (whole.gpu, whole.memory),
    };
    let (load, memory_load) = (100.0 * load, 100.0 * memory_load);
    let rate = |bytes_at_full_load: f64| whole.gpu * bytes_at_full_load / MIB;
    let [nvlink_tx, nvlink_rx] = NVLINK_SHARES.map(rate);
    let links = f64::from(second.links);
    let engines = engine
        .spec(first.gpu)
        .map_or_else(Engines::default, |spec| spec.engines.clone());
    let unit = |number: u32, there: u32, share: f64| {
        if number < there {
            Ok(100.0 * share)
        } else {
            Err(Code::NOT_SUPPORTED)
        }
    };
    match metric {
        // Graphics, SMs, occupancy, tensor cores (any, and half precision), memory, single precision: what a
        // training job makes of its load.
        1 => Ok(load),
        2 => Ok(load * 0.94),
        3 => Ok(load * 0.42),
        4 => Ok(load * 0.18),
        5 | 7 => Ok(load * 0.55),
        6 | 8 | 9 | 11 | 13 => Ok(0.0),
        10 => Ok(memory_load),
        12 => Ok(load * 0.12),
        20 | 21 => Ok(rate(PCIE_SHARES[metric as usize - 20])),
        // Video engines share their work equally.
        30..=37 => unit(metric - 30, engines.decoders, whole.decoder),
        40..=47 => unit(metric - 40, engines.jpeg, whole.jpeg),
        50 | 51 => unit(metric - 50, engines.ofa, whole.ofa),
        60 => Ok(nvlink_rx * links),
        61 => Ok(nvlink_tx * links),
        62..=97 => {
            let there = (metric - 62) / 2 < second.links;
            let rx = metric.is_multiple_of(2);
            match (there, rx) {
                (true, true) => Ok(nvlink_rx),
                (true, false) => Ok(nvlink_tx),
                (false, _) => Err(Code::NOT_SUPPORTED),
            }
        }
        _ => Err(Code::NOT_SUPPORTED),
    }
}

fn taken(handle: Handle) -> Result<Taken> {
    let id = id_of(handle)?;
    let samples = samples();
    samples
        .as_ref()
        .and_then(|samples| samples.get(&id))
        .cloned()
        .flatten()
        .ok_or(Code::INVALID_ARGUMENT)
}

fn id_of(handle: Handle) -> Result<u32> {
    match handle.target() {
        Ok(Target::GpmSample(id)) => Ok(id),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

fn samples() -> MutexGuard<'static, Option<HashMap<u32, Option<Taken>>>> {
    SAMPLES.lock().unwrap_or_else(PoisonError::into_inner)
}
