//! Prometheus remote write 1.0: the naming profiles of `/metrics`, pushed.

mod messages;
mod series;

use bytes::Bytes;
use prost::Message as _;
use reqwest::{
    StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};

pub use messages::{Label, STALE, Sample, TimeSeries, WriteRequest};

use crate::{
    Access, Endpoint, Profiles, PushSettings, Pusher, Subject, View, expose,
    push::{Accepted, Batch, Encoder, HttpSender, Refusal, Sender, StartError},
};

/// What its counters go by.
pub const NAME: &str = "remote_write";

/// Who to write to, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteWriteSettings {
    /// The receiver.
    pub endpoint: Endpoint,
    /// Who the agent is to it.
    pub access: Access,
    /// Under which names; at least one.
    pub profiles: Profiles,
    /// Labels for all series that do not have them themselves. Unless they are among them, there are `job="gpulse"` and
    /// `instance`, the name of the agent; an empty value is none.
    pub labels: Vec<(String, String)>,
    /// How often, how long, how much.
    pub push: PushSettings,
}

/// Starts to write what there is to tell of `subject`.
///
/// # Errors
///
/// If a file about the receiver cannot be used, or there can be no thread.
pub fn start(subject: Subject, settings: RemoteWriteSettings) -> Result<Pusher, StartError> {
    let mut http = HttpSender::new(settings.endpoint, settings.access, subject.version);
    http.check().map_err(StartError::Receiver)?;
    let encoder = RemoteWriteEncoder::new(&subject.instance, settings.profiles, settings.labels);
    let sender = RemoteWriteSender { http };
    Ok(Pusher::start(NAME, subject, settings.push, encoder, sender)?)
}

/// Makes requests, and knows which series the last one had.
struct RemoteWriteEncoder {
    profiles: Profiles,
    labels: Vec<(String, String)>,
    known: series::Known,
    snappy: snap::raw::Encoder,
}

impl RemoteWriteEncoder {
    fn new(instance: &str, profiles: Profiles, mut labels: Vec<(String, String)>) -> Self {
        for (name, value) in [("job", "gpulse"), ("instance", instance)] {
            if !labels.iter().any(|(other, _)| other == name) {
                labels.push((name.to_owned(), value.to_owned()));
            }
        }
        Self {
            profiles,
            labels,
            known: series::Known::new(),
            snappy: snap::raw::Encoder::new(),
        }
    }
}

impl Encoder for RemoteWriteEncoder {
    fn encode(&mut self, view: &View<'_>) -> Option<Batch> {
        // All samples of a batch have the time at which it was made, as those of a scrape do: what is not fresh by then is
        // absent.
        let mut sink = series::SeriesSink::new(&self.labels, view.at.as_millisecond());
        expose(view, self.profiles, &mut sink);
        let (request, samples, known) = sink.finish(&self.known);
        self.known = known;
        // Only what has more than 4 GiB cannot be compressed.
        let body = self.snappy.compress_vec(&request.encode_to_vec()).ok()?;
        Some(Batch::new(body, samples))
    }
}

struct RemoteWriteSender {
    http: HttpSender,
}

/// The version of the protocol that the receiver is told.
const VERSION: HeaderName = HeaderName::from_static("x-prometheus-remote-write-version");

impl Sender for RemoteWriteSender {
    async fn send(&mut self, body: Bytes) -> Result<Accepted, Refusal> {
        let headers = HeaderMap::from_iter([
            (CONTENT_ENCODING, HeaderValue::from_static("snappy")),
            (CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf")),
            (VERSION, HeaderValue::from_static("0.1.0")),
        ]);
        // As the specification has it: what the server did wrong may pass, what the client did wrong does not.
        let is_passing =
            |status: StatusCode| status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        self.http.post(headers, body, is_passing).await?;
        Ok(Accepted::default())
    }
}

#[cfg(test)]
mod tests;
