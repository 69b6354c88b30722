//! What is written reads as the exposition does.

use std::collections::BTreeMap;

use gpulse_aggregator::{Counters, EventTotals};
use gpulse_models::{AgentStats, GpuSnapshot, GpuState, HostSnapshot, example};

use super::*;
use crate::{Format, Histogram, Kind, Labels, Profile, Sink as _, family::Family, to_text};

/// What a view is made of.
struct World {
    host: HostSnapshot,
    events: EventTotals,
    stats: AgentStats,
}

impl World {
    fn of(gpus: impl IntoIterator<Item = GpuSnapshot>) -> Self {
        Self {
            host: example::host(gpus),
            events: EventTotals {
                gone: Vec::new(),
                gpus: Vec::new(),
                dropped: 0,
            },
            stats: Counters::default().read(),
        }
    }

    fn view(&self) -> View<'_> {
        View {
            host: &self.host,
            events: &self.events,
            stats: &self.stats,
            node: "node-1",
            started_at: example::at(),
            at: example::at(),
            per_process: true,
        }
    }
}

fn encoder(labels: &[(&str, &str)]) -> RemoteWriteEncoder {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    RemoteWriteEncoder::new(
        "agent-1",
        Profiles::from_iter([Profile::Native]),
        labels.collect(),
    )
}

/// Series as text with their values, and the number of samples that the batch claims.
fn read(batch: &Batch) -> BTreeMap<String, f64> {
    let plain = snap::raw::Decoder::new().decompress_vec(&batch.body).unwrap();
    let request = WriteRequest::decode(plain.as_slice()).unwrap();
    assert_eq!(request.timeseries.len() as u64, batch.samples);
    let mut all = BTreeMap::new();
    for series in request.timeseries {
        assert!(series.labels.is_sorted_by(|a, b| a.name < b.name), "{series:?}");
        let [sample] = series.samples[..] else {
            panic!("{series:?}")
        };
        assert_eq!(sample.timestamp, example::at().as_millisecond());
        let text: Vec<_> = series
            .labels
            .iter()
            .map(|label| format!("{}={}", label.name, label.value))
            .collect();
        let before = all.insert(text.join(","), sample.value);
        assert!(before.is_none(), "{text:?} stands there twice");
    }
    all
}

#[test]
fn every_line_of_the_exposition_is_a_series() {
    let world = World::of((0..2).map(example::gpu));
    let view = world.view();
    let profiles = Profile::ALL.into_iter().collect();
    let mut encoder = RemoteWriteEncoder::new("agent-1", profiles, Vec::new());
    let series = read(&encoder.encode(&view).unwrap());
    let text = to_text(&view, profiles, Format::Prometheus, false);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(series.len(), lines.count());
    let draw = example::sample().power.draw_watts.value().unwrap().0;
    let of_first = |key: &&String| key.contains("=gpulse_power_draw_watts,") && key.contains(",gpu=0,");
    let found: Vec<_> = series.keys().filter(of_first).collect();
    let [key] = found[..] else { panic!("{found:?}") };
    assert!(key.contains(",instance=agent-1,job=gpulse,"), "{key}");
    assert_eq!(series[key], draw);
}

#[test]
fn labels_of_a_series_win_over_those_for_all_and_empty_ones_are_none() {
    let world = World::of([example::gpu(0)]);
    let mut encoder = encoder(&[("job", ""), ("gpu", "mine"), ("cluster", "c1")]);
    let series = read(&encoder.encode(&world.view()).unwrap());
    assert!(series.contains_key("__name__=gpulse_gpus,cluster=c1,gpu=mine,instance=agent-1"));
    let up: Vec<_> = series
        .keys()
        .filter(|key| key.contains("gpulse_gpu_up"))
        .collect();
    assert!(up[0].contains("gpu=0") && !up[0].contains("job"), "{up:?}");
}

#[test]
fn a_series_that_ends_is_marked_once() {
    let mut world = World::of((0..2).map(example::gpu));
    let mut encoder = encoder(&[]);
    let draws = |series: &BTreeMap<String, f64>, gpu: &str| {
        let of = |key: &&String| key.contains("power_draw_watts") && key.contains(gpu);
        series
            .iter()
            .find(|(key, _)| of(key))
            .map(|(_, value)| value.to_bits() == STALE)
    };
    let series = read(&encoder.encode(&world.view()).unwrap());
    assert_eq!(
        (draws(&series, "gpu=0"), draws(&series, "gpu=1")),
        (Some(false), Some(false))
    );
    let mut lost = example::gpu(1);
    lost.health.state = GpuState::Lost;
    world.host.gpus[1] = lost.into();
    let series = read(&encoder.encode(&world.view()).unwrap());
    assert_eq!(
        (draws(&series, "gpu=0"), draws(&series, "gpu=1")),
        (Some(false), Some(true))
    );
    let series = read(&encoder.encode(&world.view()).unwrap());
    assert_eq!(
        (draws(&series, "gpu=0"), draws(&series, "gpu=1")),
        (Some(false), None)
    );
    world.host.gpus[1] = example::gpu(1).into();
    let series = read(&encoder.encode(&world.view()).unwrap());
    assert_eq!(draws(&series, "gpu=1"), Some(false));
}

#[test]
fn a_histogram_is_its_buckets_and_what_they_sum_up_to() {
    let mut sink = series::SeriesSink::new(&[], example::at().as_millisecond());
    sink.family(&Family::new(Kind::Histogram, "calls", "Calls."));
    let histogram = Histogram {
        bounds: &[0.5, 1.0],
        counts: &[1, 2, 3],
        sum: 9.0,
    };
    sink.histogram(&Labels::default(), &[], &histogram);
    let (request, samples, _) = sink.finish(&series::Known::new());
    let body = snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .unwrap();
    let series = read(&Batch::new(body, samples));
    let expected = [
        ("__name__=calls_bucket,le=+Inf", 6.0),
        ("__name__=calls_bucket,le=0.5", 1.0),
        ("__name__=calls_bucket,le=1", 3.0),
        ("__name__=calls_count", 6.0),
        ("__name__=calls_sum", 9.0),
    ];
    assert_eq!(
        series,
        expected.map(|(key, value)| (key.to_owned(), value)).into()
    );
}
