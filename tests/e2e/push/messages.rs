//! The messages of remote write, written down from its specification a second time: a mistake is not made twice.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

impl WriteRequest {
    /// Reads the body of a request.
    #[track_caller]
    pub(super) fn read(body: &[u8]) -> Self {
        let plain = snap::raw::Decoder::new().decompress_vec(body).unwrap();
        Self::decode(plain.as_slice()).unwrap()
    }

    /// The time of its samples.
    #[track_caller]
    pub(super) fn time(&self) -> i64 {
        let time = self.timeseries[0].samples[0].timestamp;
        let samples = self.timeseries.iter().flat_map(|series| &series.samples);
        assert!(samples.clone().all(|sample| sample.timestamp == time));
        assert_eq!(samples.count(), self.timeseries.len());
        time
    }

    /// The value of the series with this name and these labels.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut series = self.timeseries.iter();
        let found = series.find(|series| {
            series.label("__name__") == name
                && labels.iter().all(|(name, value)| series.label(name) == *value)
        });
        found.map(|series| series.samples[0].value)
    }
}

impl TimeSeries {
    /// The value of a label; empty if it is not there.
    pub(super) fn label(&self, name: &str) -> &str {
        let found = self.labels.iter().find(|label| label.name == name);
        found.map_or("", |label| &label.value)
    }
}
