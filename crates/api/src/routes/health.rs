//! `/health/…`: how the agent is doing. Made for each request, since age and uptime are of now.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use gpulse_models::{HostSnapshot, Timestamp, microseconds};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{respond, state::State};

mod components;
mod inventory;
pub(crate) use components::Components;

/// How the agent is doing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health<'a> {
    /// `healthy`, or `degraded` if NVML cannot be used, a GPU is not `ok`, or one is missing that the machine should have.
    status: HealthStatus,
    /// When this was answered.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// The configured agent id.
    agent_id: &'a str,
    /// Always `resource`.
    agent_type: &'static str,
    /// Version of the agent.
    version: &'static str,
    /// Seconds since the agent began to answer.
    #[schema(minimum = 0.0)]
    uptime_seconds: f64,
}

/// Whether all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HealthStatus {
    /// NVML answers, every GPU is `ok`, and none is known to be missing.
    Healthy,
    /// NVML cannot be used, a GPU is not `ok`, or one is missing that the machine should have.
    Degraded,
}

/// How the agent is doing, part by part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DetailedHealth<'a> {
    #[serde(flatten)]
    health: Health<'a>,
    /// The parts.
    components: Components,
    /// Counts.
    metrics: HealthMetrics,
}

/// Counts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthMetrics {
    /// GPUs of the roster.
    gpu_count: usize,
    /// Those whose state is `ok`.
    gpus_ok: usize,
    /// Those that have a sample to show.
    gpus_with_sample: usize,
    /// Number of the latest snapshot of the host.
    #[schema(minimum = 0)]
    generation: u64,
    /// Requests received since the start, this one included.
    #[schema(minimum = 0)]
    requests_total: u64,
}

/// Whether there is an answer to give.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Every GPU of the roster was heard of once, or NVML is known to be absent.
    ready: bool,
}

/// Whether the agent lives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Liveness {
    /// Always true: a dead agent does not answer.
    alive: bool,
}

/// How the agent is doing
///
/// Always 200: the agent answers, whatever its GPUs do.
#[utoipa::path(
    get,
    path = "/health/",
    operation_id = "health",
    tag = "health",
    responses((status = 200, description = "How the agent is doing", body = Health)),
)]
pub(crate) async fn health(state: Data<State>) -> HttpResponse {
    let host = state.cache.host();
    respond::fresh(StatusCode::OK, &Health::of(&host, &state, Timestamp::now()))
}

/// How the agent is doing, part by part
#[utoipa::path(
    get,
    path = "/health/detailed",
    operation_id = "health_detailed",
    tag = "health",
    responses((status = 200, description = "How the agent and its parts are doing", body = DetailedHealth)),
)]
pub(crate) async fn detailed(state: Data<State>) -> HttpResponse {
    let host = state.cache.host();
    let now = Timestamp::now();
    let body = DetailedHealth {
        health: Health::of(&host, &state, now),
        components: Components::of(&host, now),
        metrics: HealthMetrics {
            gpu_count: host.gpus.len(),
            gpus_ok: host
                .gpus
                .iter()
                .filter(|gpu| gpu.health.state == gpulse_models::GpuState::Ok)
                .count(),
            gpus_with_sample: host
                .gpus
                .iter()
                .filter(|gpu| gpu.served_sample().is_some())
                .count(),
            generation: host.generation,
            requests_total: state.requests(),
        },
    };
    respond::fresh(StatusCode::OK, &body)
}

/// Whether there is an answer to give
///
/// Ready once every GPU of the roster has been heard of, or NVML is known to be absent.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "health_ready",
    tag = "health",
    responses(
        (status = 200, description = "There is an answer to give", body = Readiness),
        (status = 503, description = "Not every GPU has been heard of yet", body = Readiness),
    ),
)]
pub(crate) async fn ready(state: Data<State>) -> HttpResponse {
    let ready = state.cache.host().is_ready();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    respond::fresh(status, &Readiness { ready })
}

/// Whether the agent lives
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "health_live",
    tag = "health",
    responses((status = 200, description = "It lives", body = Liveness)),
)]
pub(crate) async fn live() -> HttpResponse {
    respond::fresh(StatusCode::OK, &Liveness { alive: true })
}

impl<'a> Health<'a> {
    fn of(host: &HostSnapshot, state: &'a State, now: Timestamp) -> Self {
        Self {
            status: HealthStatus::of(host),
            timestamp: microseconds(now),
            agent_id: &state.agent_id,
            agent_type: "resource",
            version: state.version,
            uptime_seconds: state.started.elapsed().as_secs_f64(),
        }
    }
}
