//! `/api/v1/stream`: snapshots and events as they come.

use std::{convert::Infallible, rc::Rc};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodyStream, BoxBody},
    http::{
        ConnectionType, Method, StatusCode, Version,
        header::{self, HeaderName, HeaderValue},
    },
    web::Data,
};
use bytes::Bytes;
use futures_util::stream;

use crate::{
    negotiation,
    problem::{self, DriverAbsence, Problem, ValidationProblem, clipped},
    state::State,
    stream::{Hub, Subscription, Wish, content_type},
};

/// Tells proxies (nginx knows it) to pass on what comes as it comes.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Snapshots and events as they come
///
/// Server-Sent Events without end. First `retry` and an event `hello`, whose data is an object with `agent_id`, `version`,
/// `instance` (another one means that generations began anew) `interval_seconds` (of this stream) and, if the client said what it
/// has, `resumed` (whether what it missed follows). Then at once an event
/// `snapshot`, and one each time that there is a newer one and the interval has passed: its `id` is the generation and its
/// data the body of `/api/v1/gpus` with the same `fields`, of the GPUs in `gpu` only. While NVML cannot be used `gpus` is
/// empty, and the key `driver` before it says why: `reason`, `message` and `hint`. In between an event `event` for
/// each entry of `events` of `/api/v1/events`; with `gpu`, those of these GPUs and of none. A comment after 15 seconds
/// without any of these.
///
/// A client that does not read in time loses the snapshots in between and gets the latest one next; one that takes nothing
/// for 30 seconds is cut off. With `Last-Event-ID`, or `after`, what was missed since that generation comes first, snapshots in the stream's
/// interval, as far as it is still known; otherwise, and if that number is above the latest, the stream begins with the snapshot of now. Entries
/// of `events` may then come a second time: their `sequence` tells. The body is never compressed.
#[utoipa::path(
    get,
    path = "/api/v1/stream",
    operation_id = "stream",
    tag = "native",
    params(
        ("interval" = Option<String>, Query, example = "1s",
            description = "Time between two snapshots, such as `250ms`, `1s` or `1m`; at most an hour. By default, and at least, the interval in which GPUs are read"),
        ("gpu" = Option<String>, Query, example = "0",
            description = "Only these GPUs, by comma or in several parameters: index, UUID or PCI bus id. All by default"),
        ("fields" = Option<String>, Query, example = "power.draw_watts,load",
            description = "As for `/api/v1/gpus`"),
        ("events" = Option<bool>, Query, description = "Whether events are sent; `true` by default"),
        ("after" = Option<u64>, Query, minimum = 0,
            description = "The last generation that the client has; goes before `Last-Event-ID`"),
        ("Last-Event-ID" = Option<String>, Header,
            description = "The same, as browsers send it. What is no generation is passed over"),
    ),
    responses(
        (status = 200, description = "The stream", content((String = "text/event-stream"))),
        (status = 404, description = "There is no such GPU", body = Problem),
        (status = 406, description = "The client refuses a body that is not compressed", body = Problem),
        (status = 422, description = "A parameter that is not understood", body = ValidationProblem),
    ),
)]
pub(crate) async fn stream(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let wish = match Wish::of(&request) {
        Ok(wish) => wish,
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    if !negotiation::takes_plain(request.headers()) {
        return problem::not_acceptable();
    }
    {
        let host = state.cache.host();
        // Without a driver nobody knows which GPUs there are: they may be there when it comes.
        if DriverAbsence::of(&host).is_none()
            && let Some(name) = wish.what.unknown(&host)
        {
            return problem::unknown_gpu(&host, &clipped(name));
        }
    }
    let Some(hub) = request.app_data::<Rc<Hub>>() else {
        return problem::internal();
    };
    let body = if request.method() == Method::HEAD {
        // As without end as the body of a GET, so that the headers are the same.
        BoxBody::new(BodyStream::new(stream::empty::<Result<Bytes, Infallible>>()))
    } else {
        Subscription::new(&request, state, hub.follow(), wish).into_body()
    };
    let mut response = HttpResponse::with_body(StatusCode::OK, body);
    if request.version() == Version::HTTP_10 {
        // It does not know chunks: the body goes on until the connection ends.
        response.head_mut().no_chunking(true);
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}
