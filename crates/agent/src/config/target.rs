//! Where scrapers find the agent, and who it is to them and to receivers.

use std::net::SocketAddr;

use gpulse_api::ScrapeTarget;

use super::{Config, addresses::is_exposed};

impl Config {
    /// The agent as a target of scrapers, if it serves on `addresses` or the configuration names one; none that serves on a
    /// unix socket only.
    pub(crate) fn target(&self, addresses: &[SocketAddr]) -> Option<ScrapeTarget> {
        let node = self.metrics.node();
        let address = self.metrics.target.clone().or_else(|| {
            let exposed = addresses.iter().find(|address| is_exposed(**address));
            exposed
                .or(addresses.first())
                .map(|address| named(*address, &node))
        });
        let is_tls = self.security().tls.is_some();
        let agent = if self.is_named() { &self.agent_id } else { "" };
        address.map(|address| ScrapeTarget::new(address, &node, agent, is_tls))
    }

    /// What tells the agent from others to receivers that it pushes to: its own name, or its node's where nobody gave it one.
    pub(crate) fn instance(&self) -> String {
        let node = self.metrics.node();
        if self.is_named() || node.is_empty() {
            return self.agent_id.clone();
        }
        node
    }

    /// Whether the agent has a name of its own: all have the default.
    fn is_named(&self) -> bool {
        self.agent_id != Self::default().agent_id
    }

    /// What is wrong with [`Self::target`] if it is told from `bind` alone; nothing usually.
    pub(crate) fn target_warning(&self) -> Option<String> {
        if self.metrics.target.is_some() {
            return None;
        }
        let Some(first) = self.bind.exposed().or(self.bind.0.first().copied()) else {
            return Some("it serves on no address: set bind or metrics.target".to_owned());
        };
        if first.port() == 0 {
            let advice =
                "port 0 is any free one: set bind or metrics.target, or ask /api/v1/targets of the agent";
            return Some(advice.to_owned());
        }
        (!is_exposed(first))
            .then(|| format!("{first} is reached from this host only: set bind or metrics.target for others"))
    }
}

/// All addresses of a host are reached by its name.
fn named(address: SocketAddr, node: &str) -> String {
    match node {
        node if address.ip().is_unspecified() && !node.is_empty() => format!("{node}:{}", address.port()),
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(bind: &str, target: Option<&str>) -> (String, Option<String>) {
        let mut config = Config {
            bind: serde_json::from_str(bind).unwrap(),
            ..Config::default()
        };
        config.metrics.node = Some("gpu-1".to_owned());
        config.metrics.target = target.map(str::to_owned);
        let found = config.target(&config.bind.0);
        (
            serde_json::to_value(found).unwrap()["targets"][0].to_string(),
            config.target_warning(),
        )
    }

    #[test]
    fn an_agent_that_nobody_named_goes_by_the_name_of_its_node() {
        let mut config = Config::default();
        config.metrics.node = Some("gpu-1".to_owned());
        assert_eq!(config.instance(), "gpu-1");
        let labels = |config: &Config| {
            serde_json::to_value(config.target(&config.bind.0)).unwrap()["labels"].to_string()
        };
        assert_eq!(labels(&config), r#"{"node":"gpu-1"}"#);
        config.agent_id = "trainer".to_owned();
        assert_eq!(config.instance(), "trainer");
        assert_eq!(labels(&config), r#"{"agent_id":"trainer","node":"gpu-1"}"#);
        config = Config::default();
        config.metrics.node = Some(String::new());
        assert_eq!(config.instance(), config.agent_id);
    }

    #[test]
    fn a_host_is_found_by_its_name_or_by_an_address_that_others_reach() {
        for (bind, wanted, found) in [
            (r#""0.0.0.0:8003""#, None, "gpu-1:8003"),
            (r#"["[::]:1"]"#, None, "gpu-1:1"),
            (r#"["127.0.0.1:1","10.0.0.7:2"]"#, None, "10.0.0.7:2"),
            (r#"["[fe80::1]:2"]"#, None, "[fe80::1]:2"),
            (r#""0.0.0.0:8003""#, Some("gpus.example:443"), "gpus.example:443"),
            ("[]", Some("gpus.example:443"), "gpus.example:443"),
        ] {
            assert_eq!(target(bind, wanted), (format!("\"{found}\""), None), "{bind}");
        }
    }

    #[test]
    fn what_others_do_not_reach_is_said() {
        for bind in [r#""127.0.0.1:8003""#, r#""0.0.0.0:0""#, "[]"] {
            let (_, warning) = target(bind, None);
            assert!(
                warning.is_some_and(|text| text.contains("metrics.target")),
                "{bind}"
            );
        }
        assert_eq!(target("[]", None).0, "null");
    }
}
