//! OTLP: readings under the names of OpenTelemetry, and naming profiles beside them, pushed over gRPC or HTTP.

mod conventions;
mod families;
mod grpc;
mod points;
mod row;
mod starts;
mod table;

use std::io::{self, Read as _, Write as _};

use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::{
        ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
    },
    common::v1::InstrumentationScope,
    metrics::v1::{Metric as Message, ResourceMetrics, ScopeMetrics, metric::Data},
    resource::v1::Resource,
};
use prost::Message as _;
use reqwest::{
    StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue},
};

use starts::Starts;

pub use row::{Instrument, Metric, Number, Series, Source};
pub use table::METRICS;

use crate::{
    Access, Endpoint, Profiles, PushSettings, Pusher, StartError, Subject, View, expose,
    push::{Accepted, Batch, Encoder, HttpSender, Refusal, Sender},
    seen::Seen,
};

/// What its counters go by.
pub const NAME: &str = "otlp";

/// Where metrics go on a receiver whose address has no path.
const PATH: &str = "/v1/metrics";

/// By which protocol a receiver is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    Grpc,
    /// HTTP with binary messages.
    Http,
}

/// Who to push to, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpSettings {
    /// The receiver; over HTTP with the path, unless that is the usual one.
    pub endpoint: Endpoint,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Who the agent is to it.
    pub access: Access,
    /// Whether messages are compressed.
    pub compressed: bool,
    /// Naming profiles that are pushed beside the names of OpenTelemetry.
    pub profiles: Profiles,
    /// Attributes of the resource, beside those that say what the agent is and where, which they can replace.
    pub resource: Vec<(String, String)>,
    /// How often, how long, how much.
    pub push: PushSettings,
}

/// Starts to push what there is to tell of `subject`.
///
/// # Errors
///
/// If a file about the receiver cannot be used, or there can be no thread.
pub fn start(subject: Subject, settings: OtlpSettings) -> Result<Pusher, StartError> {
    let encoder = OtlpEncoder::new(&subject, settings.profiles, settings.resource);
    let (endpoint, access, compressed) = (settings.endpoint, settings.access, settings.compressed);
    let mut sender = match settings.protocol {
        Protocol::Grpc => OtlpSender::Grpc(grpc::GrpcSender::new(
            endpoint,
            access,
            subject.version,
            compressed,
        )),
        Protocol::Http => {
            let http = HttpSender::new(endpoint.or_path(PATH), access, subject.version);
            OtlpSender::Http { http, compressed }
        }
    };
    sender.check().map_err(StartError::Receiver)?;
    Ok(Pusher::start(NAME, subject, settings.push, encoder, sender)?)
}

/// Makes requests.
struct OtlpEncoder {
    profiles: Profiles,
    starts: Starts,
    resource: Resource,
}

impl OtlpEncoder {
    fn new(subject: &Subject, profiles: Profiles, mut resource: Vec<(String, String)>) -> Self {
        for (name, value) in [
            ("service.name", "gpulse"),
            ("service.version", subject.version),
            ("service.instance.id", &subject.instance),
            ("host.name", &subject.node),
        ] {
            if !resource.iter().any(|(other, _)| other == name) {
                resource.push((name.to_owned(), value.to_owned()));
            }
        }
        let said = resource.iter().filter(|(_, value)| !value.is_empty());
        Self {
            profiles,
            starts: Starts::default(),
            resource: Resource {
                attributes: said.map(|(name, value)| points::attribute(name, value)).collect(),
                ..Resource::default()
            },
        }
    }

    fn message(&mut self, view: &View<'_>) -> ExportMetricsServiceRequest {
        let seen: Vec<_> = view.host.gpus.iter().map(|gpu| Seen::of(gpu)).collect();
        let mut sink = families::MetricSink::new(view.started_at, view.at);
        expose(view, self.profiles, &mut sink);
        let (mut of_hardware, mut of_profiles) = (conventions::metrics(view, &seen), sink.finish());
        self.starts.fill(of_hardware.iter_mut().chain(&mut of_profiles));
        let named = [(of_hardware, table::SCHEMA_URL), (of_profiles, "")];
        let scoped = named.into_iter().filter(|(metrics, _)| !metrics.is_empty());
        let scopes = scoped.map(|(metrics, schema_url)| ScopeMetrics {
            scope: Some(InstrumentationScope {
                name: "gpulse".to_owned(),
                version: view.stats.build.version.to_owned(),
                ..InstrumentationScope::default()
            }),
            metrics,
            schema_url: schema_url.to_owned(),
        });
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.resource.clone()),
                scope_metrics: scopes.collect(),
                schema_url: table::SCHEMA_URL.to_owned(),
            }],
        }
    }
}

impl Encoder for OtlpEncoder {
    fn encode(&mut self, view: &View<'_>) -> Option<Batch> {
        let message = self.message(view);
        let metrics = message
            .resource_metrics
            .iter()
            .flat_map(|resource| &resource.scope_metrics)
            .flat_map(|scope| &scope.metrics);
        let samples = metrics.map(count).sum();
        if samples == 0 {
            return None;
        }
        // What waits is compressed, whatever is sent: a batch is a twentieth as long then.
        let body = pack(&message.encode_to_vec()).ok()?;
        Some(Batch::new(body, samples))
    }
}

fn count(metric: &Message) -> u64 {
    let points = match &metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        _ => 0,
    };
    points as u64
}

fn pack(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn unpack(packed: &[u8]) -> io::Result<Bytes> {
    let mut plain = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut plain)?;
    Ok(plain.into())
}

/// Sends requests.
enum OtlpSender {
    Grpc(grpc::GrpcSender),
    Http { http: HttpSender, compressed: bool },
}

impl OtlpSender {
    fn check(&mut self) -> Result<(), String> {
        match self {
            Self::Grpc(grpc) => grpc.check(),
            Self::Http { http, .. } => http.check(),
        }
    }
}

impl Sender for OtlpSender {
    async fn send(&mut self, body: Bytes) -> Result<Accepted, Refusal> {
        match self {
            Self::Grpc(grpc) => {
                let broken = |error: &dyn std::error::Error| Refusal::later(error.to_string());
                let plain = unpack(&body).map_err(|error| broken(&error))?;
                let message = ExportMetricsServiceRequest::decode(plain).map_err(|error| broken(&error))?;
                Ok(accepted(grpc.export(message).await?.partial_success))
            }
            Self::Http { http, compressed } => {
                let mut headers = HeaderMap::new();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
                let body = if *compressed {
                    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                    body
                } else {
                    unpack(&body).map_err(|error| Refusal::later(error.to_string()))?
                };
                let said = http.post(headers, body, is_passing).await?;
                // An answer that is none of these says nothing about parts.
                let answer = ExportMetricsServiceResponse::decode(said).unwrap_or_default();
                Ok(accepted(answer.partial_success))
            }
        }
    }
}

/// Statuses that the specification of OTLP has tried again, and no others.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn accepted(partial: Option<ExportMetricsPartialSuccess>) -> Accepted {
    let partial = partial.unwrap_or_default();
    Accepted {
        rejected_samples: u64::try_from(partial.rejected_data_points).unwrap_or_default(),
        why: partial.error_message,
    }
}

#[cfg(test)]
mod tests;
