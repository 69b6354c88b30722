//! `?wait_for=`: an answer that is given once there is something newer than what the client has.

use std::{rc::Rc, time::Duration};

use actix_web::HttpRequest;
use tokio::time::{Instant, sleep_until};
use utoipa::IntoParams;

use super::v1::query;
use crate::{problem::Mistake, state::State, stream::Hub};

/// The parameters by which a client waits.
pub(crate) const PARAMETERS: [&str; 2] = ["wait_for", "wait"];

/// How a client waits, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes parameters, it is none")]
pub(crate) struct Wait {
    /// Answer once there is a later generation than this one, which the client has. A number above the latest is of an agent
    /// that has ended, and is not waited for.
    #[param(minimum = 0)]
    wait_for: Option<u64>,
    /// Answer after this time even if there is none, such as `500ms` or `10s`; 30 seconds by default and a minute at most.
    wait: Option<String>,
}

/// How long a client waits if it does not say: less than the minute after which proxies give up.
const USUAL_WAIT: Duration = Duration::from_secs(30);

/// How long a client can wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Returns once there is a later snapshot than the one that the client has (`wait_for`), or the time that it gives (`wait`) has
/// passed. At once if it does not ask to wait, if the server ends, and if there was no such snapshot yet: its number is of
/// an agent that has ended.
///
/// # Errors
///
/// If one of the two parameters is not understood. Others are passed over.
pub(crate) async fn newer(request: &HttpRequest) -> Result<(), Mistake> {
    // Nearly all requests end here; what the others need is not to make these larger.
    if request.query_string().is_empty() {
        return Ok(());
    }
    Box::pin(wait(request)).await
}

async fn wait(request: &HttpRequest) -> Result<(), Mistake> {
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
    while state.cache.host().generation == seen && !follower.is_ending() && Instant::now() < end {
        tokio::select! {
            () = sleep_until(end) => {}
            () = follower.wait(true) => {}
        }
    }
    Ok(())
}
