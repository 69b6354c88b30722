//! Batches over gRPC, and what the status means for them.

use std::time::Duration;

use gpulse_models::DropReason;
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse, metrics_service_client::MetricsServiceClient,
};
use prost::Message as _;
use tonic::{
    Code, Request, Status,
    codec::CompressionEncoding,
    metadata::MetadataMap,
    transport::{Certificate, Channel, ClientTlsConfig, Identity},
};

use crate::{
    Access, Endpoint,
    push::{Refusal, Secrets, TlsText, chain},
};

/// One receiver, with its connection.
pub(super) struct GrpcSender {
    endpoint: Endpoint,
    access: Access,
    user_agent: String,
    compressed: bool,
    /// Made of these files, and made anew when they have changed.
    made: Option<(TlsText, Channel)>,
}

impl GrpcSender {
    pub(super) fn new(endpoint: Endpoint, access: Access, version: &str, compressed: bool) -> Self {
        Self {
            endpoint,
            access,
            user_agent: format!("gpulse/{version}"),
            compressed,
            made: None,
        }
    }

    /// Whether the files can be used, so that a mistake shows at once.
    pub(super) fn check(&mut self) -> Result<(), String> {
        self.access.headers().map_err(|error| error.to_string())?;
        let tls = self.access.tls().map_err(|error| error.to_string())?;
        self.builder(&tls).map(drop)
    }

    pub(super) async fn export(
        &mut self,
        message: ExportMetricsServiceRequest,
    ) -> Result<ExportMetricsServiceResponse, Refusal> {
        let headers = self
            .access
            .headers()
            .map_err(|error| Refusal::later(error.to_string()))?;
        let secrets = Secrets::of(&headers);
        let mut client = MetricsServiceClient::new(self.channel().map_err(Refusal::later)?);
        if self.compressed {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        let request = Request::from_parts(
            MetadataMap::from_headers(headers),
            tonic::Extensions::new(),
            message,
        );
        match client.export(request).await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => Err(judge(&status, &secrets)),
        }
    }

    /// The connection, which is made when it is first used. Must be called inside a runtime.
    fn channel(&mut self) -> Result<Channel, String> {
        let text = self.access.tls().map_err(|error| error.to_string())?;
        if let Some((_, channel)) = self.made.as_ref().filter(|(of, _)| *of == text) {
            return Ok(channel.clone());
        }
        let channel = self.builder(&text)?.connect_lazy();
        self.made = Some((text, channel.clone()));
        Ok(channel)
    }

    fn builder(&self, text: &TlsText) -> Result<tonic::transport::Endpoint, String> {
        let refused = |error: tonic::transport::Error| chain(&error);
        let mut builder = Channel::from_shared(self.endpoint.url().to_string())
            .map_err(|error| error.to_string())?
            .user_agent(self.user_agent.clone())
            .map_err(refused)?;
        if self.endpoint.is_encrypted() {
            let mut tls = match &text.ca {
                Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
                None => ClientTlsConfig::new().with_native_roots(),
            };
            if let Some((certificate, key)) = &text.identity {
                tls = tls.identity(Identity::from_pem(certificate, key));
            }
            builder = builder.tls_config(tls).map_err(refused)?;
        }
        Ok(builder)
    }
}

/// As the specification of OTLP has it.
fn judge(status: &Status, secrets: &Secrets) -> Refusal {
    let why = format!("{:?}: {}", status.code(), secrets.hidden_in(chain(status)));
    // A status with a cause was made on this side: the connection failed, and not the batch.
    let is_ours = std::error::Error::source(status).is_some();
    let asked = retry_delay(status.details());
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Refusal::Later { asked, why },
        // Too much at this moment if the receiver says when to come back; else too much for ever.
        Code::ResourceExhausted if asked.is_some() => Refusal::Later { asked, why },
        _ if is_ours => Refusal::Later { asked, why },
        code => Refusal::Never {
            reason: match code {
                Code::Unauthenticated | Code::PermissionDenied => DropReason::Unauthorized,
                Code::ResourceExhausted => DropReason::TooLarge,
                _ => DropReason::Rejected,
            },
            why,
        },
    }
}

/// The details of a status: `google.rpc.Status`, of which only these are looked at.
#[derive(Clone, PartialEq, prost::Message)]
struct Details {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// How long the receiver asks to be left alone.
fn retry_delay(details: &[u8]) -> Option<Duration> {
    let all = Details::decode(details).ok()?.details;
    let info = all
        .iter()
        .find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?;
    let nanos = u32::try_from(delay.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(u64::try_from(delay.seconds).ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(seconds: i64) -> Vec<u8> {
        let info = RetryInfo {
            retry_delay: Some(Delay {
                seconds,
                nanos: 500_000_000,
            }),
        };
        let any = Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: info.encode_to_vec(),
        };
        Details { details: vec![any] }.encode_to_vec()
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_dropped() {
        let later = |status: &Status| match judge(status, &Secrets::of(&reqwest::header::HeaderMap::new())) {
            Refusal::Later { asked, .. } => Ok(asked),
            Refusal::Never { reason, .. } => Err(reason),
        };
        assert_eq!(later(&Status::unavailable("")), Ok(None));
        assert_eq!(later(&Status::invalid_argument("")), Err(DropReason::Rejected));
        assert_eq!(later(&Status::unauthenticated("")), Err(DropReason::Unauthorized));
        assert_eq!(later(&Status::resource_exhausted("")), Err(DropReason::TooLarge));
        let asked = Status::with_details(Code::ResourceExhausted, "", asking(7).into());
        assert_eq!(later(&asked), Ok(Some(Duration::from_millis(7_500))));
        let backwards = Status::with_details(Code::Unavailable, "", asking(-7).into());
        assert_eq!(later(&backwards), Ok(None));
        let broken = Status::from_error(Box::new(std::io::Error::other("reset by peer")));
        assert_eq!((broken.code(), later(&broken)), (Code::Unknown, Ok(None)));
    }
}
