//! Keys about pushing: to whom, what, and who the agent is to the receiver.

use std::{path::PathBuf, time::Duration};

use gpulse_exporters::{
    Access, BUFFER_BYTES, Endpoint, Headers, MAX_BUFFER_BYTES, MIN_BUFFER_BYTES, Profile, Profiles,
    PushSettings,
    otlp::{OtlpSettings, Protocol},
    remote_write::RemoteWriteSettings,
};
use serde::{Deserialize, Serialize};

use super::{
    duration, metrics,
    pairs::{self, Pairs},
    schema::{Violation, within},
};

/// How often is pushed, at least and at most: what is older than five minutes is no longer the latest to Prometheus, and
/// an hour is as long as anything waits.
const INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));

/// How long an attempt may take, at least and at most.
const TIMEOUTS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(300));

const DEFAULT_INTERVAL: Duration = Duration::from_secs(10);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// OTLP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Otlp {
    pub(crate) endpoint: Option<String>,
    pub(crate) protocol: OtlpProtocol,
    #[serde(with = "duration")]
    pub(crate) interval: Duration,
    #[serde(with = "duration")]
    pub(crate) timeout: Duration,
    pub(crate) compression: Compression,
    #[serde(with = "metrics::profiles")]
    pub(crate) profiles: Profiles,
    #[serde(with = "pairs")]
    pub(crate) resource: Pairs,
    /// Those that OpenTelemetry's variables have: no key of the file, since they may be secret.
    #[serde(skip)]
    pub(crate) headers: Headers,
    pub(crate) headers_file: Option<PathBuf>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) buffer_bytes: usize,
}

/// Prometheus remote write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoteWrite {
    pub(crate) endpoint: Option<String>,
    #[serde(with = "duration")]
    pub(crate) interval: Duration,
    #[serde(with = "duration")]
    pub(crate) timeout: Duration,
    #[serde(with = "metrics::profiles")]
    pub(crate) profiles: Profiles,
    #[serde(with = "pairs")]
    pub(crate) labels: Pairs,
    pub(crate) headers_file: Option<PathBuf>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) buffer_bytes: usize,
}

/// How an OTLP receiver is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OtlpProtocol {
    Grpc,
    Http,
}

/// How messages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    Gzip,
    None,
}

impl Default for Otlp {
    fn default() -> Self {
        Self {
            endpoint: None,
            protocol: OtlpProtocol::Grpc,
            interval: DEFAULT_INTERVAL,
            timeout: DEFAULT_TIMEOUT,
            compression: Compression::Gzip,
            profiles: Profiles::default(),
            resource: Pairs::new(),
            headers: Headers::default(),
            headers_file: None,
            token_file: None,
            username: None,
            password_file: None,
            ca: None,
            certificate: None,
            key: None,
            buffer_bytes: BUFFER_BYTES,
        }
    }
}

impl Default for RemoteWrite {
    fn default() -> Self {
        Self {
            endpoint: None,
            interval: DEFAULT_INTERVAL,
            timeout: DEFAULT_TIMEOUT,
            profiles: Profiles::from_iter([Profile::Native]),
            labels: Pairs::new(),
            headers_file: None,
            token_file: None,
            username: None,
            password_file: None,
            ca: None,
            certificate: None,
            key: None,
            buffer_bytes: BUFFER_BYTES,
        }
    }
}

impl Otlp {
    /// What the exporter is told; nothing if there is no receiver.
    pub(crate) fn settings(&self) -> Option<OtlpSettings> {
        Some(OtlpSettings {
            endpoint: Endpoint::parse(self.endpoint.as_ref()?).ok()?,
            protocol: match self.protocol {
                OtlpProtocol::Grpc => Protocol::Grpc,
                OtlpProtocol::Http => Protocol::Http,
            },
            access: self.access(),
            compressed: self.compression == Compression::Gzip,
            profiles: self.profiles,
            resource: self.resource.clone(),
            push: self.push(),
        })
    }

    fn access(&self) -> Access {
        Access {
            headers: self.headers.clone(),
            headers_file: self.headers_file.clone(),
            token_file: self.token_file.clone(),
            username: self.username.clone(),
            password_file: self.password_file.clone(),
            ca: self.ca.clone(),
            certificate: self.certificate.clone(),
            key: self.key.clone(),
        }
    }

    fn push(&self) -> PushSettings {
        PushSettings {
            interval: self.interval,
            timeout: self.timeout,
            buffer_bytes: self.buffer_bytes,
        }
    }

    pub(super) fn check(&self) -> Result<(), Violation> {
        let endpoint = check(&OTLP, self.endpoint.as_deref(), &self.access(), &self.push())?;
        if self.protocol == OtlpProtocol::Grpc && endpoint.is_some_and(|endpoint| endpoint.has_path()) {
            let problem = "gRPC knows no path: leave it away, or set otlp.protocol = \"http\"";
            return Err(violation("otlp.endpoint", problem));
        }
        Ok(())
    }
}

impl RemoteWrite {
    /// What the exporter is told; nothing if there is no receiver.
    pub(crate) fn settings(&self) -> Option<RemoteWriteSettings> {
        Some(RemoteWriteSettings {
            endpoint: Endpoint::parse(self.endpoint.as_ref()?).ok()?,
            access: self.access(),
            profiles: self.profiles,
            labels: self.labels.clone(),
            push: self.push(),
        })
    }

    fn access(&self) -> Access {
        Access {
            headers: Headers::default(),
            headers_file: self.headers_file.clone(),
            token_file: self.token_file.clone(),
            username: self.username.clone(),
            password_file: self.password_file.clone(),
            ca: self.ca.clone(),
            certificate: self.certificate.clone(),
            key: self.key.clone(),
        }
    }

    fn push(&self) -> PushSettings {
        PushSettings {
            interval: self.interval,
            timeout: self.timeout,
            buffer_bytes: self.buffer_bytes,
        }
    }

    pub(super) fn check(&self) -> Result<(), Violation> {
        check(
            &REMOTE_WRITE,
            self.endpoint.as_deref(),
            &self.access(),
            &self.push(),
        )?;
        if self.profiles.is_empty() {
            return Err(violation("remote_write.profiles", "it names no profile"));
        }
        let lost = self.labels.iter().find(|(name, _)| !is_label(name));
        if let Some((name, _)) = lost {
            let problem =
                format!("`{name}` is no name of a label: letters, digits and _, and two _ do not begin it");
            return Err(violation("remote_write.labels", &problem));
        }
        Ok(())
    }
}

/// The keys that both sections have.
struct Keys {
    endpoint: &'static str,
    interval: &'static str,
    timeout: &'static str,
    token_file: &'static str,
    username: &'static str,
    password_file: &'static str,
    ca: &'static str,
    certificate: &'static str,
    key: &'static str,
    buffer_bytes: &'static str,
}

const OTLP: Keys = Keys {
    endpoint: "otlp.endpoint",
    interval: "otlp.interval",
    timeout: "otlp.timeout",
    token_file: "otlp.token_file",
    username: "otlp.username",
    password_file: "otlp.password_file",
    ca: "otlp.ca",
    certificate: "otlp.certificate",
    key: "otlp.key",
    buffer_bytes: "otlp.buffer_bytes",
};

const REMOTE_WRITE: Keys = Keys {
    endpoint: "remote_write.endpoint",
    interval: "remote_write.interval",
    timeout: "remote_write.timeout",
    token_file: "remote_write.token_file",
    username: "remote_write.username",
    password_file: "remote_write.password_file",
    ca: "remote_write.ca",
    certificate: "remote_write.certificate",
    key: "remote_write.key",
    buffer_bytes: "remote_write.buffer_bytes",
};

/// What of these keys does not go together. Returns the endpoint, if there is one.
fn check(
    keys: &Keys,
    endpoint: Option<&str>,
    access: &Access,
    push: &PushSettings,
) -> Result<Option<Endpoint>, Violation> {
    within(keys.interval, push.interval, INTERVALS.0, INTERVALS.1)?;
    within(keys.timeout, push.timeout, TIMEOUTS.0, TIMEOUTS.1)?;
    within(
        keys.buffer_bytes,
        push.buffer_bytes,
        MIN_BUFFER_BYTES,
        MAX_BUFFER_BYTES,
    )?;
    let refused = |key, problem: &str| Err(violation(key, problem));
    match (&access.certificate, &access.key) {
        (Some(_), None) => return refused(keys.key, "a certificate is set, and needs its key"),
        (None, Some(_)) => return refused(keys.certificate, "a key is set, and needs its certificate"),
        _ => {}
    }
    match (&access.username, &access.password_file) {
        (Some(_), None) => return refused(keys.password_file, "a user is named, and needs a password"),
        (None, Some(_)) => return refused(keys.username, "there is a password, and no user of it"),
        (Some(_), Some(_)) if access.token_file.is_some() => {
            return refused(
                keys.token_file,
                "a user is named as well, and only one of both can be sent",
            );
        }
        _ => {}
    }
    let Some(endpoint) = endpoint else { return Ok(None) };
    let endpoint = Endpoint::parse(endpoint).map_err(|error| violation(keys.endpoint, &error.to_string()))?;
    if !endpoint.is_encrypted() {
        let without = "the endpoint is http, where nothing is encrypted: write https, or leave this away";
        for (key, file) in [(keys.ca, &access.ca), (keys.certificate, &access.certificate)] {
            if file.is_some() {
                return refused(key, without);
            }
        }
    }
    Ok(Some(endpoint))
}

fn violation(key: &'static str, problem: &str) -> Violation {
    Violation {
        key,
        problem: problem.to_owned(),
    }
}

fn is_label(name: &str) -> bool {
    let mut characters = name.chars();
    let first = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    first
        && !name.starts_with("__")
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}
