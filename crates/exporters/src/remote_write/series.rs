//! Families as series of remote write, and which of them have ended.

use std::collections::HashSet;

use prost::Message as _;

use super::messages::{EncodedRequest, Label, STALE, Sample, TimeSeries};
use crate::{Extra, Family, Histogram, Labels, Point, Sink, family::write_number};

/// The name of the label that holds a metric's name.
const NAME: &str = "__name__";

/// Series by their labels, encoded. That is what is kept of a batch, to know in the next one what has ended.
pub(super) type Known = HashSet<Box<[u8]>>;

/// Takes families and makes series of them.
pub(super) struct SeriesSink<'e> {
    /// Labels that every series has which does not have them itself.
    external: &'e [(String, String)],
    timestamp: i64,
    family: String,
    known: Known,
    encoded: Vec<Vec<u8>>,
}

impl<'e> SeriesSink<'e> {
    pub(super) fn new(external: &'e [(String, String)], timestamp: i64) -> Self {
        Self {
            external,
            timestamp,
            family: String::new(),
            known: Known::new(),
            encoded: Vec::new(),
        }
    }

    /// The request, with a mark for each series that was there `before` and is not any more; its number of samples; and
    /// what is there now.
    pub(super) fn finish(mut self, before: &Known) -> (EncodedRequest, u64, Known) {
        for gone in before.difference(&self.known) {
            self.encoded
                .push(with_sample(gone, f64::from_bits(STALE), self.timestamp));
        }
        let samples = self.encoded.len() as u64;
        let request = EncodedRequest {
            timeseries: self.encoded,
        };
        (request, samples, self.known)
    }

    fn add(&mut self, ending: &str, labels: &Labels, extra: &[Extra<'_>], value: f64) {
        let name = format!("{}{ending}", self.family);
        let own = labels.pairs().chain(extra.iter().copied());
        let mut all: Vec<_> = own
            .chain([(NAME, name.as_str())])
            .filter(|(_, value)| !value.is_empty())
            .map(label)
            .collect();
        for (name, value) in self.external {
            if !value.is_empty() && !all.iter().any(|label| label.name == *name) {
                all.push(label((name, value)));
            }
        }
        all.sort_unstable();
        let series = TimeSeries {
            labels: all,
            samples: Vec::new(),
        };
        let labels = series.encode_to_vec().into_boxed_slice();
        let encoded = with_sample(&labels, value, self.timestamp);
        // One series has one value at a time: receivers refuse a second one, and with it the whole request.
        if self.known.insert(labels) {
            self.encoded.push(encoded);
        }
    }
}

fn label((name, value): (&str, &str)) -> Label {
    Label {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// The series with these encoded labels and one sample: one encoded message behind the other is a message as well.
fn with_sample(labels: &[u8], value: f64, timestamp: i64) -> Vec<u8> {
    let sample = TimeSeries {
        labels: Vec::new(),
        samples: vec![Sample { value, timestamp }],
    };
    let mut series = Vec::with_capacity(labels.len() + sample.encoded_len());
    series.extend_from_slice(labels);
    series.extend(sample.encode_to_vec());
    series
}

impl Sink for SeriesSink<'_> {
    fn family(&mut self, family: &Family) {
        self.family.clear();
        self.family.push_str(&family.name);
    }

    fn series(&mut self, labels: &Labels, extra: &[Extra<'_>], point: Point<'_>) {
        self.add("", labels, extra, point.value);
    }

    fn histogram(&mut self, labels: &Labels, extra: &[Extra<'_>], histogram: &Histogram<'_>) {
        let mut below = 0;
        let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
        for (bound, count) in bounds.zip(histogram.counts) {
            below += count;
            let mut text = String::new();
            write_number(&mut text, bound);
            let mut all = extra.to_vec();
            all.push(("le", &text));
            self.add("_bucket", labels, &all, below as f64);
        }
        self.add("_sum", labels, extra, histogram.sum);
        self.add("_count", labels, extra, below as f64);
    }
}
