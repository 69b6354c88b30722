//! The connection to an agent: HTTP over TCP, TLS or a unix socket.

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use gpulse_exporters::{Access, Endpoint, http_client};
use reqwest::{
    Response,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde_json::Value;

use super::{Answer, ClientError, Connect};

/// A token, where it is not in a file.
const TOKEN: &str = "GPULSE_TOKEN";

/// How a unix socket is named.
const SOCKET: &str = "unix:";

/// What stands for a host name, which a socket does not have and HTTP wants.
const AUTHORITY: &str = "http://localhost";

/// How long a connection may take to come about: longer than a lost packet needs to be sent again.
const CONNECTING: Duration = Duration::from_secs(5);

/// How long an answer may take. An agent may be asked to wait for news for a minute, and answers then.
const LONGEST: Duration = Duration::from_secs(65);

/// The most that is read of an answer: hundreds of GPUs with a thousand processes each.
const LONGEST_BODY: usize = 64 << 20;

/// A connection to one agent, made when the first request needs it.
pub(super) struct Link {
    http: reqwest::Client,
    base: String,
    place: String,
    headers: HeaderMap,
}

impl Link {
    /// To the agent that the flags name.
    pub(super) fn open(connect: &Connect) -> Result<Self, ClientError> {
        let text = connect.connect.as_deref().unwrap_or_default();
        let headers = headers(connect)?;
        if let Some(path) = text.strip_prefix(SOCKET) {
            // `unix:///path` is another way to write it.
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            return Ok(Self {
                headers,
                ..Self::to_socket(&path)?
            });
        }
        Ok(Self {
            headers,
            ..Self::to_address(text, connect.ca_file.clone())?
        })
    }

    /// To whoever serves at `text`, showing nothing.
    pub(super) fn anonymous(text: &str) -> Result<Self, ClientError> {
        Self::to_address(text, None)
    }

    fn to_address(text: &str, ca: Option<PathBuf>) -> Result<Self, ClientError> {
        let wrong = |problem: String| ClientError::Address(without_credentials(text), problem);
        let endpoint =
            Endpoint::parse(text).map_err(|_| wrong("that is no address of an agent".to_owned()))?;
        if endpoint.has_path() || endpoint.url().query().is_some() {
            return Err(wrong("it has a path".to_owned()));
        }
        let access = Access {
            ca,
            ..Access::default()
        };
        let client = http_client(&access, &endpoint).map_err(ClientError::Access)?;
        let base = endpoint.to_string().trim_end_matches('/').to_owned();
        Ok(Self {
            http: built(client)?,
            place: base.clone(),
            base,
            headers: HeaderMap::new(),
        })
    }

    /// To the agent that listens at the unix socket `path`.
    pub(super) fn to_socket(path: &Path) -> Result<Self, ClientError> {
        let endpoint = Endpoint::parse(AUTHORITY).map_err(|error| ClientError::Access(error.to_string()))?;
        let client = http_client(&Access::default(), &endpoint).map_err(ClientError::Access)?;
        Ok(Self {
            http: built(client.unix_socket(path))?,
            base: AUTHORITY.to_owned(),
            place: format!("{SOCKET}{}", path.display()),
            headers: HeaderMap::new(),
        })
    }

    /// Where the agent is, for a person.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Gets `path`.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, ClientError> {
        let request = self.http.get(format!("{}{path}", self.base));
        let failed = |error: reqwest::Error| ClientError::of(&self.place, &error, LONGEST);
        let response = request
            .headers(self.headers.clone())
            .send()
            .await
            .map_err(failed)?;
        let status = response.status().as_u16();
        if matches!(status, 401 | 403) {
            return Err(ClientError::forbidden(
                &self.place,
                status,
                !self.headers.is_empty(),
            ));
        }
        let no_agent = |problem: String| ClientError::NoAgent {
            place: self.place.clone(),
            path: path.to_owned(),
            problem,
        };
        let Some(body) = read(response).await.map_err(failed)? else {
            return Err(no_agent(format!("the answer has more than {LONGEST_BODY} bytes")));
        };
        let text = String::from_utf8(body).map_err(|_| no_agent("the answer is no text".to_owned()))?;
        let json: Value = serde_json::from_str(&text)
            .map_err(|error| no_agent(format!("the answer ({status}) is no JSON ({error})")))?;
        Ok(Answer { status, json, text })
    }
}

/// What may be a URL, without a name and a password in it.
fn without_credentials(text: &str) -> String {
    let Some((before, host)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    match before.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…@{host}"),
        None => format!("…@{host}"),
    }
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ClientError> {
    builder
        .user_agent(concat!("gpulse/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECTING)
        .timeout(LONGEST)
        // An agent is asked itself: a proxy of the environment is one to the world outside.
        .no_proxy()
        .build()
        .map_err(|error| ClientError::Access(gpulse_exporters::chain(&error)))
}

/// Who asks.
fn headers(connect: &Connect) -> Result<HeaderMap, ClientError> {
    if connect.token_file.is_some() {
        let access = Access {
            token_file: connect.token_file.clone(),
            ..Access::default()
        };
        return access
            .headers()
            .map_err(|error| ClientError::Access(format!("--token-file {error}")));
    }
    let mut headers = HeaderMap::new();
    if let Some(token) = env::var_os(TOKEN).filter(|token| !token.is_empty()) {
        let value = token
            .to_str()
            .and_then(|token| HeaderValue::from_str(&format!("Bearer {}", token.trim())).ok());
        let mut value =
            value.ok_or_else(|| ClientError::Access(format!("{TOKEN} cannot be sent in a header")))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// The whole body; nothing if it is too long.
async fn read(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        for (text, said) in [
            ("http://gpu-1:8003/x", "http://gpu-1:8003/x"),
            ("http://ann:secret@gpu-1:8003", "http://…@gpu-1:8003"),
            ("http://ann:se@cret@gpu-1", "http://…@gpu-1"),
            ("ann:secret@gpu-1", "…@gpu-1"),
        ] {
            let Err(error) = Link::to_address(text, None) else {
                panic!("{text} is taken")
            };
            let error = error.to_string();
            assert!(
                error.contains(said) && !error.contains("secret") && !error.contains("cret@"),
                "{error}"
            );
        }
    }
}
