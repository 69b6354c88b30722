//! `/api/v1/admin/…`: what an operator tells the agent.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use gpulse_models::{DriverReason, DriverStatus};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{respond, state::State};

/// Whether the GPUs are let go.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Parking {
    /// Whether they are to be let go.
    parked: bool,
    /// Whether they are: the agent holds no device and no library, but for threads that are stuck inside the driver.
    let_go: bool,
    /// How far that has come, for a person.
    message: String,
}

/// Let the GPUs go
///
/// For a driver upgrade, a reset or a change of MIG: the agent ends its readers, unloads NVML and does not load it again until
/// `resume`. That takes a moment; ask again until `let_go` is true. Meanwhile the routes of GPUs answer 503 with the reason `parked`.
#[utoipa::path(
    post,
    path = "/api/v1/admin/park",
    operation_id = "park",
    tag = "admin",
    responses((status = 202, description = "The GPUs are to be let go", body = Parking,
        example = json!({"parked": true, "let_go": false, "message": "NVML is in use"}))),
)]
pub(crate) async fn park(request: HttpRequest) -> HttpResponse {
    let state = State::of(&request);
    state.cache.parking().park();
    tracing::info!("an operator wants the GPUs to be let go");
    accepted(state)
}

/// Read the GPUs again
#[utoipa::path(
    post,
    path = "/api/v1/admin/resume",
    operation_id = "resume",
    tag = "admin",
    responses((status = 202, description = "The GPUs are to be read", body = Parking,
        example = json!({"parked": false, "let_go": true,
            "message": "the GPUs are let go: the agent holds no device and no library"}))),
)]
pub(crate) async fn resume(request: HttpRequest) -> HttpResponse {
    let state = State::of(&request);
    state.cache.parking().resume();
    tracing::info!("an operator wants the GPUs to be read again");
    accepted(state)
}

fn accepted(state: &State) -> HttpResponse {
    let parked = state.cache.parking().is_wanted();
    let (let_go, message) = match &state.cache.host().driver {
        DriverStatus::Unavailable(fault) if fault.reason == DriverReason::Parked => {
            (true, fault.message.clone())
        }
        DriverStatus::Unavailable(fault) => (false, fault.message.clone()),
        DriverStatus::Starting => (false, "NVML is being initialised".to_owned()),
        DriverStatus::Ready(_) => (false, "NVML is in use".to_owned()),
    };
    let body = Parking {
        parked,
        let_go,
        message,
    };
    respond::fresh(StatusCode::ACCEPTED, &body)
}
