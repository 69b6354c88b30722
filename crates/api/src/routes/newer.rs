//! `?wait_for=`: an answer that is given once there is something newer than what the client has.

use std::{rc::Rc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, http::header::HeaderName};
use gpulse_models::{GpuSelector, HostSnapshot};
use tokio::time::{Instant, sleep_until};
use utoipa::IntoParams;

use super::{gpu::place_of, v1::query};
use crate::{problem::Mistake, state::State, stream::Hub};

/// The parameters by which a client waits.
pub(crate) const PARAMETERS: [&str; 2] = ["wait_for", "wait"];

/// How a client waits, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes parameters, it is none")]
pub(crate) struct Wait {
    /// Answer once there is a later generation than this one, which the client has; of one GPU: once there is something later of
    /// it. A number above the latest is of an agent that has ended, and is not waited for.
    #[param(minimum = 0)]
    wait_for: Option<u64>,
    /// Answer after this time even if there is none, such as `500ms` or `10s`; 30 seconds by default and a minute at most. Without
    /// `wait_for` the answer comes at once.
    wait: Option<String>,
}

/// How long a client waits if it does not say: less than the minute after which proxies give up.
const USUAL_WAIT: Duration = Duration::from_secs(30);

/// How long a client can wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Tells of which generation a body is that does not say it itself: what a client gives as `wait_for`.
pub(crate) const GENERATION: HeaderName = HeaderName::from_static("x-gpulse-generation");

/// `answer`, with the generation that it is of.
pub(crate) fn of_generation(mut answer: HttpResponse, generation: u64) -> HttpResponse {
    answer.headers_mut().insert(GENERATION, generation.into());
    answer
}

/// Returns once there is a later snapshot than the one that the client has (`wait_for`), or the time that it gives (`wait`) has
/// passed. At once if it does not ask to wait, if the server ends, and if there was no such snapshot yet: its number is of
/// an agent that has ended.
///
/// # Errors
///
/// If one of the two parameters is not understood. Others are passed over.
pub(crate) async fn newer(request: &HttpRequest) -> Result<(), Mistake> {
    newer_of(request, None).await
}

/// The same, where a snapshot counts as later if it has something later of the GPU that `gpu` names. A name that no GPU has, and
/// one of a GPU that is gone, is not waited for.
///
/// # Errors
///
/// As [`newer`].
pub(crate) async fn newer_of(request: &HttpRequest, gpu: Option<&GpuSelector>) -> Result<(), Mistake> {
    // Nearly all requests end here; what the others need is not to make these larger.
    if request.query_string().is_empty() {
        return Ok(());
    }
    Box::pin(wait(request, gpu)).await
}

async fn wait(request: &HttpRequest, gpu: Option<&GpuSelector>) -> Result<(), Mistake> {
    let pairs = query::pairs_among(request.query_string(), &PARAMETERS)?;
    let value = |name: &str| {
        pairs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    };
    let wait = match value("wait") {
        Some(text) => query::duration("wait", text, LONGEST_WAIT)?,
        None => USUAL_WAIT,
    };
    let Some(seen) = value("wait_for") else {
        return Ok(());
    };
    let seen = query::number("wait_for", seen, 0, u64::MAX)?;
    let Some(hub) = request.app_data::<Rc<Hub>>() else {
        return Ok(());
    };
    let (state, end) = (State::of(request), Instant::now() + wait);
    let mut follower = hub.follow();
    while is_seen(&state.cache.host(), seen, gpu) && !follower.is_ending() && Instant::now() < end {
        tokio::select! {
            () = sleep_until(end) => {}
            () = follower.wait(true) => {}
        }
    }
    Ok(())
}

/// Whether a client that has the generation `seen` has all that `host` says, of one GPU where `gpu` names it.
fn is_seen(host: &HostSnapshot, seen: u64, gpu: Option<&GpuSelector>) -> bool {
    let Some(selector) = gpu else {
        return host.generation == seen;
    };
    let changed = place_of(host, selector).map(|place| host.gpus[place].generation);
    host.generation >= seen && changed.is_some_and(|changed| changed <= seen)
}
