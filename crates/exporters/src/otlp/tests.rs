//! Every metric of the table is sent as the conventions have it.

use std::{collections::BTreeMap, sync::Arc};

use gpulse_aggregator::{Counters, EventTotals, SnapshotCache};
use gpulse_models::{
    Bytes, GpuSnapshot, GpuState, HostSnapshot, MigDevice, PodAssignments, PodContainer, PodHolders, Reading,
    Reason, catalogue::Catalogued, example,
};
use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{NumberDataPoint, number_data_point::Value as Number},
};

use super::{points::nanoseconds, *};
use crate::{Histogram, Kind, Labels, Profile, Sink as _, family::Family};

fn subject() -> Subject {
    Subject {
        cache: Arc::new(SnapshotCache::new(example::at())),
        instance: "agent-1".to_owned(),
        node: "node-1".to_owned(),
        version: "1.2.3",
        started_at: example::at(),
        per_process: false,
    }
}

fn request(host: &HostSnapshot, profiles: Profiles, resource: &[(&str, &str)]) -> ResourceMetrics {
    let events = EventTotals {
        gone: Vec::new(),
        gpus: Vec::new(),
        dropped: 0,
    };
    let view = View {
        host,
        events: &events,
        node: "node-1",
        stats: &Counters::default().read(),
        started_at: example::at() - jiff::SignedDuration::from_mins(1),
        at: example::at() + jiff::SignedDuration::from_secs(3),
        per_process: false,
    };
    let resource = resource
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut encoder = OtlpEncoder::new(&subject(), profiles, resource.collect());
    let batch = encoder.encode(&view).unwrap();
    let mut message = ExportMetricsServiceRequest::decode(unpack(&batch.body).unwrap()).unwrap();
    let [resource] = &message.resource_metrics[..] else {
        panic!("{message:?}")
    };
    let metrics = resource.scope_metrics.iter().flat_map(|scope| &scope.metrics);
    assert_eq!(metrics.map(count).sum::<u64>(), batch.samples);
    message.resource_metrics.remove(0)
}

fn of(gpus: impl IntoIterator<Item = GpuSnapshot>) -> Vec<Message> {
    let mut resource = request(&example::host(gpus), Profiles::default(), &[]);
    resource.scope_metrics.remove(0).metrics
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<&str, &str> {
    attributes
        .iter()
        .map(
            |attribute| match attribute.value.as_ref().unwrap().value.as_ref() {
                Some(Value::StringValue(text)) => (attribute.key.as_str(), text.as_str()),
                other => panic!("{other:?}"),
            },
        )
        .collect()
}

fn points<'m>(metrics: &'m [Message], name: &str) -> &'m [NumberDataPoint] {
    let metric = metrics.iter().find(|metric| metric.name == name);
    match metric.and_then(|metric| metric.data.as_ref()) {
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        Some(Data::Sum(sum)) => &sum.data_points,
        other => panic!("{name}: {other:?}"),
    }
}

fn value(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(Number::AsDouble(value)) => value,
        Some(Number::AsInt(value)) => value as f64,
        None => panic!("{point:?}"),
    }
}

/// The value of the point with this attribute.
fn at(metrics: &[Message], name: &str, attribute: (&str, &str)) -> Option<f64> {
    let has = |point: &&NumberDataPoint| texts(&point.attributes).get(attribute.0) == Some(&attribute.1);
    points(metrics, name).iter().find(has).map(value)
}

#[test]
fn every_path_of_the_table_exists() {
    let lost = conventions::lost();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn every_metric_has_its_unit_instrument_and_attributes() {
    let metrics = of([example::gpu(0), example::gpu(1)]);
    let names: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    let all: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names, all);
    for (metric, row) in metrics.iter().zip(METRICS) {
        assert_eq!(metric.unit, row.unit, "{}", row.name);
        let (instrument, points) = match &metric.data {
            Some(Data::Gauge(gauge)) => (Instrument::Gauge, &gauge.data_points),
            Some(Data::Sum(sum)) => {
                assert_eq!(sum.aggregation_temporality, 2, "cumulative");
                let counts = [Instrument::UpDownCounter, Instrument::Counter];
                (counts[usize::from(sum.is_monotonic)], &sum.data_points)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(instrument, row.instrument, "{}", row.name);
        let mut seen = Vec::new();
        for point in points {
            let attributes = texts(&point.attributes);
            assert_eq!(attributes.len(), point.attributes.len(), "twice: {attributes:?}");
            assert_eq!(attributes["hw.type"], "gpu");
            for name in ["hw.id", "hw.name", "hw.model", "hw.vendor", "hw.driver_version"] {
                assert!(attributes.contains_key(name), "{}: {name}", row.name);
            }
            assert!(!seen.contains(&attributes), "{}: twice: {attributes:?}", row.name);
            let whole = matches!(point.value, Some(Number::AsInt(_)));
            assert_eq!(whole, row.number == row::Number::Int, "{}", row.name);
            assert_eq!(point.start_time_unix_nano != 0, instrument != Instrument::Gauge);
            assert!(point.start_time_unix_nano <= point.time_unix_nano);
            seen.push(attributes);
        }
        for series in row.series {
            for (name, value) in series.attributes {
                let found = seen.iter().any(|attributes| attributes.get(name) == Some(value));
                assert!(found, "{}: no {name}={value}", row.name);
            }
        }
    }
}

#[test]
fn values_and_times_are_those_of_the_sample() {
    let gpu = example::gpu(0);
    let sample = example::sample();
    let metrics = of([gpu]);
    let busy = sample.load.gpu_percent.value().unwrap().0 / 100.0;
    assert_eq!(
        at(&metrics, "hw.gpu.utilization", ("hw.gpu.task", "general")),
        Some(busy)
    );
    let sent = sample.pcie.sent_bytes_total.value().unwrap().0 as f64;
    assert_eq!(
        at(&metrics, "hw.gpu.io", ("network.io.direction", "transmit")),
        Some(sent)
    );
    let used = &points(&metrics, "hw.gpu.memory.usage")[0];
    assert_eq!(value(used), sample.memory.used_bytes.value().unwrap().0 as f64);
    assert_eq!(used.time_unix_nano, nanoseconds(sample.memory.read_at.unwrap()));
    let fans = sample.thermal.fans.value().unwrap();
    assert_eq!(points(&metrics, "hw.fan.speed_ratio").len(), fans.len());
    assert_eq!(
        at(&metrics, "hw.fan.speed_ratio", ("hw.sensor_location", "fan0")),
        fans[0].speed_percent.value().map(|percent| percent.0 / 100.0)
    );
}

#[test]
fn the_state_is_told_also_of_a_gpu_that_is_lost_and_nothing_else_that_changes() {
    let holding = |gpu: GpuSnapshot| {
        let metrics = of([gpu]);
        let holds: Vec<_> = points(&metrics, "hw.status")
            .iter()
            .filter(|point| value(point) == 1.0)
            .map(|point| texts(&point.attributes)["hw.state"].to_owned())
            .collect();
        assert_eq!(points(&metrics, "hw.status").len(), 4);
        (holds, metrics.len())
    };
    assert_eq!(holding(example::gpu(0)), (vec!["ok".to_owned()], METRICS.len()));
    for (state, said) in [
        (GpuState::Stale, "degraded"),
        (GpuState::Hung, "failed"),
        (GpuState::Lost, "failed"),
    ] {
        let mut gpu = example::gpu(0);
        gpu.health.state = state;
        // Beside the status there are the limits, which never change.
        assert_eq!(holding(gpu), (vec![said.to_owned()], 2));
    }
    let mut worn = example::gpu(0);
    let mut sample = example::sample();
    let mut reliability = sample.reliability.as_ref().clone();
    reliability.readings.remapped_rows.failed = Reading::Value(true);
    sample.reliability = Arc::new(reliability);
    worn.sample = Some(sample.into());
    assert_eq!(holding(worn).0, ["predicted_failure"]);
}

#[test]
fn what_is_absent_has_no_point() {
    let mut gpu = example::gpu(0);
    let mut sample = example::sample();
    let mut power = sample.power.as_ref().clone();
    power.readings.draw_watts = Reading::Unavailable(Reason::NotSupported);
    sample.power = Arc::new(power);
    gpu.sample = Some(sample.into());
    let metrics = of([gpu]);
    assert!(!metrics.iter().any(|metric| metric.name == "hw.power"));
    assert!(metrics.iter().any(|metric| metric.name == "hw.energy"));
    let pending = of([GpuSnapshot::pending(0, 1, example::at()), example::gpu(1)]);
    assert_eq!(points(&pending, "hw.status").len(), 4, "of the second only");
}

#[test]
fn the_resource_says_who_speaks_and_can_be_told_otherwise() {
    let host = example::host([example::gpu(0)]);
    let own = [
        ("host.name", "other"),
        ("deployment.environment.name", "prod"),
        ("service.version", ""),
    ];
    let resource = request(&host, Profiles::default(), &own).resource.unwrap();
    let expected = [
        ("deployment.environment.name", "prod"),
        ("host.name", "other"),
        ("service.instance.id", "agent-1"),
        ("service.name", "gpulse"),
    ];
    assert_eq!(texts(&resource.attributes), BTreeMap::from(expected));
}

#[test]
fn profiles_stand_in_a_scope_of_their_own() {
    let host = example::host([example::gpu(0)]);
    let resource = request(&host, Profiles::from_iter([Profile::Native]), &[]);
    assert_eq!(resource.scope_metrics.len(), 2);
    let metrics = &resource.scope_metrics[1].metrics;
    let of = |name: &str| metrics.iter().find(|metric| metric.name == name).unwrap();
    assert_eq!(of("gpulse_power_draw_watts").unit, "W");
    assert_eq!(of("gpulse_load_gpu_ratio").unit, "1");
    let Some(Data::Sum(energy)) = &of("gpulse_power_energy_joules_total").data else {
        panic!("no sum")
    };
    assert!(energy.is_monotonic);
    assert!(energy.data_points[0].start_time_unix_nano > 0);
    assert_eq!(texts(&energy.data_points[0].attributes)["gpu"], "0");
}

#[test]
fn a_histogram_stays_one() {
    let mut sink = families::MetricSink::new(example::at(), example::at());
    sink.family(&Family::new(Kind::Histogram, "call_seconds", "Calls."));
    let histogram = Histogram {
        bounds: &[0.5],
        counts: &[1, 2],
        sum: 4.0,
    };
    sink.histogram(&Labels::default(), &[("call", "a")], &histogram);
    let metrics = sink.finish();
    let Some(Data::Histogram(made)) = &metrics[0].data else {
        panic!("{metrics:?}")
    };
    let point = &made.data_points[0];
    assert_eq!((point.count, point.sum), (3, Some(4.0)));
    assert_eq!(point.bucket_counts, [1, 2]);
    assert_eq!((metrics[0].unit.as_str(), count(&metrics[0])), ("s", 1));
}

#[test]
fn a_sole_holder_is_an_attribute_of_each_point_and_several_are_none() {
    let mut host = example::host([example::gpu(0)]);
    let pods = |host: &HostSnapshot| {
        let mut resource = request(host, Profiles::default(), &[]);
        let metrics = resource.scope_metrics.remove(0).metrics;
        let points = METRICS.iter().flat_map(|row| points(&metrics, row.name));
        let said = points.map(|point| {
            let attributes = texts(&point.attributes);
            let keys = ["k8s.namespace.name", "k8s.pod.name", "k8s.container.name"];
            keys.map(|key| attributes.get(key).map(|value| (*value).to_owned()))
        });
        said.collect::<std::collections::BTreeSet<_>>()
    };
    let sole = ["training", "llama-0", "trainer"].map(|name| Some(name.to_owned()));
    assert_eq!(pods(&host), [sole].into());
    let mut holders = PodHolders::clone(host.pods.holders.as_ref().unwrap());
    holders.add(host.gpus[0].id.as_str().parse().unwrap(), other_holder());
    host.pods = PodAssignments::known(holders, example::at()).into();
    assert_eq!(pods(&host), [[None, None, None]].into());
}

fn other_holder() -> PodContainer {
    PodContainer {
        namespace: "team".to_owned(),
        pod: "a".to_owned(),
        container: "main".to_owned(),
    }
}

#[test]
fn an_instance_is_held_by_its_own_holder() {
    let uuid = "MIG-00000000-0000-0000-0000-000000000001";
    let mut gpu = example::gpu(0);
    let sample = Arc::make_mut(gpu.sample.as_mut().unwrap());
    Arc::make_mut(&mut sample.mig).readings.instances = Reading::Value(vec![MigDevice {
        uuid: Reading::Value(uuid.to_owned()),
        memory_used_bytes: Reading::Value(Bytes(1)),
        ..MigDevice::absent(Reason::NotSupported)
    }]);
    let mut host = example::host([gpu]);
    let mut holders = PodHolders::default();
    holders.add(uuid.parse().unwrap(), other_holder());
    host.pods = PodAssignments::known(holders, example::at()).into();
    let mut resource = request(&host, Profiles::default(), &[]);
    let metrics = resource.scope_metrics.remove(0).metrics;
    let mut of_instance = 0;
    for point in METRICS.iter().flat_map(|row| points(&metrics, row.name)) {
        let attributes = texts(&point.attributes);
        let is_it = attributes["hw.id"] == uuid;
        of_instance += usize::from(is_it);
        assert_eq!(attributes.contains_key("k8s.pod.name"), is_it, "{attributes:?}");
    }
    assert!(of_instance > 0);
}
