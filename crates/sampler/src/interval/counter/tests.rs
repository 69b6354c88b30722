//! Tests of the counter.

use proptest::prelude::*;

use super::*;
use crate::interval::limits::{ENERGY_MILLIJOULES, ERRORS, PCIE_BYTES};

const SECOND: Duration = Duration::from_secs(1);

/// A counter that wraps at 32 bits and counts a million a second at most.
const NARROW: Limits = Limits {
    width: Width::Unknown,
    per_second: 1e6,
};

/// Gives a counter one value each second.
struct Fed {
    counter: Counter,
    at: Instant,
}

impl Fed {
    fn new(limits: Limits) -> Self {
        Self {
            counter: Counter::new(limits),
            at: Instant::now(),
        }
    }

    fn advance(&mut self, raw: u64) -> Advance {
        self.advance_after(SECOND, raw)
    }

    fn advance_after(&mut self, time: Duration, raw: u64) -> Advance {
        self.at += time;
        self.counter.advance(raw, self.at)
    }
}

fn numbers(advance: Advance) -> (u64, u64, u64) {
    (advance.total, advance.delta, advance.resets_total)
}

#[test]
fn the_total_is_the_drivers_value_while_nothing_is_reset() {
    let mut counter = Fed::new(ENERGY_MILLIJOULES);
    assert_eq!(numbers(counter.advance(5_000_000)), (5_000_000, 0, 0));
    assert_eq!(numbers(counter.advance(5_700_000)), (5_700_000, 700_000, 0));
    assert_eq!(numbers(counter.advance(5_700_000)), (5_700_000, 0, 0));
}

#[test]
fn after_a_reset_the_value_is_what_was_counted_since() {
    let mut counter = Fed::new(ENERGY_MILLIJOULES);
    counter.advance(5_000_000);
    assert_eq!(numbers(counter.advance(300_000)), (5_300_000, 300_000, 1));
    assert_eq!(numbers(counter.advance(800_000)), (5_800_000, 500_000, 1));
    assert_eq!(numbers(counter.advance(0)), (5_800_000, 0, 2));
}

#[test]
fn a_decrease_to_a_value_that_cannot_have_been_counted_adds_nothing() {
    let mut counter = Fed::new(ENERGY_MILLIJOULES);
    counter.advance(500_000_000_000);
    assert_eq!(numbers(counter.advance(400_000_000_000)), (500_000_000_000, 0, 1));
    assert_eq!(
        numbers(counter.advance(400_000_000_700)),
        (500_000_000_700, 700, 1)
    );
}

#[test]
fn a_decrease_is_a_wrap_where_the_time_allows_one() {
    let mut counter = Fed::new(NARROW);
    counter.advance(u64::from(u32::MAX) - 99);
    let total = u64::from(u32::MAX) + 1 + 500;
    assert_eq!(numbers(counter.advance(500)), (total, 600, 0));
}

#[test]
fn a_decrease_is_a_reset_where_the_time_does_not_allow_a_wrap() {
    let mut counter = Fed::new(NARROW);
    counter.advance(1_000_000_000);
    assert_eq!(numbers(counter.advance(500)), (1_000_000_500, 500, 1));
    let two_hours = Duration::from_secs(7_200);
    let wrapped = counter.advance_after(two_hours, 400);
    assert_eq!(
        (wrapped.delta, wrapped.resets_total),
        (u64::from(u32::MAX) + 1 - 100, 1)
    );
}

#[test]
fn sixty_four_bits_wrap_at_sixty_four_where_the_total_ends() {
    let mut counter = Fed::new(ENERGY_MILLIJOULES);
    counter.advance(u64::MAX - 99);
    assert_eq!(numbers(counter.advance(100)), (u64::MAX, 200, 0));
}

#[test]
fn an_unknown_width_is_32_bits_until_a_larger_value_is_seen() {
    let mut counter = Fed::new(PCIE_BYTES);
    counter.advance(4_000_000_000);
    assert_eq!(counter.advance(1_000_000_000).delta, 1_294_967_296, "wrapped");
    let wide = counter.advance(5_000_000_000);
    assert_eq!((wide.delta, wide.resets_total), (4_000_000_000, 0));
    let reset = counter.advance(1_000_000_000);
    assert_eq!((reset.delta, reset.resets_total), (1_000_000_000, 1));
}

#[test]
fn a_value_that_does_not_fit_its_width_has_not_wrapped_there() {
    let mut counter = Fed::new(NARROW);
    counter.advance(u64::MAX);
    assert_eq!(
        numbers(counter.advance_after(SECOND * 86_400, u64::MAX - TURN)),
        (u64::MAX, 0, 1)
    );
}

#[test]
fn turns_that_nobody_could_see_are_confessed() {
    let mut counter = Fed::new(PCIE_BYTES);
    assert!(counter.advance(1_000).may_hide_turns, "before anybody looked");
    let brief = Duration::from_millis(1);
    assert!(counter.advance_after(SECOND, 2_000).may_hide_turns);
    assert!(counter.advance_after(SECOND, TURN + 2_000).delta > 0);
    assert!(
        !counter.advance_after(SECOND, TURN + 3_000).may_hide_turns,
        "64 bits"
    );

    let mut slow = Fed::new(NARROW);
    slow.advance(1_000);
    assert!(!slow.advance_after(brief, 1_100).may_hide_turns);
    assert!(slow.advance_after(SECOND * 5_000, 1_200).may_hide_turns);
}

#[test]
fn a_racing_read_is_no_reset_and_is_not_counted_twice() {
    let mut counter = Fed::new(ENERGY_MILLIJOULES);
    counter.advance(5_000_000);
    assert_eq!(numbers(counter.advance(4_999_000)), (5_000_000, 0, 0));
    assert_eq!(numbers(counter.advance(5_000_300)), (5_000_300, 300, 0));
}

#[test]
fn a_decrease_beyond_what_racing_explains_is_a_reset() {
    let mut by_share = Fed::new(ENERGY_MILLIJOULES);
    by_share.advance(5_000_000);
    assert_eq!(by_share.advance(4_990_000).resets_total, 1);
    let mut by_time = Fed::new(ENERGY_MILLIJOULES);
    by_time.advance(5_000_000_000);
    assert_eq!(by_time.advance(4_999_800_000).resets_total, 1);
}

#[test]
fn a_count_of_errors_that_decreases_by_one_was_reset() {
    let mut counter = Fed::new(ERRORS);
    counter.advance(3);
    assert_eq!(numbers(counter.advance(2)), (5, 2, 1));
    assert_eq!(numbers(counter.advance(0)), (5, 0, 2));
}

#[test]
fn another_thread_goes_on_with_what_one_has_counted() {
    let mut counter = Fed::new(ENERGY_MILLIJOULES);
    counter.advance(5_000_000);
    counter.advance(100_000);
    let (mut kept, at) = (counter.counter.clone(), counter.at + SECOND);
    let other = std::thread::spawn(move || kept.advance(200_000, at));
    assert_eq!(numbers(other.join().unwrap()), (5_200_000, 100_000, 1));
}

fn widths() -> impl Strategy<Value = Width> {
    prop_oneof![Just(Width::Unknown), Just(Width::Bits64), Just(Width::NoWrap)]
}

/// Values of which some are close to the ends of the widths, and some to each other.
fn values() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0u64..2_000,
        TURN - 1_000..TURN + 1_000,
        u64::MAX - 1_000..=u64::MAX
    ]
}

proptest! {
    #[test]
    fn the_total_never_decreases_whatever_the_driver_says(
        width in widths(),
        per_second in 0.0..1e12f64,
        values in prop::collection::vec((values(), 0u64..10_000), 1..50),
    ) {
        let mut counter = Fed::new(Limits { width, per_second });
        let mut before: Option<Advance> = None;
        for (raw, milliseconds) in values {
            let advance = counter.advance_after(Duration::from_millis(milliseconds), raw);
            if let Some(before) = before {
                prop_assert_eq!(advance.total, before.total.saturating_add(advance.delta));
                prop_assert!(advance.resets_total - before.resets_total <= 1);
            }
            before = Some(advance);
        }
    }

    #[test]
    fn without_resets_the_deltas_add_up_to_the_total(
        width in widths(),
        first in 0u64..1 << 62,
        steps in prop::collection::vec(0u64..1 << 50, 0..50),
    ) {
        let mut counter = Fed::new(Limits { width, per_second: 1e6 });
        let (mut raw, mut deltas) = (first, 0);
        let mut advance = counter.advance(first);
        for step in steps {
            raw += step;
            advance = counter.advance(raw);
            deltas += advance.delta;
        }
        prop_assert_eq!(numbers(advance), (raw, advance.delta, 0));
        prop_assert_eq!(advance.total - first, deltas);
    }

    #[test]
    fn wraps_at_32_bits_are_counted_exactly(
        width in Just(Width::Unknown),
        first in 0..TURN,
        per_second in 1e6..2e9f64,
        ticks in prop::collection::vec((0.0..1.0f64, 1u64..1_000), 1..200),
    ) {
        let mut counter = Fed::new(Limits { width, per_second });
        counter.advance(first);
        let mut truth = first;
        for (load, milliseconds) in ticks {
            let time = Duration::from_millis(milliseconds);
            truth += (load * per_second * time.as_secs_f64()) as u64;
            let advance = counter.advance_after(time, truth % TURN);
            prop_assert_eq!((advance.total, advance.resets_total), (truth, 0));
        }
    }

    #[test]
    fn resets_to_zero_are_counted_exactly(
        ticks in prop::collection::vec((0u64..5_000_000, prop::bool::weighted(0.2)), 1..100),
    ) {
        let mut counter = Fed::new(ENERGY_MILLIJOULES);
        let (mut raw, mut truth, mut resets) = (100_000_000, 100_000_000, 0);
        counter.advance(raw);
        for (counted, reset) in ticks {
            // A reset can be seen only where the counter has not yet come back to where it was.
            let reset = reset && raw - raw / JITTER_SHARE > counted;
            raw = if reset { counted } else { raw + counted };
            truth += counted;
            resets += u64::from(reset);
            prop_assert_eq!(numbers(counter.advance(raw)), (truth, counted, resets));
        }
    }
}
