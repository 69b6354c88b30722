//! What share of the GPU's engines each process used, by the driver's latest sample of it.

use std::{collections::HashMap, time::Duration};

use gpulse_models::{Percent, ProcessUtilization, Reading, Reason, Timestamp};
use nvml_wrapper::{Device, error::NvmlError, struct_wrappers::device::ProcessUtilizationSample};

use super::list::patiently;
use crate::{asker::Asker, convert};

/// The shares of one GPU's processes. Remembers up to when they were seen.
#[derive(Debug)]
pub(super) struct Shares {
    /// Time of the newest sample seen, in the driver's microseconds since 1970; 0 asks for all that it keeps.
    seen: u64,
    /// Samples that are older than this beside the newest one say nothing about the present.
    window: Duration,
}

impl Shares {
    /// Shares that are asked for once per `interval`.
    pub(super) fn every(interval: Duration) -> Self {
        Self {
            seen: 0,
            window: interval,
        }
    }

    /// What the driver sampled since the last time, by pid.
    pub(super) fn read(
        &mut self,
        asker: &mut Asker,
        device: &Device<'_>,
        now: Timestamp,
    ) -> Reading<HashMap<u32, ProcessUtilization>> {
        let since = self.since(now);
        let samples = asker.ask(
            "nvmlDeviceGetProcessUtilization",
            || patiently(|| none_is_empty(device.process_utilization_stats(since))),
            Ok,
        );
        samples.map(|samples| self.take(samples))
    }

    /// From when on samples are asked for. A clock that was set back must not hide them until it has caught up.
    fn since(&mut self, now: Timestamp) -> u64 {
        let now = u64::try_from(now.as_microsecond()).unwrap_or(0);
        self.seen = self.seen.min(now);
        self.seen
    }

    /// The latest sample of each process, unless it is older than the window beside the newest of all.
    fn take(&mut self, mut samples: Vec<ProcessUtilizationSample>) -> HashMap<u32, ProcessUtilization> {
        samples.sort_by_key(|sample| sample.timestamp);
        let newest = samples.last().map_or(0, |sample| sample.timestamp);
        self.seen = self.seen.max(newest);
        let window = u64::try_from(self.window.as_micros()).unwrap_or(u64::MAX);
        samples.retain(|sample| sample.timestamp >= newest.saturating_sub(window));
        let shares = samples.into_iter().map(|sample| {
            let shares = ProcessUtilization {
                sm: share(sample.sm_util),
                memory: share(sample.mem_util),
                encoder: share(sample.enc_util),
                decoder: share(sample.dec_util),
            };
            (sample.pid, shares)
        });
        shares.collect()
    }
}

/// `NotFound` means that there is no fresh sample.
fn none_is_empty<T>(answer: Result<Vec<T>, NvmlError>) -> Result<Vec<T>, NvmlError> {
    match answer {
        Err(NvmlError::NotFound) => Ok(Vec::new()),
        answer => answer,
    }
}

/// A process cannot use more than all there is: drivers leave such numbers in fields that they did not fill.
fn share(raw: u32) -> Reading<Percent> {
    match convert::percent(raw) {
        Ok(percent) if percent.0 > 100.0 => Reading::Unavailable(Reason::Error),
        share => share.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOW: Duration = Duration::from_secs(5);

    fn sample(pid: u32, timestamp: u64, sm_util: u32) -> ProcessUtilizationSample {
        ProcessUtilizationSample {
            pid,
            timestamp,
            sm_util,
            mem_util: 0,
            enc_util: 0,
            dec_util: 0,
        }
    }

    #[test]
    fn the_latest_sample_of_a_process_counts() {
        let samples = vec![sample(7, 200, 50), sample(7, 300, 60), sample(7, 100, 40)];
        let shares = Shares::every(WINDOW).take(samples);
        assert_eq!(shares[&7].sm, Reading::Value(Percent(60.0)));
        assert_eq!(shares[&7].encoder, Reading::Value(Percent(0.0)));
    }

    #[test]
    fn a_sample_of_long_ago_is_not_the_present() {
        let shares = Shares::every(WINDOW).take(vec![sample(7, 1_000_000, 50), sample(8, 9_000_000, 60)]);
        assert_eq!(shares.keys().collect::<Vec<_>>(), [&8]);
    }

    #[test]
    fn samples_are_asked_for_from_the_newest_seen_on() {
        let at = |microsecond| Timestamp::from_microsecond(microsecond).unwrap();
        let mut shares = Shares::every(WINDOW);
        assert_eq!(shares.since(at(1_000)), 0, "all that the driver keeps");
        shares.take(vec![sample(7, 900, 50), sample(8, 800, 60)]);
        assert_eq!(shares.since(at(2_000)), 900);
        shares.take(Vec::new());
        assert_eq!(shares.since(at(3_000)), 900);
        assert_eq!(shares.since(at(500)), 500, "the clock was set back");
    }

    #[test]
    fn no_fresh_sample_is_empty_and_no_error() {
        let none: Result<Vec<u32>, _> = none_is_empty(Err(NvmlError::NotFound));
        assert!(none.unwrap().is_empty());
        let lost: Result<Vec<u32>, _> = none_is_empty(Err(NvmlError::GpuLost));
        assert!(matches!(lost, Err(NvmlError::GpuLost)));
    }

    #[test]
    fn blank_and_impossible_shares_are_no_numbers() {
        assert_eq!(share(100), Reading::Value(Percent(100.0)));
        assert_eq!(share(101), Reading::Unavailable(Reason::Error));
        assert_eq!(share(2_147_483_632), Reading::Unavailable(Reason::Error));
        assert_eq!(share(u32::MAX), Reading::Unavailable(Reason::NotSupported));
    }

    proptest! {
        #[test]
        fn every_share_lies_within_a_hundred(raw: u32) {
            prop_assert!(share(raw).value().is_none_or(|percent| (0.0..=100.0).contains(&percent.0)));
        }
    }
}
