//! The gate that every request passes: its size, its client's rate, its credentials.
//!
//! Without credentials to check, a request without a body on HTTP/1.1 costs a few comparisons here. What takes longer
//! is put into a future of its own: a password to verify, a body to wait for, a connection whose requests are counted.

use std::{io, net::IpAddr, rc::Rc, sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    dev::{Payload, ServiceRequest},
    http::{Version, header},
    web::Data,
};

use crate::{
    access::{self, Admission, Authentication, Look, Names, RateLimiter, Scopes, client_of},
    config::Security,
    listen::Connection,
    refusal,
    routes::root::prefers_html,
    state::State,
};

/// Bytes of a path with its query: room for `fields` with every key that there is.
const LONGEST_TARGET: usize = 32 * 1024;

/// Bytes of a body that a client may announce. No route for reading looks at one, and those for administration take a
/// few lines.
pub(crate) const LARGEST_BODY: usize = 64 * 1024;

/// Headers of a request, as actix-http has it for HTTP/1.1.
const MOST_HEADERS: usize = 96;

/// Bytes of these, as actix-http has it for HTTP/1.1.
const LARGEST_HEADERS: usize = 128 * 1024;

/// What is checked before a handler is asked.
pub(crate) struct Gate {
    authentication: Option<Authentication>,
    rate: Option<RateLimiter>,
    /// Those that clients on this host may ask for; not given: any.
    names: Option<Names>,
}

/// What becomes of a request.
pub(crate) enum Verdict {
    /// It is answered.
    Pass,
    /// It is not.
    Refuse(HttpResponse),
    /// It is answered, with some care.
    Attend(Attention),
    /// That depends on a password.
    Verify(access::Basic, Scopes, Option<Attention>),
}

/// Why a request needs some care.
pub(crate) struct Attention {
    /// Counted as long as the answer is under way.
    pub(crate) connection: Option<Rc<Connection>>,
    /// Whether something of it may be still to come.
    pub(crate) has_body: bool,
    /// Whether it is one of many on its connection.
    pub(crate) is_http2: bool,
}

impl Gate {
    /// Reads what it needs, and what will look whether that changes.
    ///
    /// # Errors
    ///
    /// If a file of credentials cannot be read.
    pub(crate) fn open(security: &Security) -> io::Result<(Self, Vec<Arc<dyn Look>>)> {
        let (authentication, looks) = if security.is_authenticating() {
            let (authentication, looks) = Authentication::open(&security.credentials)?;
            (Some(authentication), looks)
        } else {
            (None, Vec::new())
        };
        let gate = Self {
            authentication,
            rate: security.rate_limit.map(RateLimiter::new),
            names: security.host_names.as_deref().map(Names::new),
        };
        Ok((gate, looks))
    }

    /// What becomes of `request`.
    pub(crate) fn judge(&self, request: &ServiceRequest) -> Verdict {
        if let Some(refusal) = self.oversized(request) {
            return Verdict::Refuse(refusal);
        }
        if let Some(refusal) = self.too_often(request) {
            return Verdict::Refuse(refusal);
        }
        let path = request.match_info().as_str();
        if path == "/" && is_for_the_page(request) {
            return attended(request);
        }
        let Some(needed) = access::needed(path) else {
            return attended(request);
        };
        if access::is_admin(path) && access::is_from_elsewhere(request) {
            return Verdict::Refuse(refusal::from_elsewhere());
        }
        let Some(authentication) = &self.authentication else {
            // Whoever reaches an agent without authentication may read, and nothing else.
            if access::is_admin(path) {
                return Verdict::Refuse(refusal::closed());
            }
            if self
                .names
                .as_ref()
                .is_some_and(|names| names.are_missed_by(request))
            {
                return Verdict::Refuse(refusal::misdirected());
            }
            return attended(request);
        };
        let known = request
            .conn_data::<Rc<Connection>>()
            .map_or(Scopes::NONE, |connection| connection.scopes);
        if known.suffice(needed) {
            return attended(request);
        }
        match authentication.admit(request.headers(), client(request)) {
            Admission::Scopes(scopes) if scopes.and(known).suffice(needed) => attended(request),
            Admission::Scopes(_) => Verdict::Refuse(refusal::forbidden(needed)),
            Admission::Refused => Verdict::Refuse(self.unadmitted(
                known,
                needed,
                request.headers().contains_key(header::AUTHORIZATION),
            )),
            Admission::Busy => Verdict::Refuse(refusal::busy()),
            Admission::Ask(basic) => match attended(request) {
                Verdict::Attend(attention) => Verdict::Verify(basic, needed, Some(attention)),
                _ => Verdict::Verify(basic, needed, None),
            },
        }
    }

    /// Verifies a password; the refusal if it is wrong.
    pub(crate) async fn verify(
        &self,
        basic: access::Basic,
        needed: Scopes,
        client: Option<IpAddr>,
    ) -> Option<HttpResponse> {
        let authentication = self.authentication.as_ref()?;
        match authentication.verify(basic, client).await {
            Admission::Scopes(scopes) if scopes.suffice(needed) => None,
            Admission::Scopes(_) => Some(refusal::forbidden(needed)),
            Admission::Busy => Some(refusal::busy()),
            Admission::Refused | Admission::Ask(_) => Some(self.unadmitted(Scopes::NONE, needed, true)),
        }
    }

    /// Whoever is known already, by a certificate or the socket, and shows nothing more, may not do this; whoever is
    /// not known should say who it is.
    fn unadmitted(&self, known: Scopes, needed: Scopes, shows_credentials: bool) -> HttpResponse {
        if known != Scopes::NONE && !shows_credentials {
            return refusal::forbidden(needed);
        }
        let challenges = self.authentication.iter().flat_map(Authentication::challenges);
        refusal::unauthorized(challenges, shows_credentials)
    }

    fn too_often(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let wait = self.rate.as_ref()?.take(client(request)?).err()?;
        Some(refusal::too_often(wait))
    }

    fn oversized(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let target = request
            .uri()
            .path_and_query()
            .map_or(0, |target| target.as_str().len());
        if target > LONGEST_TARGET {
            return Some(refusal::target_too_long(LONGEST_TARGET));
        }
        // On HTTP/1.1 actix-http has counted the headers.
        if request.version() == Version::HTTP_2 {
            let headers = request.headers();
            let bytes: usize = headers
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len())
                .sum();
            if headers.len() > MOST_HEADERS || bytes > LARGEST_HEADERS {
                return Some(refusal::headers_too_large(MOST_HEADERS, LARGEST_HEADERS));
            }
        }
        if !matches!(request.parts().1, Payload::None) && announced(request) > LARGEST_BODY {
            return Some(refusal::body_too_large(LARGEST_BODY));
        }
        None
    }
}

/// Whose request this is; nobody's where it came over the unix socket.
pub(crate) fn client(request: &ServiceRequest) -> Option<IpAddr> {
    request.peer_addr().map(|peer| client_of(peer.ip()))
}

/// Whether a browser asks for the dashboard's page, which holds no data and asks for a token itself.
fn is_for_the_page(request: &ServiceRequest) -> bool {
    let state = request.app_data::<Data<State>>();
    state.is_some_and(|state| state.dashboard.is_some()) && prefers_html(request)
}

/// Whether `request` has a body that its connection has to be read for. On HTTP/2 each request has a stream of its own.
pub(crate) fn has_body(request: &ServiceRequest) -> bool {
    request.version() != Version::HTTP_2 && !matches!(request.parts().1, Payload::None)
}

/// The length of the body as the client gives it.
fn announced(request: &ServiceRequest) -> usize {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}

/// Passes `request`, with the care that it needs.
fn attended(request: &ServiceRequest) -> Verdict {
    let is_http2 = request.version() == Version::HTTP_2;
    if !is_http2 && !has_body(request) {
        return Verdict::Pass;
    }
    Verdict::Attend(Attention {
        connection: request.conn_data::<Rc<Connection>>().cloned(),
        // On HTTP/2 every request has a payload, and it is not said whether anything is in it.
        has_body: !is_http2 || !request.method().is_safe(),
        is_http2,
    })
}

/// How long a request with a body may take: a handler that waits for a body that does not come waits no longer.
pub(crate) const LONGEST_WITH_BODY: Duration = Duration::from_secs(30);
