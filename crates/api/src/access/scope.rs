//! What may be done, and what a path asks for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Below this path the agent is told to do something.
const ADMIN: &str = "/api/v1/admin";

/// Below this path lie the files of the dashboard.
const DASHBOARD: &str = "/ui/";

/// One thing that may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Read everything there is.
    Read,
    /// Read `/metrics` and nothing else.
    Metrics,
    /// Tell the agent to do something.
    Admin,
}

/// A set of things that may be done.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scope {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Read, Self::Metrics, Self::Admin];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Metrics => "metrics",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Metrics => 2,
            Self::Admin => 4,
        }
    }
}

impl Scopes {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// What somebody may do whom the host itself lets in: the peers of a unix socket, and by default those who show a
    /// client certificate.
    pub const READER: Self = Self(Scope::Read.bit() | Scope::Metrics.bit());

    /// Whether `scope` is among them.
    pub const fn contain(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether any of `needed` is among them.
    pub(crate) const fn suffice(self, needed: Self) -> bool {
        self.0 & needed.0 != 0
    }

    /// These and those.
    #[must_use]
    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

/// What `path` asks for: any of these scopes, or nothing at all.
///
/// `path` is the one that the router compares, with percent-encoding undone: what is asked for and what answers can
/// then not differ.
pub(crate) fn needed(path: &str) -> Option<Scopes> {
    match path {
        // Kubernetes probes have no credentials.
        "/health/live" | "/health/ready" => None,
        // The files of the dashboard hold no data, and its page has to be there to ask for a token.
        path if path.starts_with(DASHBOARD) => None,
        "/metrics" => Some(Scopes::READER),
        path if is_admin(path) => Some(Scopes(Scope::Admin.bit())),
        _ => Some(Scopes(Scope::Read.bit())),
    }
}

/// Whether the agent is told to do something there.
pub(crate) fn is_admin(path: &str) -> bool {
    path.strip_prefix(ADMIN)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A word that is no scope.
#[derive(Debug, PartialEq, Eq)]
pub struct NoScope;

impl fmt::Display for NoScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scopes are `read`, `metrics` and `admin`, separated by commas")
    }
}

impl std::error::Error for NoScope {}

impl FromStr for Scopes {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        text.split(',')
            .map(|word| {
                Scope::ALL
                    .into_iter()
                    .find(|scope| scope.as_str() == word)
                    .ok_or(NoScope)
            })
            .collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for scope in Scope::ALL.into_iter().filter(|scope| self.contain(*scope)) {
            write!(f, "{separator}{}", scope.as_str())?;
            separator = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for text in ["read", "metrics", "admin", "read,metrics", "read,metrics,admin"] {
            assert_eq!(text.parse::<Scopes>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "write",
            "read,",
            ",read",
            "read metrics",
            "Read",
            "read,,admin",
        ] {
            assert_eq!(text.parse::<Scopes>(), Err(NoScope), "{text:?}");
        }
    }

    #[test]
    fn only_the_probes_and_the_files_of_the_dashboard_ask_for_nothing() {
        for path in ["/health/live", "/health/ready", "/ui/main.js", "/ui/core/dom.js"] {
            assert_eq!(needed(path), None);
        }
        for path in [
            "/",
            "/health",
            "/health/",
            "/health/live/",
            "/health/detailed",
            "/docs",
            "/ui",
            "/uii/main.js",
            "/openapi.json",
            "/x",
            "",
        ] {
            assert_eq!(needed(path), Some(Scopes(1)), "{path}");
        }
    }

    #[test]
    fn the_agent_is_told_what_to_do_by_admins_only() {
        for path in ["/api/v1/admin", "/api/v1/admin/", "/api/v1/admin/park"] {
            let needed = needed(path).unwrap();
            assert!(!Scopes::READER.suffice(needed), "{path}");
            assert!("admin".parse::<Scopes>().unwrap().suffice(needed), "{path}");
        }
        assert!(Scopes::READER.suffice(needed("/api/v1/administrators").unwrap()));
    }

    #[test]
    fn a_scraper_reads_metrics_only() {
        let scraper: Scopes = "metrics".parse().unwrap();
        assert!(scraper.suffice(needed("/metrics").unwrap()));
        assert!(!scraper.suffice(needed("/gpu/metrics").unwrap()));
        assert!(
            "read"
                .parse::<Scopes>()
                .unwrap()
                .suffice(needed("/metrics").unwrap())
        );
    }
}
