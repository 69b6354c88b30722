//! The driver's own ring of past readings.

use std::time::Duration;

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, export};
use super::layout::Sample;
use super::power::to_milliwatts;
use crate::engine::{Mean, STEP, Truth, percent, quantise};
use crate::faults::Values;

/// How many samples the driver keeps of each kind.
const RING: u64 = 120;

/// How often the driver takes a sample of the power; utilisations have the GPU's sampling period.
const POWER_PERIOD: Duration = STEP;

/// `NVML_VALUE_TYPE_UNSIGNED_INT`.
pub(super) const UNSIGNED_INT: u32 = 1;

/// What a sample is of.
#[derive(Clone, Copy)]
enum Of {
    /// The mean over the period that ends with the sample, unless a fault has the driver say something else.
    Mean(fn(&Mean) -> u32, fn(&Values) -> Option<u32>),
    /// The reading at that moment.
    Moment(fn(&Truth) -> u32),
}

export! {
    device fn nvmlDeviceGetSamples(
        kind: u32,
        last_seen: u64,
        value_type: Out<u32>,
        count: InOut<u32>,
        samples: Array<Sample>,
    ) |gpu| {
        let (period, of) = kind_of(gpu, kind)?;
        if gpu.has_mig() && kind != 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        value_type.write(UNSIGNED_INT)?;
        let now = gpu.now();
        let mut times: Vec<_> = times(now, period)
            .map(|at| (gpu.world.timestamp_us(at), at))
            .take_while(|(timestamp, _)| *timestamp > last_seen)
            .collect();
        if times.is_empty() {
            return Err(Code::NOT_FOUND);
        }
        if samples.is_null() {
            // A plain question for the length.
            return count.write(times.len() as u32);
        }
        let room = count.read()? as usize;
        if room == 0 {
            return Err(Code::INVALID_ARGUMENT);
        }
        super::process::race(gpu, &count)?;
        // What does not fit is fetched next time, hence the oldest first.
        times.reverse();
        let mut list = Vec::with_capacity(times.len().min(room));
        for (timestamp, at) in times.into_iter().take(room) {
            list.push(Sample { timestamp, value: u64::from(value(gpu, of, at, period)?) });
        }
        count.write(list.len() as u32)?;
        samples.copy(&list)
    }
}

/// The latest moment of sampling that readings of now show, and how many there have been up to a full ring.
pub(super) fn grid(now: Duration, period: Duration) -> (Duration, u64) {
    let now = quantise(now);
    let number = u64::try_from(now.as_millis() / period.as_millis()).unwrap_or(u64::MAX);
    (
        Duration::from_millis(number.saturating_mul(period.as_millis() as u64)),
        number.min(RING),
    )
}

/// The moments of the samples that are still in the ring, newest first.
fn times(now: Duration, period: Duration) -> impl Iterator<Item = Duration> {
    let (latest, count) = grid(now, period);
    (0..count).map(move |back| latest.saturating_sub(period * back as u32))
}

/// How often utilisations are sampled.
pub(super) fn utilization_period(gpu: &Device) -> Result<Duration> {
    Ok(Duration::from_millis(gpu.spec()?.sampling_period_ms.into()))
}

fn value(gpu: &Device, of: Of, at: Duration, period: Duration) -> Result<u32> {
    match of {
        Of::Moment(read) => Ok(read(&*gpu.truth_at(at)?)),
        Of::Mean(read, said) => {
            if let Some(said) = gpu.values().and_then(said) {
                return Ok(said);
            }
            let mean = gpu.world.engine.mean(gpu.gpu, at.saturating_sub(period), at);
            mean.map(|mean| read(&mean)).ok_or(Code::UNKNOWN)
        }
    }
}

/// How often a kind is sampled, and what of.
fn kind_of(gpu: &Device, kind: u32) -> Result<(Duration, Of)> {
    let spec = gpu.spec()?;
    if spec.unsupported_samples.contains(&kind) {
        return Err(Code::NOT_SUPPORTED);
    }
    let engines = &spec.engines;
    let of = match kind {
        0 => {
            let power = Of::Mean(|mean| to_milliwatts(mean.power_w), |values| values.power_mw);
            return Ok((POWER_PERIOD, power));
        }
        1 => Of::Mean(|mean| percent(mean.gpu), |values| values.gpu_utilization),
        2 => Of::Mean(|mean| percent(mean.memory), |values| values.memory_utilization),
        3 => Of::Mean(|mean| percent(mean.encoder), |values| values.encoder_utilization),
        4 => Of::Mean(|mean| percent(mean.decoder), |values| values.decoder_utilization),
        5 => Of::Moment(|truth| truth.graphics_mhz),
        6 => Of::Moment(|truth| truth.memory_mhz),
        8 if engines.jpeg > 0 => Of::Mean(|mean| percent(mean.jpeg), |_| None),
        9 if engines.ofa > 0 => Of::Mean(|mean| percent(mean.ofa), |_| None),
        7..=9 => return Err(Code::NOT_SUPPORTED),
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    Ok((utilization_period(gpu)?, of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_fills_and_then_moves() {
        let list = |ms| times(Duration::from_millis(ms), Duration::from_millis(100)).collect::<Vec<_>>();
        assert!(list(99).is_empty());
        assert_eq!(
            list(250),
            [Duration::from_millis(200), Duration::from_millis(100)]
        );
        let full = list(100_050);
        assert_eq!(full.len(), 120);
        assert_eq!(full[0], Duration::from_millis(100_000));
        assert!(full.is_sorted_by(|a, b| a > b));
    }
}
