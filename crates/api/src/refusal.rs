//! Answers to requests that no handler sees: who asks may not, or asks too much.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{
        ConnectionType, StatusCode,
        header::{self, HeaderValue},
    },
};

use crate::{access::Scopes, problem::plain};

/// Who asks is not known.
pub(crate) fn unauthorized(
    challenges: impl Iterator<Item = HeaderValue>,
    shows_credentials: bool,
) -> HttpResponse {
    let detail = if shows_credentials {
        "These credentials are not valid"
    } else {
        "Credentials are needed"
    };
    let mut response = plain(StatusCode::UNAUTHORIZED, detail.to_owned());
    for challenge in challenges {
        response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Who asks may not do this.
pub(crate) fn forbidden(needed: Scopes) -> HttpResponse {
    let detail = format!("This needs a scope that these credentials do not have: {needed}");
    plain(StatusCode::FORBIDDEN, detail)
}

/// Nobody may do this, because nobody is asked who it is.
pub(crate) fn closed() -> HttpResponse {
    let detail = "Nobody may do this as long as no authentication is configured: auth.tokens_file, auth.users_file or \
                  tls.client_ca";
    plain(StatusCode::FORBIDDEN, detail.to_owned())
}

/// A browser asks, and the page that makes it is not the agent's.
pub(crate) fn from_elsewhere() -> HttpResponse {
    let detail = "A web page of another origin may not do this";
    plain(StatusCode::FORBIDDEN, detail.to_owned())
}

/// The client asks for a host that this one is not known to be.
pub(crate) fn misdirected() -> HttpResponse {
    let detail = "This agent is not known by the name in `Host`, and whoever is on this host may read: name it in \
                  http.allowed_hosts, or ask by an address";
    plain(StatusCode::MISDIRECTED_REQUEST, detail.to_owned())
}

/// The client asks more often than it may.
pub(crate) fn too_often(wait: Duration) -> HttpResponse {
    retry(StatusCode::TOO_MANY_REQUESTS, "This client asks too often", wait)
}

/// Too many passwords are being verified.
pub(crate) fn busy() -> HttpResponse {
    let wait = Duration::from_secs(1);
    retry(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many passwords are being verified",
        wait,
    )
}

fn retry(status: StatusCode, detail: &str, wait: Duration) -> HttpResponse {
    let mut response = plain(status, detail.to_owned());
    let seconds = wait.as_secs().saturating_add(1).min(3600);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// Path and query are too long.
pub(crate) fn target_too_long(most: usize) -> HttpResponse {
    plain(
        StatusCode::URI_TOO_LONG,
        format!("Path and query are longer than {most} bytes"),
    )
}

/// The headers are too many or too long.
pub(crate) fn headers_too_large(most: usize, bytes: usize) -> HttpResponse {
    let detail = format!("There are more than {most} headers, or they are longer than {bytes} bytes");
    plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
}

/// The body is too long.
pub(crate) fn body_too_large(most: usize) -> HttpResponse {
    closing(plain(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("The body is longer than {most} bytes"),
    ))
}

/// The body did not come.
pub(crate) fn body_too_slow() -> HttpResponse {
    plain(
        StatusCode::REQUEST_TIMEOUT,
        "The body did not come in time".to_owned(),
    )
}

/// The last answer on its connection: what the client still sends is not waited for.
fn closing(mut response: HttpResponse) -> HttpResponse {
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}
