//! The driver's own ring of past readings.

use std::time::Duration;

use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, export};
use super::layout::Sample;
use crate::engine::Truth;

/// How many samples the driver keeps of each kind.
const RING: u64 = 120;

/// How often the driver takes a sample.
const POWER_PERIOD: Duration = Duration::from_millis(20);
pub(super) const UTILIZATION_PERIOD: Duration = Duration::from_millis(100);

/// `NVML_VALUE_TYPE_UNSIGNED_INT`.
pub(super) const UNSIGNED_INT: u32 = 1;

/// Takes one value out of all the readings of a moment.
type Reader = fn(&Truth) -> u32;

export! {
    device fn nvmlDeviceGetSamples(
        kind: u32,
        last_seen: u64,
        value_type: Out<u32>,
        count: InOut<u32>,
        samples: Array<Sample>,
    ) |gpu| {
        let (period, read) = kind_of(kind)?;
        if gpu.has_mig() && kind != 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        value_type.write(UNSIGNED_INT)?;
        let now = gpu.world.clock.now();
        let times: Vec<_> = times(now, period)
            .map(|at| (gpu.world.timestamp_us(at), at))
            .filter(|(timestamp, _)| *timestamp > last_seen)
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
        let mut list = Vec::with_capacity(times.len().min(room));
        for (timestamp, at) in times.into_iter().take(room) {
            list.push(Sample { timestamp, value: u64::from(read(&gpu.truth_at(at)?)) });
        }
        count.write(list.len() as u32)?;
        samples.copy(&list)
    }
}

/// The latest moment of sampling, and how many there have been up to a full ring.
pub(super) fn grid(now: Duration, period: Duration) -> (Duration, u64) {
    let number = u64::try_from(now.as_millis() / period.as_millis()).unwrap_or(u64::MAX);
    (
        Duration::from_millis(number.saturating_mul(period.as_millis() as u64)),
        number.min(RING),
    )
}

/// The moments of the samples that are still in the ring, oldest first.
fn times(now: Duration, period: Duration) -> impl Iterator<Item = Duration> {
    let (latest, count) = grid(now, period);
    (0..count)
        .rev()
        .map(move |back| latest.saturating_sub(period * back as u32))
}

/// How often a kind is sampled, and what of.
fn kind_of(kind: u32) -> Result<(Duration, Reader)> {
    let read: Reader = match kind {
        0 => return Ok((POWER_PERIOD, |t| t.power_instant_mw)),
        1 => |t| t.gpu_utilization,
        2 => |t| t.memory_utilization,
        3 => |t| t.encoder_utilization,
        4 => |t| t.decoder_utilization,
        5 => |t| t.graphics_mhz,
        6 => |t| t.memory_mhz,
        7..=9 => return Err(Code::NOT_SUPPORTED),
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    Ok((UTILIZATION_PERIOD, read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_fills_and_then_moves() {
        let list = |ms| times(Duration::from_millis(ms), UTILIZATION_PERIOD).collect::<Vec<_>>();
        assert!(list(99).is_empty());
        assert_eq!(
            list(250),
            [Duration::from_millis(100), Duration::from_millis(200)]
        );
        let full = list(100_050);
        assert_eq!(full.len(), 120);
        assert_eq!(full.last(), Some(&Duration::from_millis(100_000)));
        assert!(full.is_sorted());
    }
}
