//! The keys of the dashboard: whether it is served, and whom its page may ask beside this agent.

use gpulse_api::{DashboardLinks, check_origins, is_source};
use serde::{Deserialize, Serialize};

use super::{
    keys::{Key, key},
    schema::Violation,
};

/// More than anybody looks at in one table: larger fleets are for Prometheus.
const MOST_AGENTS: usize = 256;

/// How the dashboard is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dashboard {
    pub(crate) enabled: bool,
    pub(crate) agents: Vec<String>,
    pub(crate) allowed_agents: Vec<String>,
    pub(crate) prometheus: Option<String>,
}

/// The keys of `dashboard`.
pub(super) const DASHBOARD_KEYS: &[Key] = &[
    key(
        "dashboard.enabled",
        "`true` or `false`",
        "Whether browsers get the dashboard at `/`.",
    ),
    key(
        "dashboard.agents",
        "a list of origins such as `[\"https://gpu-2.example:8003\"]`",
        "Other agents that the dashboard's fleet view lists. Each of them has to name this agent's origin in its \
         `http.cors_origins`. Whoever can load the page sees these addresses.",
    ),
    key(
        "dashboard.allowed_agents",
        "a list of origins, also with a wildcard: `[\"https://*.example:8003\"]`",
        "Agents that a reader may add in the browser beside those: the page's Content-Security-Policy lets it ask no others.",
    ),
    key(
        "dashboard.prometheus",
        "an origin such as `https://prometheus.example:9090`",
        "A Prometheus that scrapes agents, and that the dashboard's fleet view asks for all of them. Not set: none.",
    ),
];

impl Default for Dashboard {
    fn default() -> Self {
        Self {
            enabled: true,
            agents: Vec::new(),
            allowed_agents: Vec::new(),
            prometheus: None,
        }
    }
}

impl Dashboard {
    /// Whom the page may ask; nothing if there is none.
    pub(crate) fn links(&self) -> Option<DashboardLinks> {
        self.enabled.then(|| DashboardLinks {
            agents: self.agents.clone(),
            allowed: self.allowed_agents.clone(),
            prometheus: self.prometheus.clone(),
        })
    }

    pub(super) fn check(&self) -> Result<(), Violation> {
        let violation = |key, problem| Err(Violation { key, problem });
        let many = self.agents.len() + self.allowed_agents.len();
        if many > MOST_AGENTS {
            let problem = format!(
                "there are {many} with dashboard.allowed_agents, and {MOST_AGENTS} are the most: name them by a wildcard, or ask a Prometheus"
            );
            return violation("dashboard.agents", problem);
        }
        for (key, origins) in [
            ("dashboard.agents", self.agents.as_slice()),
            ("dashboard.prometheus", self.prometheus.as_slice()),
        ] {
            if let Some(wrong) = origins.iter().find(|origin| !is_origin(origin)) {
                let problem = format!(
                    "{wrong:?} is no origin: write scheme, host in lower case and, unless it is the scheme's own, the \
                     port, without a slash at the end, such as \"https://gpu-2.example:8003\""
                );
                return violation(key, problem);
            }
        }
        match self.allowed_agents.iter().find(|source| !is_source(source)) {
            None => Ok(()),
            Some(wrong) => violation(
                "dashboard.allowed_agents",
                format!(
                    "{wrong:?} is neither an origin nor one with a wildcard, such as \"https://*.example:8003\""
                ),
            ),
        }
    }
}

/// Whether `text` is an origin as browsers write it, and can stand in a policy.
fn is_origin(text: &str) -> bool {
    is_source(text) && check_origins(std::slice::from_ref(&text.to_owned())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(agents: &[&str], allowed: &[&str], prometheus: Option<&str>) -> Dashboard {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Dashboard {
            enabled: true,
            agents: owned(agents),
            allowed_agents: owned(allowed),
            prometheus: prometheus.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn origins_are_taken_as_browsers_write_them() {
        let fine = with(
            &[
                "https://gpu-2.example:8003",
                "http://10.0.0.2:8003",
                "http://[::1]:8003",
            ],
            &["https://*.example:8003"],
            Some("https://prometheus.example"),
        );
        assert!(fine.check().is_ok());
    }

    #[test]
    fn what_would_widen_the_policy_or_never_match_is_refused_by_its_key() {
        for (wrong, key) in [
            (with(&["https://a; script-src *"], &[], None), "dashboard.agents"),
            (with(&["https://*.example"], &[], None), "dashboard.agents"),
            (with(&["*"], &[], None), "dashboard.agents"),
            (with(&["https://a/"], &[], None), "dashboard.agents"),
            (with(&["gpu-2:8003"], &[], None), "dashboard.agents"),
            (with(&["https://A"], &[], None), "dashboard.agents"),
            (with(&[], &["*"], None), "dashboard.allowed_agents"),
            (with(&[], &["https://a b"], None), "dashboard.allowed_agents"),
            (with(&[], &[], Some("https://a:443")), "dashboard.prometheus"),
        ] {
            assert_eq!(
                wrong.check().err().map(|violation| violation.key),
                Some(key),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn without_a_dashboard_nobody_is_asked() {
        let off = Dashboard {
            enabled: false,
            ..Dashboard::default()
        };
        assert_eq!(off.links(), None);
        assert_eq!(Dashboard::default().links(), Some(DashboardLinks::default()));
    }
}
