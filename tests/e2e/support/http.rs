//! HTTP as a client sees it: status, headers, bytes.

use std::time::Duration;

use serde_json::Value;

/// No answer of the agent takes this long; a test that waits longer has found a blocked route.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: ureq::http::HeaderMap,
    /// The body as it came, not decoded.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is none.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {}", String::from_utf8_lossy(&self.body)),
        }
    }

    /// A header's text; empty if it was not sent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// Sends one request and reads the whole answer. Redirects are answers like any other.
///
/// # Panics
///
/// If there is no answer.
#[track_caller]
pub(crate) fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> Reply {
    match attempt(method, url, headers) {
        Ok(reply) => reply,
        Err(error) => panic!("{method} {url}: {error}"),
    }
}

fn attempt(method: &str, url: &str, headers: &[(&str, &str)]) -> Result<Reply, ureq::Error> {
    let client: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(TIMEOUT))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, mut body) = client.run(request.body(())?)?.into_parts();
    Ok(Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.read_to_vec()?,
    })
}
