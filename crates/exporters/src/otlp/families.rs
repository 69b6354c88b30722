//! Families of naming profiles as metrics of OpenTelemetry, under the names that they have.

use gpulse_models::Timestamp;
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    metrics::v1::{
        AggregationTemporality, Histogram as Histograms, HistogramDataPoint, Metric, NumberDataPoint,
        metric::Data,
    },
};

use super::{
    points::{attribute, metric, nanoseconds, point},
    row::{Instrument, Number},
};
use crate::{Extra, Family, Histogram, Kind, Labels, Point, Sink};

/// Units of families as UCUM has them.
const UNITS: [(&str, &str); 11] = [
    ("bytes_per_second", "By/s"),
    ("frames_per_second", "{frame}/s"),
    ("seconds", "s"),
    ("celsius", "Cel"),
    ("joules", "J"),
    ("watts", "W"),
    ("hertz", "Hz"),
    ("bytes", "By"),
    ("ratio", "1"),
    ("rpm", "rpm"),
    ("percent", "%"),
];

/// Takes families and makes metrics of them.
pub(super) struct MetricSink {
    started_at: Timestamp,
    at: Timestamp,
    family: Option<Family>,
    points: Vec<NumberDataPoint>,
    histograms: Vec<HistogramDataPoint>,
    metrics: Vec<Metric>,
}

impl MetricSink {
    /// Points without a time of their own are of `at`, and histograms count from `started_at` on. Counters whose beginning is not
    /// known get none here.
    pub(super) fn new(started_at: Timestamp, at: Timestamp) -> Self {
        Self {
            started_at,
            at,
            family: None,
            points: Vec::new(),
            histograms: Vec::new(),
            metrics: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> Vec<Metric> {
        self.end_family();
        self.metrics
    }

    fn end_family(&mut self) {
        let (points, histograms) = (
            std::mem::take(&mut self.points),
            std::mem::take(&mut self.histograms),
        );
        let Some(family) = self.family.take() else { return };
        let unit = UNITS.iter().find(|(unit, _)| *unit == family.unit);
        let unit = unit.map_or("", |(_, ucum)| *ucum);
        let instrument = match family.kind {
            Kind::Counter => Instrument::Counter,
            Kind::Gauge | Kind::Info | Kind::Histogram => Instrument::Gauge,
        };
        let mut made = metric(&family.name, &family.help, unit, instrument, points);
        if family.kind == Kind::Histogram {
            made.data = Some(Data::Histogram(Histograms {
                data_points: histograms,
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
            }));
        }
        self.metrics.push(made);
    }
}

fn attributes(labels: &Labels, extra: &[Extra<'_>]) -> Vec<KeyValue> {
    let all = labels.pairs().chain(extra.iter().copied());
    let said = all.filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| attribute(name, value)).collect()
}

impl Sink for MetricSink {
    fn family(&mut self, family: &Family) {
        self.end_family();
        self.family = Some(family.clone());
    }

    fn series(&mut self, labels: &Labels, extra: &[Extra<'_>], of: Point<'_>) {
        let counts = self
            .family
            .as_ref()
            .is_some_and(|family| family.kind == Kind::Counter);
        let since = of.created.filter(|_| counts);
        let all = attributes(labels, extra);
        self.points
            .push(point(all, of.value, Number::Double, since, self.at));
    }

    fn histogram(&mut self, labels: &Labels, extra: &[Extra<'_>], histogram: &Histogram<'_>) {
        self.histograms.push(HistogramDataPoint {
            attributes: attributes(labels, extra),
            start_time_unix_nano: nanoseconds(self.started_at),
            time_unix_nano: nanoseconds(self.at),
            count: histogram.counts.iter().sum(),
            sum: Some(histogram.sum),
            bucket_counts: histogram.counts.to_vec(),
            explicit_bounds: histogram.bounds.to_vec(),
            ..HistogramDataPoint::default()
        });
    }
}
