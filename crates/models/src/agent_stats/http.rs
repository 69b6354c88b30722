//! Requests and connections, as far as the agent's own server sees them.

use serde::Serialize;

/// The name of all paths that no route answers.
pub const OTHER_ROUTE: &str = "other";

/// What came over HTTP. Requests that are no HTTP end below it and are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HttpStats {
    /// Answers that were given, those of the gate included (401, 403, 413, 429 …). Only those that there were, in the order
    /// of the routes' table.
    pub requests: Vec<RequestCount>,
    /// Requests that are being answered at this moment, up to where the answer's head is made.
    pub in_flight: u64,
    /// Requests whose client went away before there was an answer.
    pub abandoned: u64,
    /// Bytes that were handed to the kernel, heads included, and within TLS.
    pub bytes_sent: u64,
    /// Connections.
    pub connections: ConnectionStats,
}

/// Answers of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RequestCount {
    /// The route's template, such as `/api/v1/gpus/{gpu}`; [`OTHER_ROUTE`] for paths that have none.
    pub route: &'static str,
    /// How it was asked.
    pub method: HttpMethod,
    /// The status; nothing where it is none that the agent knows of.
    pub status: Option<u16>,
    /// How many.
    pub count: u64,
}

/// A method, as far as they are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpMethod {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `OPTIONS`
    Options,
    /// Any other.
    Other,
}

impl HttpMethod {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Get, Self::Head, Self::Post, Self::Options, Self::Other];

    /// As it is written in a request; `other` for the rest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Options => "OPTIONS",
            Self::Other => "other",
        }
    }
}

/// Connections. While there are as many as may be (`http.max_connections`), further ones wait in the kernel, where nobody
/// counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConnectionStats {
    /// Those that were taken in.
    pub accepted: u64,
    /// Those of them that are open at this moment.
    pub open: u64,
    /// Those that were closed at once, since their client has as many as it may have.
    pub refused: u64,
    /// Those whose TLS handshake failed, or did not end in time.
    pub handshakes_failed: u64,
    /// Those that were cut, since their peer did not do its part.
    pub cut: u64,
}

/// Streams of snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StreamStats {
    /// Those that are open at this moment.
    pub open: u64,
    /// Snapshots that they were sent.
    pub snapshots: u64,
    /// Snapshots that were due and that their client did not take in time, so that it got a later one in their place.
    pub skipped: u64,
}
