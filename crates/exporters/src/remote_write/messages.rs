//! The messages of remote write 1.0 (`prometheus.WriteRequest`), as far as they are sent.

/// Series with their samples.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WriteRequest {
    /// The series.
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
}

/// One series.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TimeSeries {
    /// Its labels, sorted by name; the name of the metric is the one called `__name__`.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    /// Its samples, by time.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
}

/// A label.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, prost::Message)]
pub struct Label {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value; not empty.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A value at a time.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Sample {
    /// The value; [`STALE`] where the series ends.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// The time, in milliseconds since 1970.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// The NaN that says that a series has ended, by its bits.
pub const STALE: u64 = 0x7ff0_0000_0000_0002;

/// The same request, with each series encoded already.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct EncodedRequest {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(super) timeseries: Vec<Vec<u8>>,
}
