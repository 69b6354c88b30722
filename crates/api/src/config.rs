//! What the HTTP side can be told.

use std::{num::NonZeroUsize, time::Duration};

use gpulse_dashboard::Links;
use gpulse_exporters::Profiles;

use crate::{
    access::{CredentialFiles, RateLimit},
    listen::TlsFiles,
    target::ScrapeTarget,
};

/// What the HTTP side can be told.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// Name of this agent, sent as `instance_id` and `agent_id`.
    pub agent_id: String,
    /// Threads that answer requests; at least one is started.
    pub workers: usize,
    /// Connections that may be open at once, all workers together; further ones wait to be accepted.
    pub max_connections: usize,
    /// How long a connection may stay idle between two requests.
    pub keep_alive: Duration,
    /// How long a client may take to send a request once it has begun, and for the TLS handshake.
    pub request_timeout: Duration,
    /// Origins whose pages may read the answers, or `*` for any. Empty: CORS is off.
    pub cors_origins: Vec<String>,
    /// How often GPUs are read.
    pub sampling_interval: Duration,
    /// Version of the agent.
    pub version: &'static str,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// Where scrapers find this agent; none if no address is served.
    pub target: Option<ScrapeTarget>,
    /// Who may read, and how much.
    pub security: Security,
    /// Whom the dashboard may ask beside this agent; no dashboard is served if not given.
    pub dashboard: Option<Links>,
}

/// What `/metrics` shows.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// The naming profiles that are shown to who does not ask for others; at least one.
    pub profiles: Profiles,
    /// The name of this node, for profiles that label series with it.
    pub node: String,
    /// Whether each process has series of its own.
    pub per_process: bool,
    /// Whether counters say since when they count, in OpenMetrics.
    pub created: bool,
}

/// Who may read, and how much. By default everybody who can connect.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// Serve the addresses by TLS.
    pub tls: Option<TlsFiles>,
    /// Bearer tokens and users.
    pub credentials: CredentialFiles,
    /// Names of this host, beside those that nobody else can make lead here; `*` for any. Clients on this host that ask for another
    /// one are refused where nobody has to say who they are. Not given: any name, as where clients on other hosts read as well.
    pub host_names: Option<Vec<String>>,
    /// How often each client may ask; unlimited if not given.
    pub rate_limit: Option<RateLimit>,
    /// Connections that each client may have open; unlimited if not given.
    pub connections_per_client: Option<NonZeroUsize>,
}

impl Security {
    /// Whether clients have to say who they are.
    pub fn is_authenticating(&self) -> bool {
        let certificates = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        certificates || self.credentials != CredentialFiles::default()
    }
}
