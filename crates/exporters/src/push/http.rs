//! Batches over HTTP: one POST for each, and what the answer means for it.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use gpulse_models::{DropReason, Timestamp};
use reqwest::{
    Client, ClientBuilder, Response, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::{
    access::{Access, TlsText},
    endpoint::Endpoint,
    secrets::Secrets,
    sender::Refusal,
};

/// The most that is read of an answer: a sentence about what is wrong.
const LONGEST_ANSWER: usize = 64 * 1024;

/// How much of it is shown.
const SHOWN: usize = 200;

/// One receiver, with its connection.
pub(crate) struct HttpSender {
    endpoint: Endpoint,
    access: Access,
    user_agent: String,
    /// Made of these files, and made anew when they have changed.
    made: Option<(TlsText, Client)>,
}

impl HttpSender {
    pub(crate) fn new(endpoint: Endpoint, access: Access, version: &str) -> Self {
        Self {
            endpoint,
            access,
            user_agent: format!("gpulse/{version}"),
            made: None,
        }
    }

    /// Whether the files can be used, so that a mistake shows at once.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        self.access.headers().map_err(|error| error.to_string())?;
        self.client().map(drop)
    }

    /// Posts a body. Statuses for which `is_passing` are worth another attempt.
    pub(crate) async fn post(
        &mut self,
        headers: HeaderMap,
        body: Bytes,
        is_passing: fn(StatusCode) -> bool,
    ) -> Result<Bytes, Refusal> {
        let own = self
            .access
            .headers()
            .map_err(|error| Refusal::later(error.to_string()))?;
        let client = self.client().map_err(Refusal::later)?;
        let secrets = Secrets::of(&own);
        let request = client
            .post(self.endpoint.url().clone())
            .headers(headers)
            .headers(own)
            .body(body);
        let response = request
            .send()
            .await
            .map_err(|error| Refusal::later(chain(&self.named(error))))?;
        let (status, asked) = (
            response.status(),
            retry_after(response.headers(), Timestamp::now()),
        );
        let said = read(response).await;
        if status.is_success() {
            return Ok(said);
        }
        let said = secrets.hidden_in(String::from_utf8_lossy(&said).into_owned());
        let said: String = said.trim().chars().take(SHOWN).collect();
        let why = format!("{status}: {said}");
        if is_passing(status) {
            return Err(Refusal::Later { asked, why });
        }
        let reason = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => DropReason::Unauthorized,
            StatusCode::PAYLOAD_TOO_LARGE => DropReason::TooLarge,
            _ => DropReason::Rejected,
        };
        Err(Refusal::Never { reason, why })
    }

    /// An error with the address that it is about, unless there may be a key in it.
    fn named(&self, error: reqwest::Error) -> reqwest::Error {
        match self.endpoint.url().query() {
            Some(_) => error.without_url(),
            None => error,
        }
    }

    fn client(&mut self) -> Result<Client, String> {
        let text = self.access.tls().map_err(|error| error.to_string())?;
        if let Some((_, client)) = self.made.as_ref().filter(|(of, _)| *of == text) {
            return Ok(client.clone());
        }
        let client = builder(&text, &self.endpoint)?
            .user_agent(&self.user_agent)
            .build()
            .map_err(|error| chain(&error))?;
        self.made = Some((text, client.clone()));
        Ok(client)
    }
}

/// A client of `endpoint` that trusts whom the files of `access` say, follows no redirect and is otherwise as it is by default.
///
/// # Errors
///
/// With what is wrong with a file, or that there are no authorities to trust.
pub fn http_client(access: &Access, endpoint: &Endpoint) -> Result<ClientBuilder, String> {
    let text = access.tls().map_err(|error| error.to_string())?;
    builder(&text, endpoint)
}

fn builder(text: &TlsText, endpoint: &Endpoint) -> Result<ClientBuilder, String> {
    Ok(Client::builder()
        .tls_backend_preconfigured(tls(text, endpoint)?)
        // Credentials go to the receiver that was named, and to no other.
        .redirect(Policy::none()))
}

/// Whom to trust, and who the agent is. The provider is named, since libraries that look for one would find none.
fn tls(text: &TlsText, endpoint: &Endpoint) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match &text.ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate =
                    certificate.map_err(|error| format!("the authorities are no PEM: {error}"))?;
                roots
                    .add(certificate)
                    .map_err(|error| format!("an authority cannot be used: {error}"))?;
            }
            if roots.is_empty() {
                return Err("there is no certificate in the file of authorities".to_owned());
            }
        }
        // Where nothing is encrypted the system need not have any.
        None if endpoint.is_encrypted() => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(
                    "this system knows no authorities: name a file with those of the receiver".to_owned(),
                );
            }
        }
        None => {}
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let Some((certificate, key)) = &text.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|error| format!("the certificate is no PEM: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the key is no PEM: {error}"))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| format!("certificate and key cannot be used: {error}"))
}

/// The beginning of an answer. One that breaks off is as good as what came of it: the status says what counts.
async fn read(mut response: Response) -> Bytes {
    let mut read = BytesMut::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = LONGEST_ANSWER - read.len();
        read.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if read.len() == LONGEST_ANSWER {
            break;
        }
    }
    read.freeze()
}

/// How long the receiver asks to be left alone: a number of seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// An error with those that it comes from, which say what is the matter.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text += ": ";
            text += &more;
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_ask_in_seconds_or_with_a_date() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(asked("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            asked("Sun, 01 Mar 2026 12:00:30 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(asked("Sun, 01 Mar 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("soon"), None);
    }
}
