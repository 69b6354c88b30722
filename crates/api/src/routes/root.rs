//! `/`: who answers here.

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, Accept, Header as _, HeaderValue},
    },
    web::Data,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{respond, state::State};

/// Who answers here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Root<'a> {
    /// Always `gpulse`.
    agent: &'static str,
    /// Version of the agent.
    version: &'static str,
    /// Always `running`: an agent that does not run does not answer.
    status: &'static str,
    /// The configured agent id.
    agent_id: &'a str,
}

/// Who answers here
///
/// A browser, that is a client that prefers `text/html`, gets the dashboard, or is sent to the documentation where
/// that is switched off.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "root",
    tag = "agent",
    responses(
        (status = 200, description = "The agent; for browsers the dashboard", content(
            (Root = "application/json"), (String = "text/html"))),
        (status = 303, description = "To the documentation, for browsers, where the dashboard is switched off",
            headers(("location" = String, description = "`docs`"))),
    ),
)]
pub(crate) async fn root(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let is_browser = prefers_html(&request);
    if let (true, Some(dashboard)) = (is_browser, &state.dashboard) {
        return dashboard.page(&request);
    }
    let mut response = if is_browser {
        let mut response = HttpResponse::new(StatusCode::SEE_OTHER);
        // Relative, so that it holds behind a proxy that puts the agent under a path of its own.
        response
            .headers_mut()
            .insert(header::LOCATION, HeaderValue::from_static("docs"));
        response
    } else {
        let body = Root {
            agent: "gpulse",
            version: state.version,
            status: "running",
            agent_id: &state.agent_id,
        };
        respond::fresh(StatusCode::OK, &body)
    };
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// Whether the client names `text/html`, and does so before JSON.
pub(crate) fn prefers_html(request: &impl HttpMessage) -> bool {
    let Ok(accepted) = Accept::parse(request) else {
        return false;
    };
    accepted
        .ranked()
        .iter()
        .find_map(|mime| match mime.essence_str() {
            "text/html" => Some(true),
            "application/json" | "*/*" | "application/*" => Some(false),
            _ => None,
        })
        .unwrap_or(false)
}
