//! Gaps, means and the history of the readings that graphs are made of.

use super::*;
use crate::body::Series;

fn frame(second: i64, load: Option<f64>) -> Gpus {
    let mut gpu = Gpu {
        uuid: Some("GPU-a".to_owned()),
        state: "ok".to_owned(),
        ..Gpu::default()
    };
    gpu.load.gpu_percent = load;
    Gpus {
        published_at: jiff::Timestamp::from_second(second).ok(),
        gpus: vec![gpu],
        ..Gpus::default()
    }
}

#[test]
fn a_gap_stays_a_gap_and_is_no_zero() {
    let mut seen = Seen::default();
    for (second, load) in [
        (100, Some(10.0)),
        (101, Some(20.0)),
        (105, None),
        (106, Some(60.0)),
    ] {
        seen.take(&frame(second, load));
    }
    let load = seen.series("GPU-a", Metric::Load, 1.0, 8);
    let carried = Some(20.0);
    assert_eq!(
        load,
        [
            None,
            Some(10.0),
            carried,
            carried,
            carried,
            None,
            None,
            Some(60.0)
        ]
    );
    assert_eq!(seen.series("GPU-a", Metric::Power, 1.0, 2), [None, None]);
    assert_eq!(seen.series("GPU-b", Metric::Load, 1.0, 2), [None, None]);
}

#[test]
fn longer_steps_show_the_mean() {
    let mut seen = Seen::default();
    for second in 100..110 {
        seen.take(&frame(second, Some(f64::from(i32::try_from(second).unwrap()))));
    }
    assert_eq!(
        seen.series("GPU-a", Metric::Load, 5.0, 2),
        [Some(102.0), Some(107.0)]
    );
}

#[test]
fn a_history_comes_before_what_was_seen() {
    let mut seen = Seen::default();
    seen.take(&frame(102, Some(3.0)));
    let mut history = History {
        times: vec![100.0, 101.0, 102.0],
        series: vec![Series {
            metric: "load.gpu_percent".to_owned(),
            mean: vec![Some(1.0), Some(2.0), Some(99.0)],
            ..Series::default()
        }],
    };
    history.series[0].gpu.uuid = Some("GPU-a".to_owned());
    seen.take_history(&history);
    assert_eq!(
        seen.series("GPU-a", Metric::Load, 1.0, 3),
        [Some(1.0), Some(2.0), Some(3.0)]
    );
}

#[test]
fn a_history_with_a_reading_now_and_then_is_joined_and_its_gaps_stay() {
    let mut seen = Seen::default();
    let mut last = frame(200, None);
    last.gpus[0].pcie.received_bytes_per_second = Some(7.0);
    seen.take(&last);
    // One in five seconds, but for the time from 130 to 160.
    let is_read = |second: u32| second.is_multiple_of(5) && !(131..160).contains(&second);
    let mut history = History {
        times: (100..200).map(f64::from).collect(),
        series: vec![Series {
            metric: Metric::PcieReceived.path().to_owned(),
            mean: (100..200).map(|second| is_read(second).then_some(1.0)).collect(),
            ..Series::default()
        }],
    };
    history.series[0].gpu.uuid = Some("GPU-a".to_owned());
    seen.take_history(&history);
    let drawn = seen.series("GPU-a", Metric::PcieReceived, 1.0, 101);
    let gap = (0..101)
        .filter(|&place| drawn[place].is_none())
        .map(|place| place + 100);
    assert_eq!(gap.collect::<Vec<_>>(), (140..160).collect::<Vec<_>>());
}

#[test]
fn one_reading_of_a_young_agent_reaches_to_the_next_one() {
    let mut seen = Seen::default();
    let mut first = frame(105, None);
    first.gpus[0].pcie.received_bytes_per_second = Some(7.0);
    seen.take(&first);
    let mut history = History {
        times: (95..105).map(f64::from).collect(),
        series: vec![Series {
            metric: Metric::PcieReceived.path().to_owned(),
            mean: (95..105).map(|second| (second == 100).then_some(1.0)).collect(),
            ..Series::default()
        }],
    };
    history.series[0].gpu.uuid = Some("GPU-a".to_owned());
    seen.take_history(&history);
    let drawn = seen.series("GPU-a", Metric::PcieReceived, 1.0, 8);
    let (one, seven) = (Some(1.0), Some(7.0));
    assert_eq!(drawn, [None, None, one, one, one, one, one, seven]);
}

#[test]
fn no_more_is_kept_than_there_is_room_for() {
    let mut seen = Seen::default();
    for second in 0..2_000 {
        seen.take(&frame(second + 1, Some(1.0)));
    }
    assert_eq!(seen.gpus["GPU-a"].len(), KEPT);
}
