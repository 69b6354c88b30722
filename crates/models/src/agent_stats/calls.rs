//! How often the driver was called, how long that took, and what came of it.

use std::time::Duration;

use serde::Serialize;

use crate::Reason;

/// Upper bounds of the buckets that the time of a call is counted in; one bucket more takes what is above the last.
///
/// A call that the driver answers from memory takes some ten microseconds, one that asks the GPU milliseconds, and one
/// that waits for a sick GPU seconds to a minute. Two steps to a power of ten tell these apart with few series.
pub const CALL_BUCKETS: [Duration; 15] = [
    Duration::from_micros(10),
    Duration::from_micros(30),
    Duration::from_micros(100),
    Duration::from_micros(300),
    Duration::from_millis(1),
    Duration::from_millis(3),
    Duration::from_millis(10),
    Duration::from_millis(30),
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// One function of the driver's library, over all GPUs.
///
/// What a GPU says that it does not have is not asked for again, so that each such refusal is counted about once for each GPU.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallStats {
    /// The function's name, such as `nvmlDeviceGetPowerUsage`, whatever its arguments; or a file below `/proc` that a reader
    /// can be stuck at.
    pub call: &'static str,
    /// Calls that have not returned at this moment, be they slow or stuck for good.
    pub under_way: u64,
    /// Times that somebody gave up waiting for it. Such a call still counts as under way, until it returns.
    pub hangs: u64,
    /// Calls that returned with an error.
    pub errors: CallErrors,
    /// How many returned, with an error or without, and how long they took.
    pub latency: Latencies,
}

/// Errors by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CallErrors(pub [u64; Reason::ALL.len()]);

impl CallErrors {
    /// How often it was this one.
    pub fn of(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// The reasons that there were, each with how often.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, u64)> {
        let all = Reason::ALL.into_iter().map(|reason| (reason, self.of(reason)));
        all.filter(|(_, count)| *count > 0)
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// Lengths of time, in buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latencies {
    /// How many fell into each bucket of [`CALL_BUCKETS`], and last how many were longer. Not cumulative.
    pub counts: [u64; CALL_BUCKETS.len() + 1],
    /// All of them together, in seconds.
    pub sum_seconds: f64,
}

impl Latencies {
    /// The bucket of `time`: the first with a bound that is not below it.
    pub fn bucket(time: Duration) -> usize {
        CALL_BUCKETS.partition_point(|bound| *bound < time)
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Each bound in seconds with how many were not longer, as Prometheus has it. The last bound is infinite.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = CALL_BUCKETS.iter().map(Duration::as_secs_f64);
        let bounds = bounds.chain([f64::INFINITY]);
        bounds.zip(&self.counts).scan(0, |sum, (bound, count)| {
            *sum += count;
            Some((bound, *sum))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let nanosecond = Duration::from_nanos(1);
        assert_eq!(Latencies::bucket(Duration::ZERO), 0);
        for (position, bound) in CALL_BUCKETS.into_iter().enumerate() {
            assert_eq!(Latencies::bucket(bound), position);
            assert_eq!(Latencies::bucket(bound + nanosecond), position + 1);
        }
        assert_eq!(Latencies::bucket(Duration::MAX), CALL_BUCKETS.len());
    }

    #[test]
    fn cumulated_buckets_end_with_all() {
        let mut latencies = Latencies::default();
        for (position, count) in latencies.counts.iter_mut().enumerate() {
            *count = position as u64;
        }
        let cumulative: Vec<_> = latencies.cumulative().collect();
        assert_eq!(cumulative.len(), CALL_BUCKETS.len() + 1);
        assert_eq!(cumulative[0], (0.000_01, 0));
        assert_eq!(cumulative[3], (0.000_3, 6));
        assert_eq!(cumulative.last(), Some(&(f64::INFINITY, latencies.count())));
        assert!(cumulative.is_sorted());
    }

    #[test]
    fn each_reason_has_a_count_of_its_own() {
        let mut errors = CallErrors::default();
        for (number, reason) in (1..).zip(Reason::ALL) {
            errors.0[reason as usize] = number;
        }
        assert!(errors.iter().map(|(reason, _)| reason).eq(Reason::ALL));
        assert_eq!(errors.of(Reason::ALL[0]), 1);
        assert_eq!(errors.total(), (1..=Reason::ALL.len() as u64).sum::<u64>());
        assert_eq!(CallErrors::default().iter().count(), 0);
    }
}
