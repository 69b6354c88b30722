//! Why there is no answer, and what to do about it.

use std::{error::Error, io, time::Duration};

use gpulse_exporters::chain;

/// Why an agent cannot be asked, or does not answer. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// A signal asked the command for its end; its name.
    #[error("ended by {0}")]
    Ended(&'static str),
    /// The address is none.
    #[error("--connect {0}: {1}; write http://HOST:PORT, https://HOST:PORT or unix:PATH")]
    Address(String, String),
    /// What is to be sent or trusted cannot be read or used.
    #[error("{0}")]
    Access(String),
    /// There is no connection, or no answer on it.
    #[error("{place}: {problem}")]
    Connection { place: String, problem: String },
    /// 401 or 403.
    #[error("{place}: {problem}")]
    Forbidden { place: String, problem: String },
    /// What came is not what an agent sends.
    #[error("{place}{path}: {problem}: is that a gpulse agent?")]
    NoAgent {
        place: String,
        path: String,
        problem: String,
    },
}

impl ClientError {
    /// What `error` of a connection to `place` means.
    pub(super) fn of(place: &str, error: &reqwest::Error, longest: Duration) -> Self {
        Self::Connection {
            place: place.to_owned(),
            problem: problem(place, &chain(error), kind(error), error.is_timeout(), longest),
        }
    }

    /// What the statuses 401 and 403 mean.
    pub(super) fn forbidden(place: &str, status: u16, has_token: bool) -> Self {
        let problem = match (status, has_token) {
            (401, false) => {
                "the agent wants to know who asks: name a file with a token by --token-file, or set GPULSE_TOKEN \
                 (`gpulse token` makes tokens)"
            }
            (401, true) => {
                "the agent does not know this token: is its line in the file of auth.tokens_file there?"
            }
            _ => "this token may not read that: `gpulse token --scopes read` makes one that may",
        };
        Self::Forbidden {
            place: place.to_owned(),
            problem: problem.to_owned(),
        }
    }
}

/// The kind of the error of the operating system below `error`.
fn kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .find(|kind| *kind != io::ErrorKind::Other)
}

/// A sentence for a person. What TLS complains of has no type that is known here: its words are looked at.
fn problem(
    place: &str,
    causes: &str,
    kind: Option<io::ErrorKind>,
    is_timeout: bool,
    longest: Duration,
) -> String {
    let says = |words: &str| causes.contains(words);
    let is_encrypted = place.starts_with("https:");
    let is_socket = place.starts_with("unix:");
    match kind {
        _ if says("NotValidForName") || says("not valid for name") => format!(
            "its certificate is for another name ({causes}): connect by a name that stands in the certificate"
        ),
        _ if says("UnknownIssuer") => format!(
            "its certificate is from an authority that is not trusted here ({causes}): name the authority's file by --ca-file"
        ),
        _ if says("CertificateRequired") || says("certificate required") => {
            "the agent asks for a certificate of the client (tls.client_ca), and this command has none: connect over its \
             http.unix_socket instead"
                .to_owned()
        }
        _ if says("invalid peer certificate") => format!("its certificate cannot be trusted: {causes}"),
        _ if says("corrupt message") => "it does not speak TLS: try http://".to_owned(),
        Some(io::ErrorKind::NotFound) if is_socket => {
            "there is no such socket: http.unix_socket of the agent says where it is".to_owned()
        }
        Some(io::ErrorKind::PermissionDenied) => {
            "this user may not open the socket: it takes the group of http.unix_socket_group, or root".to_owned()
        }
        Some(io::ErrorKind::ConnectionRefused) => {
            "nobody listens there: start an agent (`gpulse serve`), or name where one serves by --connect".to_owned()
        }
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) if !is_encrypted && !is_socket => {
            format!("it closed the connection ({causes}): try https://")
        }
        _ if is_timeout => format!("it did not answer within {longest:?}"),
        _ if says("dns error") => format!("there is no such host: {causes}"),
        _ if !is_encrypted && !is_socket && (says("invalid HTTP") || says("connection closed")) => {
            format!("it does not speak plain HTTP ({causes}): try https://")
        }
        _ => causes.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(place: &str, causes: &str, kind: Option<io::ErrorKind>) -> String {
        problem(place, causes, kind, false, Duration::from_secs(1))
    }

    #[test]
    fn each_failure_says_what_to_do() {
        use io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied};
        for (place, causes, kind, advice) in [
            ("http://a:1", "refused", Some(ConnectionRefused), "gpulse serve"),
            ("unix:/run/x", "no such file", Some(NotFound), "http.unix_socket"),
            (
                "unix:/run/x",
                "denied",
                Some(PermissionDenied),
                "http.unix_socket_group",
            ),
            (
                "https://a:1",
                "invalid peer certificate: UnknownIssuer",
                None,
                "--ca-file",
            ),
            (
                "https://a:1",
                "invalid peer certificate: certificate not valid for name \"a\"",
                None,
                "by a name",
            ),
            (
                "https://a:1",
                "received corrupt message of type InvalidContentType",
                None,
                "http://",
            ),
            ("http://a:1", "invalid HTTP version parsed", None, "https://"),
        ] {
            let said = said(place, causes, kind);
            assert!(said.contains(advice), "{causes}: {said}");
        }
        assert_eq!(said("http://a:1", "something else", None), "something else");
    }

    #[test]
    fn a_token_that_is_missing_is_told_from_one_that_is_unknown() {
        let said = |status, has_token| ClientError::forbidden("http://a", status, has_token).to_string();
        assert!(said(401, false).contains("--token-file"));
        assert!(said(401, true).contains("auth.tokens_file"));
        assert!(said(403, true).contains("--scopes read"));
    }
}
