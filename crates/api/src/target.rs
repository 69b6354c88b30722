//! Where scrapers find this agent, as Prometheus wants to be told.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// An entry of Prometheus' service discovery, in a file (`file_sd`) as over HTTP (`http_sd`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Target)]
pub struct ScrapeTarget {
    /// Hosts with ports: one, this agent's.
    targets: Vec<String>,
    /// What is said of it: `node` and `agent_id`, and with TLS `__scheme__`.
    labels: BTreeMap<&'static str, String>,
}

impl ScrapeTarget {
    /// The agent at `address`, a host with a port.
    pub fn new(address: String, node: &str, agent_id: &str, is_tls: bool) -> Self {
        let scheme = if is_tls { "https" } else { "" };
        let labels = [("node", node), ("agent_id", agent_id), ("__scheme__", scheme)];
        let said = labels.into_iter().filter(|(_, value)| !value.is_empty());
        Self {
            targets: vec![address],
            labels: said.map(|(name, value)| (name, value.to_owned())).collect(),
        }
    }

    /// The file that Prometheus reads: a list of these.
    ///
    /// # Errors
    ///
    /// None that is known of: it consists of texts.
    pub fn to_file(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(&[self])? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_prometheus_reads() {
        let plain = ScrapeTarget::new("gpu-1:8003".to_owned(), "gpu-1", "a", false);
        assert_eq!(
            serde_json::to_string(&plain).unwrap(),
            r#"{"targets":["gpu-1:8003"],"labels":{"agent_id":"a","node":"gpu-1"}}"#
        );
        let secret = ScrapeTarget::new("gpu-1:8003".to_owned(), "", "a", true);
        assert_eq!(
            serde_json::to_string(&secret).unwrap(),
            r#"{"targets":["gpu-1:8003"],"labels":{"__scheme__":"https","agent_id":"a"}}"#
        );
        assert!(plain.to_file().unwrap().starts_with("[\n"));
    }
}
