//! The history against the truth: every tier, every gap, every bound.

use std::sync::{Arc, RwLock};

use gpulse_models::{GpuId, Percent, Reading, Timed, Timestamp, example};

use super::{
    block::Point,
    metrics::{KEPT, MetricId},
    query::{Columns, MOST_POINTS, Query, TooMuch, answer},
    recorder::pack,
    ring::Tier,
    store::Store,
};

mod bounds;

/// Some time after 2026, at the beginning of a day.
pub(super) const BEGIN: i64 = 1_800_057_600;

const TIERS: [Tier; 3] = [
    Tier { step: 1, keep: 3_600 },
    Tier {
        step: 10,
        keep: 6 * 3_600,
    },
    Tier {
        step: 60,
        keep: 24 * 3_600,
    },
];

/// Far more than any test here holds.
const PLENTY: usize = 1 << 30;

pub(super) fn gpu(number: u32) -> GpuId {
    example::facts(number).id
}

fn load() -> MetricId {
    KEPT.find("load.gpu_percent").unwrap()
}

pub(super) fn store(max_bytes: usize) -> RwLock<Store> {
    RwLock::new(Store::new(TIERS.to_vec(), max_bytes))
}

/// Adds what `load.gpu_percent` was at a second.
fn add(store: &RwLock<Store>, at: i64, value: f64) {
    let mut points = vec![Point::NONE; KEPT.count()];
    points[load().0] = Point::of(value);
    store.write().unwrap().add(&gpu(0), at, &points);
}

fn ask(store: &RwLock<Store>, from: i64, to: i64, step: i64) -> Columns {
    let query = Query {
        gpus: vec![gpu(0)],
        metrics: vec![load()],
        from,
        to,
        step,
    };
    answer(store, &query).unwrap()
}

/// A triangle that goes from 0 to 100 and back, a percent a second, and is absent for half a minute of each twelve.
fn wave(second: i64) -> Option<f64> {
    let place = second.rem_euclid(720);
    let height = second.rem_euclid(200);
    (place >= 30).then(|| (if height < 100 { height } else { 200 - height }) as f64)
}

/// What the wave is over some seconds: mean, lowest, highest.
fn truth(from: i64, to: i64) -> Option<(f64, f64, f64)> {
    let values: Vec<f64> = (from..to).filter_map(wave).collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let min = values.iter().copied().reduce(f64::min)?;
    Some((mean, min, values.into_iter().reduce(f64::max)?))
}

#[test]
fn each_tier_equals_the_truth() {
    let store = store(PLENTY);
    let end = BEGIN + 5 * 3_600;
    for second in BEGIN..end {
        if let Some(value) = wave(second) {
            add(&store, second, value);
        }
        if second % 97 == 0 {
            pack(&store);
        }
    }
    store.write().unwrap().tick(end + 60);
    pack(&store);
    for (from, step, tier) in [
        (end - 600, 1, 1),
        (end - 3_500, 5, 1),
        (end - 3_600, 10, 10),
        (BEGIN, 10, 10),
        (BEGIN + 40, 30, 10),
        (BEGIN, 60, 60),
        (BEGIN, 900, 60),
    ] {
        let columns = ask(&store, from, end, step);
        assert_eq!((columns.tier, columns.step), (tier, step));
        let series = &columns.series[0];
        assert_eq!(columns.times[0], from - from.rem_euclid(step));
        assert_eq!(
            columns.times.len() as i64,
            (end - columns.times[0] + step - 1) / step
        );
        for (place, time) in columns.times.iter().enumerate() {
            // The step before `from` may begin with seconds that are no longer kept in the tier.
            let truth = truth(*time, (time + step).min(end));
            let found = series.min[place].zip(series.max[place]);
            assert_eq!(found, truth.map(|(_, min, max)| (min, max)), "{step} {time}");
            if let Some((mean, min, max)) = truth {
                let found = series.mean[place].unwrap();
                // A minute of which a part is absent weighs like any other in a longer step.
                let tolerance = if step > tier { max - min } else { 0.0 };
                assert!(
                    (found - mean).abs() <= tolerance + mean * 1e-7,
                    "{step} {time}: {found} {mean}"
                );
            }
        }
    }
}

#[test]
fn several_readings_of_a_second_are_put_together() {
    let store = store(PLENTY);
    for (at, value) in [(0, 10.0), (0, 40.0), (0, 10.0), (1, 7.0), (3, 5.0)] {
        add(&store, BEGIN + at, value);
    }
    store.write().unwrap().tick(BEGIN + 60);
    let columns = ask(&store, BEGIN, BEGIN + 5, 1);
    let series = &columns.series[0];
    assert_eq!(series.mean, [Some(20.0), Some(7.0), None, Some(5.0), None]);
    assert_eq!(series.min, [Some(10.0), Some(7.0), None, Some(5.0), None]);
    assert_eq!(series.max, [Some(40.0), Some(7.0), None, Some(5.0), None]);
    // Each second weighs the same, however often was read in it.
    let columns = ask(&store, BEGIN, BEGIN + 10, 10);
    let mean = columns.series[0].mean[0].unwrap();
    assert!((mean - 32.0 / 3.0).abs() < 1e-6, "{mean}");
}

#[test]
fn the_tier_is_the_coarsest_that_fits_and_reaches_back() {
    let store = store(PLENTY);
    for second in BEGIN..BEGIN + 8 * 3_600 {
        add(&store, second, 1.0);
    }
    let end = BEGIN + 8 * 3_600;
    store.write().unwrap().tick(end);
    let chosen = |ago: i64, step: i64| {
        let columns = ask(&store, end - ago, end, step);
        (columns.tier, columns.step)
    };
    assert_eq!(chosen(600, 1), (1, 1));
    assert_eq!(chosen(600, 15), (1, 15));
    assert_eq!(chosen(600, 20), (10, 20));
    assert_eq!(chosen(600, 60), (60, 60));
    // The second tier reaches back five hours, the finest one does not.
    assert_eq!(chosen(5 * 3_600, 1), (10, 10));
    assert_eq!(chosen(5 * 3_600, 15), (10, 20));
    assert_eq!(chosen(7 * 3_600, 1), (60, 60));
    // As far back as there is anything.
    assert_eq!(chosen(9 * 3_600, 1), (60, 60));
}

#[test]
fn a_young_agent_answers_from_the_finest_tier() {
    let store = store(PLENTY);
    for second in BEGIN + 7..BEGIN + 307 {
        add(&store, second, 1.0);
    }
    let columns = ask(&store, BEGIN + 300 - 86_400, BEGIN + 307, 120);
    assert_eq!((columns.tier, columns.step), (60, 120));
    let columns = ask(&store, BEGIN - 100, BEGIN + 307, 1);
    assert_eq!(columns.tier, 1);
}

#[test]
fn what_is_not_kept_is_nothing() {
    let store = store(PLENTY);
    add(&store, BEGIN, 1.0);
    store.write().unwrap().tick(BEGIN + 10);
    let query = Query {
        gpus: vec![gpu(0), gpu(7)],
        metrics: vec![load(), KEPT.find("power.draw_watts").unwrap()],
        from: BEGIN,
        to: BEGIN + 2,
        step: 1,
    };
    let columns = answer(&store, &query).unwrap();
    assert_eq!(columns.series.len(), 4);
    assert_eq!(columns.series[0].mean, [Some(1.0), None]);
    for series in &columns.series[1..] {
        assert_eq!(series.mean, [None, None]);
    }
}

#[test]
fn too_much_is_refused() {
    let store = store(PLENTY);
    let query = Query {
        gpus: vec![gpu(0), gpu(1)],
        metrics: vec![load(); 10],
        from: BEGIN,
        to: BEGIN + 5_001,
        step: 1,
    };
    let refused = answer(&store, &query);
    assert_eq!(
        refused,
        Err(TooMuch::Points {
            steps: 5_001,
            series: 20
        })
    );
    let fits = Query {
        to: BEGIN + 5_000,
        ..query
    };
    assert_eq!(5_000 * 20, MOST_POINTS);
    let of_nobody = Query {
        gpus: Vec::new(),
        to: BEGIN + 1_000_000_000,
        ..fits.clone()
    };
    assert!(matches!(
        answer(&store, &of_nobody),
        Err(TooMuch::Points { series: 0, .. })
    ));
    assert!(answer(&store, &fits).is_ok());
}

#[test]
fn a_clock_that_goes_back_a_little_makes_a_gap_and_no_lie() {
    let store = store(PLENTY);
    add(&store, BEGIN + 100, 1.0);
    add(&store, BEGIN + 101, 2.0);
    add(&store, BEGIN + 70, 9.0);
    add(&store, BEGIN + 102, 3.0);
    store.write().unwrap().tick(BEGIN + 200);
    let columns = ask(&store, BEGIN + 100, BEGIN + 103, 1);
    assert_eq!(columns.series[0].mean, [Some(1.0), Some(2.0), Some(3.0)]);
    assert_eq!(ask(&store, BEGIN + 70, BEGIN + 71, 1).series[0].mean, [None]);
    assert_eq!(store.read().unwrap().clock_steps, 0);
}

#[test]
fn a_clock_that_goes_back_far_takes_the_future_with_it() {
    let store = store(PLENTY);
    let future = BEGIN + 86_400;
    for second in 0..300 {
        add(&store, BEGIN + second, 1.0);
    }
    for second in 0..300 {
        add(&store, future + second, 8.0);
    }
    for second in 400..700 {
        add(&store, BEGIN + second, 2.0);
    }
    store.write().unwrap().tick(BEGIN + 1_000);
    assert_eq!(store.read().unwrap().clock_steps, 1);
    assert_eq!(ask(&store, future, future + 2, 1).series[0].mean, [None, None]);
    assert_eq!(
        ask(&store, BEGIN + 500, BEGIN + 502, 1).series[0].mean,
        [Some(2.0); 2]
    );
}

#[test]
fn what_comes_late_changes_nothing_that_was_said() {
    let store = store(PLENTY);
    add(&store, BEGIN + 58, 4.0);
    store.write().unwrap().tick(BEGIN + 120);
    // A reader that was stuck for a minute.
    add(&store, BEGIN + 59, 100.0);
    add(&store, BEGIN + 121, 5.0);
    store.write().unwrap().tick(BEGIN + 240);
    assert_eq!(ask(&store, BEGIN, BEGIN + 60, 60).series[0].max, [Some(4.0)]);
}

#[test]
fn a_sample_is_kept_at_its_time_under_its_gpu() {
    let history = super::History::start(super::HistorySettings {
        tiers: TIERS.to_vec(),
        max_bytes: PLENTY,
        disk: None,
    })
    .unwrap();
    let now = Timestamp::now();
    let mut snapshot = example::gpu(3);
    let mut sample = example::sample();
    sample.taken_at = now;
    let mut load_group = Timed::clone(&sample.load);
    load_group.readings.gpu_percent = Reading::Value(Percent(42.0));
    sample.load = Arc::new(load_group);
    snapshot.sample = Some(Arc::new(sample));
    history.note(&Arc::new(snapshot));
    history.stop(std::time::Duration::from_secs(60));
    let known = history.gpus();
    assert_eq!((known.len(), &known[0].id, known[0].index), (1, &gpu(3), 3));
    let query = Query {
        gpus: vec![gpu(3)],
        metrics: vec![load()],
        from: now.as_second(),
        to: now.as_second() + 1,
        step: 1,
    };
    assert_eq!(history.query(&query).unwrap().series[0].mean, [Some(42.0)]);
    assert_eq!(history.dropped(), 0);
}
