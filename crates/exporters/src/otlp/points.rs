//! Parts that all messages are made of: attributes, and numbers at a time.

use gpulse_models::Timestamp;
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, Metric, NumberDataPoint, Sum, metric::Data, number_data_point::Value,
    },
};

use super::row::{Instrument, Number};

/// An attribute with a text.
pub(super) fn attribute(name: &str, value: &str) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

/// Nanoseconds since 1970, as all times are sent.
pub(super) fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or_default()
}

/// A value at a time; `since` for those that are counted from somewhere on.
pub(super) fn point(
    attributes: Vec<KeyValue>,
    value: f64,
    number: Number,
    since: Option<Timestamp>,
    at: Timestamp,
) -> NumberDataPoint {
    NumberDataPoint {
        attributes,
        start_time_unix_nano: since.map_or(0, nanoseconds),
        time_unix_nano: nanoseconds(at),
        value: Some(match number {
            Number::Int => Value::AsInt(value.round() as i64),
            Number::Double => Value::AsDouble(value),
        }),
        ..NumberDataPoint::default()
    }
}

/// A metric of these points.
pub(super) fn metric(
    name: &str,
    help: &str,
    unit: &str,
    instrument: Instrument,
    data_points: Vec<NumberDataPoint>,
) -> Metric {
    let data = match instrument {
        Instrument::Gauge => Data::Gauge(Gauge { data_points }),
        Instrument::Counter | Instrument::UpDownCounter => Data::Sum(Sum {
            data_points,
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: instrument == Instrument::Counter,
        }),
    };
    Metric {
        name: name.to_owned(),
        description: help.to_owned(),
        unit: unit.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}
