//! Where is pushed to.

use std::fmt;

use reqwest::Url;

/// The address of a receiver: `http` or `https`, without credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// A text that is no such address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL.
    #[error("it is no URL: {0}; write it like http://collector.example:4317")]
    NoUrl(String),
    /// It is one of another kind.
    #[error("`{0}:` cannot be pushed to: write http:// or https://")]
    Scheme(String),
    /// It has a name or a password in it, which everybody sees who sees the configuration.
    #[error("there are credentials in it: put them into files, which the keys beside it name")]
    Credentials,
}

impl Endpoint {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// If it is none, or contains credentials.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text).map_err(|error| EndpointError::NoUrl(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(EndpointError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        Ok(Self(url))
    }

    /// The same with `path` if it has none of its own.
    pub(crate) fn or_path(mut self, path: &str) -> Self {
        if !self.has_path() {
            self.0.set_path(path);
        }
        self
    }

    /// Whether it says more than where the receiver is.
    pub fn has_path(&self) -> bool {
        self.0.path() != "/"
    }

    /// Whether what is sent there is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is this host.
    pub fn is_local(&self) -> bool {
        match self.0.host_str() {
            Some("localhost") => true,
            Some(host) => host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|address: std::net::IpAddr| address.is_loopback()),
            None => false,
        }
    }

    /// The address itself.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

/// Without its query, in which some receivers want a key.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.query().is_none() {
            return self.0.fmt(f);
        }
        let mut shown = self.0.clone();
        shown.set_query(None);
        write!(f, "{shown}?…")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_pushed_to_is_refused_with_what_to_do() {
        for (text, says) in [
            ("collector:4317", "http://"),
            ("ftp://collector", "http://"),
            ("http://", "http://collector"),
            ("4317", "http://collector"),
            ("https://me:secret@collector", "files"),
        ] {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_key_in_its_query_is_not_shown() {
        let endpoint = Endpoint::parse("https://collector/push?key=secret").unwrap();
        for shown in [endpoint.to_string(), format!("{endpoint:?}")] {
            assert!(shown.contains("https://collector/push"), "{shown}");
            assert!(!shown.contains("secret"), "{shown}");
        }
        assert_eq!(endpoint.url().as_str(), "https://collector/push?key=secret");
    }

    #[test]
    fn a_path_is_given_only_where_there_is_none() {
        let with = |text: &str| Endpoint::parse(text).unwrap().or_path("/v1/metrics").to_string();
        assert_eq!(with("http://a:4318"), "http://a:4318/v1/metrics");
        assert_eq!(with("http://a/otlp/v1/metrics"), "http://a/otlp/v1/metrics");
    }

    #[test]
    fn this_host_is_known() {
        let local = |text: &str| Endpoint::parse(text).unwrap().is_local();
        assert!(local("http://localhost:1") && local("http://127.0.0.2:1") && local("http://[::1]:1"));
        assert!(!local("http://collector:1") && !local("https://10.0.0.1"));
    }
}
