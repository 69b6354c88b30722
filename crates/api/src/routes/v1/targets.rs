//! `/api/v1/targets`: where scrapers find this agent.

use actix_web::{HttpRequest, HttpResponse};

use crate::{problem::Problem, respond, state::State, target::ScrapeTarget};

/// Where scrapers find this agent
///
/// In the format of Prometheus' `http_sd_configs`: a list with this agent, or an empty one if it serves on a unix socket only.
/// The host is `metrics.target`, or else the first address that other hosts reach.
#[utoipa::path(
    get,
    path = "/api/v1/targets",
    operation_id = "targets",
    tag = "agent",
    responses(
        (status = 200, description = "The targets", body = [ScrapeTarget]),
        (status = 406, description = "The client refuses every encoding", body = Problem),
    ),
)]
pub(crate) async fn targets(request: HttpRequest) -> HttpResponse {
    let targets: Vec<&ScrapeTarget> = State::of(&request).target.iter().collect();
    respond::once(&request, &targets)
}
