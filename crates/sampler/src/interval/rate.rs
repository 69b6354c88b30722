//! How fast a total grows: bytes per second, or the average power out of an energy counter.

use std::time::Duration;

use gpulse_models::Watts;

const MICROSECONDS_PER_SECOND: f64 = 1e6;
const MILLIWATTS_PER_WATT: f64 = 1e3;

/// The rate of a total from one value to the next.
///
/// It is as exact as the time that comes with a value. The driver stamps field values in microseconds since 1970
/// (`timestamp` of `nvmlFieldValue`): that stamp leaves out how long the call took and is to be preferred. For other
/// values the caller measures, on a clock that never goes back, right after the call.
///
/// Hardware refreshes some counters every 10 to 100 ms only; energy is one. A value may be that much older than its time
/// says, so that the rate of a tick of one second is off by up to a tenth, up in one tick and down in the next. The
/// totals lose nothing: the mean over many ticks is exact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rate {
    last: Option<Point>,
    refresh_us: u64,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    total: u64,
    time_us: u64,
}

impl Rate {
    /// The rate of a total that is refreshed every `refresh` at the slowest, and that never stands still for longer.
    ///
    /// A total that has not changed for less than that has not been refreshed, which says nothing about the rate. The
    /// [default](Rate::default) is for a total that may stand still: then its rate is zero.
    pub(crate) fn refreshed_every(refresh: Duration) -> Self {
        Self {
            last: None,
            refresh_us: u64::try_from(refresh.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// By how many units a second the total has grown since the value before, which is of an earlier `time_us`.
    ///
    /// Nothing for the first value, and nothing where no time went by: the next rate then spans both. After a time or
    /// a total that went back it starts anew.
    pub(crate) fn advance(&mut self, total: u64, time_us: u64) -> Option<f64> {
        let now = Point { total, time_us };
        let grown = self.last.map(|last| {
            let grown = total.checked_sub(last.total)?;
            Some((grown, time_us.checked_sub(last.time_us)?))
        });
        match grown.flatten() {
            Some((grown, passed)) if passed == 0 || (grown == 0 && passed < self.refresh_us) => None,
            Some((grown, passed)) => {
                self.last = Some(now);
                Some(grown as f64 / passed as f64 * MICROSECONDS_PER_SECOND)
            }
            None => {
                self.last = Some(now);
                None
            }
        }
    }
}

/// The average power, out of the rate of a counter of millijoules.
pub(crate) fn watts(millijoules_per_second: f64) -> Watts {
    Watts(millijoules_per_second / MILLIWATTS_PER_WATT)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::interval::{
        counter::Counter,
        limits::{BYTES_PER_KIBIBYTE, ENERGY_MILLIJOULES, NVLINK_KIBIBYTES},
    };

    const REFRESH: Duration = Duration::from_millis(100);

    #[test]
    fn the_first_value_has_no_rate() {
        let mut rate = Rate::default();
        assert_eq!(rate.advance(1_000, 50), None);
        assert_eq!(rate.advance(3_000, 500_050), Some(4_000.0));
    }

    #[test]
    fn a_total_that_stands_still_has_a_rate_of_zero() {
        let mut rate = Rate::default();
        rate.advance(1_000, 0);
        assert_eq!(rate.advance(1_000, 10), Some(0.0));
    }

    #[test]
    fn where_no_time_went_by_the_next_rate_spans_both_values() {
        let mut rate = Rate::default();
        rate.advance(1_000, 0);
        assert_eq!(rate.advance(2_000, 0), None);
        assert_eq!(rate.advance(4_000, 1_000_000), Some(3_000.0));
    }

    #[test]
    fn a_total_that_was_not_refreshed_yet_says_nothing() {
        let mut rate = Rate::refreshed_every(REFRESH);
        rate.advance(1_000, 0);
        assert_eq!(rate.advance(1_000, 40_000), None);
        assert_eq!(rate.advance(1_800, 80_000), Some(10_000.0));
        assert_eq!(rate.advance(1_800, 180_000), Some(0.0), "it does stand still");
    }

    #[test]
    fn what_went_back_starts_anew() {
        let mut rate = Rate::default();
        rate.advance(1_000, 5_000_000);
        assert_eq!(rate.advance(2_000, 1_000_000), None, "the clock was set back");
        assert_eq!(rate.advance(2_500, 2_000_000), Some(500.0));
        assert_eq!(
            rate.advance(100, 3_000_000),
            None,
            "no total of a counter of ours"
        );
        assert_eq!(rate.advance(300, 4_000_000), Some(200.0));
    }

    #[test]
    fn power_is_exact_over_a_reset_of_the_energy_counter() {
        let (mut counter, mut rate) = (Counter::new(ENERGY_MILLIJOULES), Rate::refreshed_every(REFRESH));
        let begin = Instant::now();
        let values = [(9_000_000, 0), (9_350_000, 500), (700_000, 1_500)];
        let powers = values.map(|(raw, milliseconds)| {
            let total = counter
                .advance(raw, begin + Duration::from_millis(milliseconds))
                .total;
            rate.advance(total, milliseconds * 1_000).map(watts)
        });
        assert_eq!(powers, [None, Some(Watts(700.0)), Some(Watts(700.0))]);
    }

    #[test]
    fn kibibytes_become_bytes_before_they_become_a_rate() {
        let (mut counter, mut rate) = (Counter::new(NVLINK_KIBIBYTES), Rate::default());
        let begin = Instant::now();
        let mut advance = |raw, seconds| {
            let advance = counter.advance(raw, begin + Duration::from_secs(seconds));
            rate.advance(advance.total * BYTES_PER_KIBIBYTE, seconds * 1_000_000)
        };
        assert_eq!(advance(10, 0), None);
        assert_eq!(advance(30, 2), Some(10_240.0));
    }

    proptest! {
        #[test]
        fn the_rates_of_all_ticks_add_up_to_what_was_counted(
            ticks in prop::collection::vec((prop_oneof![Just(0), 0u64..1_000_000_000_000], 0u64..5_000_000), 1..100),
            refresh in 0u64..200_000,
        ) {
            let mut rate = Rate::refreshed_every(Duration::from_micros(refresh));
            let (mut total, mut time) = (7_000, 1_764_000_000_000_000);
            rate.advance(total, time);
            let (mut spanned_from, mut counted) = (time, 0.0);
            for (grown, passed) in ticks.into_iter().chain([(1, 1)]) {
                total += grown;
                time += passed;
                if let Some(per_second) = rate.advance(total, time) {
                    prop_assert!(per_second >= 0.0);
                    counted += per_second * (time - spanned_from) as f64 / 1e6;
                    spanned_from = time;
                }
            }
            prop_assert_eq!(spanned_from, time, "nothing is left over");
            let truth = (total - 7_000) as f64;
            prop_assert!((counted - truth).abs() <= 1e-9 * truth, "{} is not {}", counted, truth);
        }
    }
}
