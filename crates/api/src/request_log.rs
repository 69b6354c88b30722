//! Counts each request, gives it an id and one line in the log, and turns a handler's panic into a 500.
//!
//! What is below the log's level costs a clock reading and a few counters of this worker: the line is put together only if
//! someone listens.

use std::{fmt, future::Future, panic::AssertUnwindSafe, time::Instant};

use actix_web::{
    Error, HttpResponse, ResponseError,
    dev::{Service, ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method, StatusCode, Uri,
        header::{HeaderName, HeaderValue},
    },
    web::Data,
};
use futures_util::FutureExt as _;
use gpulse_aggregator::Answering;
use gpulse_models::HttpMethod;

use crate::{problem, state::State, template};

/// Carries the request's id, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Ids of clients are taken over up to this length, so that nobody fills the log.
const LONGEST_ID: usize = 128;

/// Passes `request` on to `service`.
pub(crate) fn observe<S, B>(
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let started = Instant::now();
    let state = request.app_data::<Data<State>>();
    let answering = state.map(|state| begin(&request, state));
    let id = request_id(&request, state);
    // Kept for the case of a panic, which takes the request with it. Both are cheap to clone.
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let answer = AssertUnwindSafe(service.call(request)).catch_unwind();
    async move {
        let Ok(answer) = answer.await else {
            tracing::error!(%method, path = uri.path(), request_id = ?id, "the handler of a request panicked");
            finish(answering, StatusCode::INTERNAL_SERVER_ERROR);
            return Err(Panicked { id }.into());
        };
        let mut response = match answer {
            Ok(response) => response,
            Err(error) => {
                let mut response = error.error_response();
                finish(answering, response.status());
                log(&method, &uri, response.status(), started, &id);
                response.headers_mut().insert(REQUEST_ID, id);
                // An answer that comes as an error has the request's id like any other.
                return Err(InternalError::from_response(error, response).into());
            }
        };
        finish(answering, response.status());
        log(&method, &uri, response.status(), started, &id);
        response.headers_mut().insert(REQUEST_ID, id);
        Ok(response)
    }
}

/// Counts a request as under way, under the name of its route: one that the gate refuses has one, too.
fn begin(request: &ServiceRequest, state: &State) -> Answering {
    let method = match *request.method() {
        Method::GET => HttpMethod::Get,
        Method::HEAD => HttpMethod::Head,
        Method::POST => HttpMethod::Post,
        Method::OPTIONS => HttpMethod::Options,
        _ => HttpMethod::Other,
    };
    let route = template::place(request.match_info().as_str());
    state.cache.counters().http().begin(route, method)
}

/// Counts its answer. Without one, because the client went away, it is counted as abandoned.
fn finish(answering: Option<Answering>, status: StatusCode) {
    if let Some(answering) = answering {
        answering.finish(status.as_u16());
    }
}

/// The id that the client gave, if it is sane, or one of our own.
fn request_id(request: &ServiceRequest, state: Option<&Data<State>>) -> HeaderValue {
    if let Some(id) = request
        .headers()
        .get(REQUEST_ID)
        .filter(|id| is_sane(id.as_bytes()))
    {
        state.inspect(|state| state.count_request());
        return id.clone();
    }
    state.map_or_else(
        || HeaderValue::from_static("unknown"),
        |state| state.next_request_id(),
    )
}

fn is_sane(id: &[u8]) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

/// One line per request, for those who ask for it. That a GPU is lost or NVML absent is no news each time a client
/// asks: its change of state is logged where it is noticed, once.
fn log(method: &Method, uri: &Uri, status: StatusCode, started: Instant, id: &HeaderValue) {
    tracing::debug!(
        %method,
        path = uri.path(),
        status = status.as_u16(),
        duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        request_id = id.to_str().unwrap_or_default(),
        "request answered"
    );
}

/// A handler panicked; the panic hook has said where.
#[derive(Debug)]
struct Panicked {
    id: HeaderValue,
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler panicked")
    }
}

impl ResponseError for Panicked {
    fn error_response(&self) -> HttpResponse {
        let mut response = problem::internal();
        response.headers_mut().insert(REQUEST_ID, self.id.clone());
        response
    }
}
