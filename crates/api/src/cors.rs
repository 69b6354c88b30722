//! Which pages of other origins may read the answers. Off unless configured, and never with credentials.

use std::io;

use actix_cors::Cors;
use actix_web::{
    http::{Method, Uri, header},
    middleware::Condition,
};

use crate::{request_log::REQUEST_ID, routes::newer::GENERATION, stream::LAST_EVENT_ID};

/// Any origin.
const ANY: &str = "*";

/// How long a browser may remember the answer to its preflight request, in seconds.
const MAX_AGE: usize = 3600;

/// Fails on the first of `origins` that no browser would ever send.
///
/// # Errors
///
/// With what to write instead.
pub fn check_origins(origins: &[String]) -> io::Result<()> {
    match origins.iter().find(|origin| *origin != ANY && !is_origin(origin)) {
        None => Ok(()),
        Some(wrong) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "CORS origin {wrong:?} is none: write scheme, host in lower case and, unless it is the scheme's own, \
                 the port, without a slash at the end, such as \"https://grafana.example.org\" or \
                 \"http://localhost:3000\", or \"*\" for any"
            ),
        )),
    }
}

/// The middleware that lets `origins` in; switched off if there are none.
pub(crate) fn layer(origins: &[String]) -> Condition<Cors> {
    Condition::new(!origins.is_empty(), allowing(origins))
}

fn allowing(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::HEAD])
        .allowed_headers([
            header::AUTHORIZATION,
            header::IF_NONE_MATCH,
            LAST_EVENT_ID,
            REQUEST_ID,
        ])
        .expose_headers([header::ETAG, REQUEST_ID, GENERATION])
        .max_age(MAX_AGE);
    if origins.iter().any(|origin| origin == ANY) {
        return cors.allow_any_origin().send_wildcard();
    }
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Whether a browser would write an origin this way.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let own_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    !authority.as_str().contains(['@', '*'])
        && authority.port_u16() != Some(own_port)
        && text == format!("{scheme}://{authority}").to_ascii_lowercase()
}
