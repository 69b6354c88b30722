//! Tests of the ring's statistics.

use proptest::prelude::*;

use super::*;

const LATE: u64 = u64::MAX;

/// A ring that has taken one sample, at `time`.
fn begun_at(time: u64) -> Ring {
    let mut ring = Ring::default();
    ring.take(vec![(time, 0.0)], LATE).unwrap();
    ring
}

#[test]
fn a_sample_weighs_as_much_as_the_time_since_the_one_before_it() {
    let mut ring = begun_at(1_000);
    let stats = ring.take(vec![(1_100, 10.0), (1_400, 30.0)], LATE).unwrap();
    let expected = Stats {
        mean: 25.0,
        min: 10.0,
        max: 30.0,
        p95: 30.0,
        count: 2,
        from_us: 1_000,
        to_us: 1_400,
        covered_us: 400,
    };
    assert_eq!(stats, expected);
}

#[test]
fn no_new_sample_is_no_statistics() {
    let mut ring = Ring::default();
    assert_eq!(ring.take(Vec::new(), LATE), None);
    assert_eq!(ring.since(50), 0, "all that the driver keeps");
    ring.take(vec![(100, 1.0)], LATE).unwrap();
    assert_eq!(ring.take(vec![(100, 1.0), (90, 2.0)], LATE), None);
    assert_eq!(ring.since(1_000), 100);
}

#[test]
fn order_and_repetition_and_what_is_no_number_do_not_count() {
    let sorted = vec![(1_100, 1.0), (1_200, 2.0), (1_300, 4.0)];
    let shuffled = vec![
        (1_300, 4.0),
        (900, 99.0),
        (1_200, 2.0),
        (1_250, f64::NAN),
        (1_100, 1.0),
        (1_200, 7.0),
    ];
    let stats = begun_at(1_000).take(shuffled, LATE);
    assert_eq!(stats, begun_at(1_000).take(sorted, LATE));
    assert_eq!(stats.unwrap().count, 3);
}

#[test]
fn the_very_first_sample_stands_for_the_usual_spacing() {
    let samples = vec![(1_000, 10.0), (1_100, 20.0), (1_200, 20.0), (1_350, 20.0)];
    let stats = Ring::default().take(samples, LATE).unwrap();
    assert_eq!((stats.from_us, stats.covered_us), (900, 450));
    assert!((stats.mean - 8_000.0 / 450.0).abs() < 1e-9, "{stats:?}");
}

#[test]
fn a_first_sample_alone_is_its_own_mean_and_covers_no_known_time() {
    let stats = Ring::default().take(vec![(1_000, 7.0)], LATE).unwrap();
    assert_eq!((stats.mean, stats.p95, stats.count), (7.0, 7.0, 1));
    assert_eq!((stats.from_us, stats.to_us, stats.covered_us), (1_000, 1_000, 0));
}

#[test]
fn the_sample_after_a_gap_does_not_stand_for_the_gap() {
    let mut ring = begun_at(1_000);
    ring.take((1..=10).map(|n| (1_000 + n * 100, 5.0)).collect(), LATE);
    // The ring has wrapped: of the 48 seconds since then it holds the last 120 samples only.
    let wrapped: Vec<_> = (0..120)
        .map(|n| (50_000 + n * 100, if n == 0 { 100.0 } else { 0.0 }))
        .collect();
    let stats = ring.take(wrapped, LATE).unwrap();
    assert_eq!((stats.from_us, stats.to_us, stats.count), (2_000, 61_900, 120));
    assert_eq!(stats.covered_us, 12_000, "one spacing for each");
    assert!((stats.mean - 100.0 / 120.0).abs() < 1e-9, "{stats:?}");
}

#[test]
fn a_gap_is_known_though_every_tick_sees_one_sample_only() {
    let mut ring = begun_at(1_000);
    for n in 1..=5 {
        let stats = ring.take(vec![(1_000 + n * 100, 1.0)], LATE).unwrap();
        assert_eq!(stats.covered_us, 100);
    }
    let stats = ring.take(vec![(90_000, 1.0)], LATE).unwrap();
    assert_eq!((stats.from_us, stats.covered_us), (1_500, 100));
}

#[test]
fn a_driver_that_samples_more_slowly_is_followed() {
    let mut ring = begun_at(1_000);
    ring.take((1..=20).map(|n| (1_000 + n * 100, 1.0)).collect(), LATE);
    for n in 1..=7 {
        ring.take(vec![(3_000 + n * 1_000, 1.0)], LATE).unwrap();
    }
    let stats = ring.take(vec![(11_000, 1.0)], LATE).unwrap();
    assert_eq!(stats.covered_us, 1_000);
}

#[test]
fn the_95th_percentile_goes_by_time() {
    let mut ring = begun_at(100);
    let by_rank: Vec<_> = (1..=100).map(|n| (100 + n * 10, n as f64)).collect();
    assert_eq!(ring.take(by_rank, LATE).unwrap().p95, 95.0);
    let mut ring = begun_at(100);
    let high_for_long = vec![(110, 1.0), (120, 2.0), (130, 3.0), (140, 4.0), (179, 50.0)];
    assert_eq!(ring.take(high_for_long, LATE).unwrap().p95, 50.0);
    let mut ring = begun_at(100);
    let high_for_short = vec![(120, 1.0), (140, 2.0), (160, 3.0), (180, 4.0), (181, 50.0)];
    assert_eq!(ring.take(high_for_short, LATE).unwrap().p95, 4.0);
}

#[test]
fn a_clock_set_back_hides_no_samples_and_brings_none_twice() {
    let mut ring = begun_at(10_000);
    let old = vec![(10_100, 1.0), (10_200, 1.0)];
    ring.take(old.clone(), 10_250).unwrap();
    assert_eq!(ring.since(10_300), 10_200);
    // The clock went back to 10_000: the samples of before are in the future, one of them was never seen.
    assert_eq!(ring.since(10_040), 10_040);
    let bygone = vec![(10_100, 1.0), (10_200, 1.0), (10_300, 1.0)];
    assert_eq!(ring.take(bygone.clone(), 10_045), None);
    // It runs through the times of those samples, which the driver still gives.
    assert_eq!(ring.since(10_260), 10_040);
    let mut samples = bygone;
    samples.extend([(10_050, 3.0), (10_150, 3.0), (10_250, 3.0)]);
    let stats = ring.take(samples, 10_265).unwrap();
    assert_eq!(
        (stats.mean, stats.count, stats.from_us, stats.to_us),
        (3.0, 3, 10_040, 10_250)
    );
}

#[test]
fn a_sample_of_the_future_is_taken_once_it_is_past() {
    let mut ring = Ring::default();
    let samples = vec![(1_000, 1.0), (1_100, 2.0), (9_000, 90.0)];
    assert_eq!(ring.take(samples, 1_099).unwrap().to_us, 1_000);
    assert_eq!(ring.since(1_150), 1_000);
    let stats = ring.take(vec![(1_100, 2.0), (9_000, 90.0)], 1_150).unwrap();
    assert_eq!((stats.mean, stats.count, stats.to_us), (2.0, 1, 1_100));
}

/// A value that changes in steps: what it is from each time on, in microseconds.
#[derive(Clone, Debug)]
struct Course(Vec<(u64, f64)>);

impl Course {
    fn integral(&self, from: u64, to: u64) -> f64 {
        let ends = self.0.iter().skip(1).map(|(begin, _)| *begin).chain([u64::MAX]);
        let step = |((begin, value), end): (&(u64, f64), u64)| {
            let (begin, end) = ((*begin).max(from), end.min(to));
            value * end.saturating_sub(begin) as f64
        };
        self.0.iter().zip(ends).map(step).sum()
    }

    /// What a driver samples that looks at each of the `times`.
    fn sampled(&self, times: &[u64]) -> Vec<(u64, f64)> {
        let pairs = times.windows(2);
        pairs
            .map(|pair| {
                (
                    pair[1],
                    self.integral(pair[0], pair[1]) / (pair[1] - pair[0]) as f64,
                )
            })
            .collect()
    }
}

fn summed(begin: u64, steps: &[u64]) -> Vec<u64> {
    let times = steps.iter().scan(begin, |time, step| {
        *time += step;
        Some(*time)
    });
    [begin].into_iter().chain(times).collect()
}

fn courses() -> impl Strategy<Value = Course> {
    prop::collection::vec((1u64..3_000_000, 0.0..700.0f64), 1..60).prop_map(|steps| {
        let lengths: Vec<_> = steps.iter().map(|(length, _)| *length).collect();
        let times = summed(BEGIN, &lengths);
        let first = [(0, 350.0)];
        Course(
            first
                .into_iter()
                .chain(
                    times
                        .into_iter()
                        .zip(steps)
                        .map(|(time, (_, value))| (time, value)),
                )
                .collect(),
        )
    })
}

/// A time of today: large numbers are where sums lose their digits.
const BEGIN: u64 = 1_764_000_000_000_000;

/// What the driver keeps.
const ENTRIES: usize = 120;

proptest! {
    #[test]
    fn the_means_of_consecutive_ticks_give_the_mean_over_all_of_them(
        course in courses(),
        period in 10_000u64..1_000_000,
        late in prop::collection::vec(0.0..2.0f64, 1..400),
        polls in prop::collection::vec(1u64..10_000_000, 1..100),
    ) {
        let steps: Vec<_> = late.iter().map(|late| period + (period as f64 * late) as u64).collect();
        let times = summed(BEGIN, &steps);
        let samples = course.sampled(&times);
        let mut ring = begun_at(BEGIN);
        let (mut integral, mut covered, mut joint, mut count) = (0.0, 0, BEGIN, 0);
        let mut polled: Vec<_> = summed(BEGIN, &polls);
        polled.push(u64::MAX);
        for now in polled {
            let since = ring.since(now);
            let fresh: Vec<_> = samples.iter().copied().filter(|(time, _)| *time > since && *time <= now).collect();
            // A ring of this size that never wraps: the last poll may come late.
            for kept in fresh.chunks(ENTRIES) {
                let Some(stats) = ring.take(kept.to_vec(), now) else { continue };
                prop_assert_eq!(stats.from_us, joint, "ticks join");
                prop_assert_eq!(stats.covered_us, stats.to_us - stats.from_us, "without gaps");
                prop_assert!(stats.min <= stats.mean && stats.mean <= stats.max);
                prop_assert!(stats.min <= stats.p95 && stats.p95 <= stats.max);
                joint = stats.to_us;
                count += stats.count;
                covered += stats.covered_us;
                integral += stats.mean * stats.covered_us as f64;
            }
        }
        prop_assert_eq!((joint, count), (*times.last().unwrap(), samples.len() as u64), "nothing is lost");
        let (mean, truth) = (integral / covered as f64, course.integral(BEGIN, joint) / (joint - BEGIN) as f64);
        prop_assert!((mean - truth).abs() <= 1e-9 * truth.abs(), "{} is not {}", mean, truth);
    }

    #[test]
    fn whatever_the_driver_gives_the_statistics_are_of_what_was_given(
        answers in prop::collection::vec((prop::collection::vec((0u64..2_000, -1e9..1e9f64), 0..40), 0u64..2_000), 1..20),
    ) {
        let mut ring = Ring::default();
        for (samples, now) in answers {
            prop_assert!(ring.since(now) <= now);
            let Some(stats) = ring.take(samples.clone(), now) else { continue };
            prop_assert!(samples.iter().any(|(_, value)| *value == stats.min));
            prop_assert!(samples.iter().any(|(_, value)| *value == stats.max));
            prop_assert!(stats.min <= stats.mean && stats.mean <= stats.max);
            prop_assert!(stats.count >= 1 && stats.count <= samples.len() as u64);
            prop_assert!(stats.covered_us <= stats.to_us - stats.from_us && stats.to_us <= now);
        }
    }
}
