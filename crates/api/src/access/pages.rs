//! What web pages make browsers do that have no business here.
//!
//! A browser sends a form to wherever a page says, and adds the name and the password that its user once typed in. And a page
//! whose name is made to lead to 127.0.0.1 counts as one of the agent's own: it reads what this host alone may read.

use std::net::IpAddr;

use actix_web::{
    dev::ServiceRequest,
    http::header::{self, HeaderMap, HeaderName},
};

/// Where a page that makes a browser ask comes from, as browsers say it.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The name that leads to this host everywhere.
const LOCAL: &str = "localhost";

/// In a list of names: whatever name.
const ANY: &str = "*";

/// Names of this agent that somebody else's page cannot have.
#[derive(Debug)]
pub(crate) struct Names(Vec<String>);

impl Names {
    /// Those of `listed` beside those that nobody can make lead here.
    pub(crate) fn new(listed: &[String]) -> Self {
        Self(
            listed
                .iter()
                .map(|name| bare(name).to_ascii_lowercase())
                .collect(),
        )
    }

    /// Whether `request` comes from this host, and names another one that it wants to ask.
    pub(crate) fn are_missed_by(&self, request: &ServiceRequest) -> bool {
        let peer = request.peer_addr();
        peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
            && authority(request).is_some_and(|authority| !self.have(authority))
    }

    fn have(&self, authority: &str) -> bool {
        let name = bare(authority);
        // A name without a dot is given by nobody but this network.
        let is_safe = !name.contains('.') || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let is_local = || {
            name.rsplit('.')
                .next()
                .is_some_and(|last| last.eq_ignore_ascii_case(LOCAL))
        };
        let is_listed = |listed: &String| listed == ANY || listed.eq_ignore_ascii_case(name);
        is_safe || is_local() || self.0.iter().any(is_listed)
    }
}

/// Whether a page of another origin makes a browser send `request`. Clients that are no browsers say nothing of this.
pub(crate) fn is_from_elsewhere(request: &ServiceRequest) -> bool {
    is_foreign(request.headers(), authority(request))
}

fn is_foreign(headers: &HeaderMap, authority: Option<&str>) -> bool {
    // It is the browser's own judgement, and right behind a proxy that changes the host's name as well.
    if let Some(site) = headers.get(FETCH_SITE) {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    headers.get_all(header::ORIGIN).any(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        let same = origin.zip(authority);
        !same.is_some_and(|((_, origin), authority)| origin.eq_ignore_ascii_case(authority))
    })
}

/// The host that `request` wants to ask, with the port.
fn authority(request: &ServiceRequest) -> Option<&str> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(header::HOST)?.to_str().ok(),
    }
}

/// A host without its port, and without the dot that ends a name.
fn bare(authority: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (!host.contains(':') || host.ends_with(']')) => host,
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn names_that_anybody_can_make_lead_here_are_not_the_agents() {
        let names = Names::new(&[
            "gpu-1.example".to_owned(),
            "GPU-2.example:8003".to_owned(),
            String::new(),
        ]);
        for own in [
            "127.0.0.1:8003",
            "127.0.0.1",
            "10.1.2.3:80",
            "[::1]:8003",
            "[::1]",
            "[::ffff:127.0.0.1]:1",
            "localhost:8003",
            "LOCALHOST",
            "localhost.:8003",
            "gpulse.localhost:8003",
            "gpu-7:8003",
            "x",
            "",
            "gpu-1.example:8003",
            "Gpu-1.Example.",
            "gpu-2.example",
        ] {
            assert!(names.have(own), "{own}");
        }
        for foreign in [
            "evil.example:8003",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1.nip.io:8003",
            "gpu-1.example.evil.example",
            "sub.gpu-1.example",
            "evil.example.:8003",
        ] {
            assert!(!names.have(foreign), "{foreign}");
        }
        assert!(Names::new(&["*".to_owned()]).have("evil.example"));
    }

    #[test]
    fn pages_of_other_origins_are_told_from_clients_that_are_no_browsers() {
        let asked = |lines: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            is_foreign(&headers, Some("gpu-1:8003"))
        };
        assert!(!asked(&[]));
        assert!(!asked(&[("origin", "http://gpu-1:8003")]) && !asked(&[("origin", "https://GPU-1:8003")]));
        assert!(!asked(&[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://proxy")
        ]));
        assert!(!asked(&[("sec-fetch-site", "none")]));
        for site in ["cross-site", "same-site", "", "Same-Origin"] {
            assert!(asked(&[("sec-fetch-site", site)]), "{site}");
        }
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://gpu-1",
            "http://gpu-1:80",
            "gpu-1:8003",
        ] {
            assert!(asked(&[("origin", origin)]), "{origin}");
        }
        assert!(asked(&[
            ("origin", "http://gpu-1:8003"),
            ("origin", "http://evil.example")
        ]));
    }
}
