//! From when on sums count of which nobody knows when they began: the driver's counters were there before the agent.
//!
//! As OpenTelemetry's data model has it for that case: the first point of a stream begins at its own time, so that nothing of what it
//! counted before is taken for new, and those after it begin there as well. Where a sum falls it began anew, at the latest right
//! after the point before.

use std::collections::HashMap;

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point},
};

/// The beginnings of all streams that the last batch had.
#[derive(Debug, Default)]
pub(super) struct Starts {
    streams: HashMap<String, Stream>,
    batch: u64,
}

#[derive(Debug)]
struct Stream {
    since: u64,
    /// Time and value of its last point.
    last: (u64, f64),
    batch: u64,
}

impl Starts {
    /// Gives a beginning to those points of monotonic sums that have none. To be called once for each batch, in their order: a
    /// stream that a batch does not have begins anew with its next point.
    pub(super) fn fill<'m>(&mut self, metrics: impl IntoIterator<Item = &'m mut Metric>) {
        self.batch += 1;
        for metric in metrics {
            let Some(Data::Sum(sum)) = &mut metric.data else {
                continue;
            };
            if !sum.is_monotonic {
                continue;
            }
            let unknown = sum
                .data_points
                .iter_mut()
                .filter(|point| point.start_time_unix_nano == 0);
            unknown.for_each(|point| point.start_time_unix_nano = self.since(&metric.name, point));
        }
        let batch = self.batch;
        self.streams.retain(|_, stream| stream.batch == batch);
    }

    fn since(&mut self, name: &str, point: &NumberDataPoint) -> u64 {
        let (at, value, batch) = (point.time_unix_nano, number(point), self.batch);
        let stream = self
            .streams
            .entry(key(name, &point.attributes))
            .or_insert(Stream {
                since: at,
                last: (at, value),
                batch,
            });
        if value < stream.last.1 {
            stream.since = stream.last.0;
        }
        stream.last = (at, value);
        stream.batch = batch;
        stream.since
    }
}

fn key(name: &str, attributes: &[KeyValue]) -> String {
    let mut key = name.to_owned();
    for attribute in attributes {
        key.push('\n');
        key += &attribute.key;
        key.push('=');
        if let Some(Value::StringValue(text)) =
            attribute.value.as_ref().and_then(|value| value.value.as_ref())
        {
            key += text;
        }
    }
    key
}

fn number(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(number_data_point::Value::AsDouble(value)) => value,
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        None => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            points::{attribute, metric, point},
            row::{Instrument, Number},
        },
        *,
    };
    use gpulse_models::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn sum(gpu: &str, value: f64, since: Option<i64>, second: i64) -> Metric {
        let attributes = vec![attribute("hw.id", gpu)];
        let points = vec![point(
            attributes,
            value,
            Number::Double,
            since.map(at),
            at(second),
        )];
        metric("hw.energy", "", "J", Instrument::Counter, points)
    }

    fn begins(starts: &mut Starts, mut metrics: Vec<Metric>) -> Vec<u64> {
        starts.fill(&mut metrics);
        let points = metrics.iter().map(|metric| match &metric.data {
            Some(Data::Sum(sum)) => sum.data_points[0].start_time_unix_nano / 1_000_000_000,
            other => panic!("{other:?}"),
        });
        points.collect()
    }

    #[test]
    fn a_stream_begins_with_its_first_point_and_anew_where_it_falls_or_was_missing() {
        let mut starts = Starts::default();
        let of = |gpu, value, second| sum(gpu, value, None, second);
        assert_eq!(
            begins(&mut starts, vec![of("a", 500.0, 10), of("b", 7.0, 11)]),
            [10, 11]
        );
        assert_eq!(
            begins(&mut starts, vec![of("a", 600.0, 20), of("b", 7.0, 21)]),
            [10, 11]
        );
        assert_eq!(begins(&mut starts, vec![of("a", 1.0, 30)]), [20]);
        assert_eq!(
            begins(&mut starts, vec![of("a", 2.0, 40), of("b", 9.0, 41)]),
            [20, 41]
        );
    }

    #[test]
    fn a_beginning_that_is_known_stays() {
        let mut starts = Starts::default();
        assert_eq!(begins(&mut starts, vec![sum("a", 5.0, Some(3), 10)]), [3]);
    }
}
