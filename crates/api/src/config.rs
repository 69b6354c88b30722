//! What the HTTP side can be told.

use std::time::Duration;

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
    /// How long a client may take to send the head of its first request.
    pub request_timeout: Duration,
    /// Origins whose pages may read the answers, or `*` for any. Empty: CORS is off.
    pub cors_origins: Vec<String>,
    /// Version of the agent.
    pub version: &'static str,
}
