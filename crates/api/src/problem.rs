//! Every answer that is no success. `detail` is what old clients read; the rest is a superset after RFC 9457.

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use gpulse_models::{
    DriverReason, DriverStatus, GpuSnapshot, GpuState, HostSnapshot, InvalidSelector, Reason,
    seed::MissingGpu,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::respond;

/// The first initialisation takes about this long: when to ask again, in seconds.
const RETRY_STARTING: u16 = 1;

/// An absent driver is seldom back sooner: when to ask again, in seconds.
const RETRY_UNAVAILABLE: u16 = 10;

/// Characters of a client's text that are sent back to it: more than any sensible path or parameter has.
const LONGEST_ECHO: usize = 128;

/// Something that cannot be answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What is wrong with this request.
    detail: String,
    /// The kind of problem: the status in words.
    title: &'static str,
    /// The status code.
    status: u16,
}

/// NVML cannot be used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DriverProblem {
    /// A sentence that old clients know; the true reason is in `reason`.
    detail: &'static str,
    /// The kind of problem: the status in words.
    title: &'static str,
    /// The status code.
    status: u16,
    /// Why NVML cannot be used.
    reason: DriverReason,
    /// What happened, for a person.
    message: String,
    /// What to do about it.
    hint: String,
}

/// There are GPUs, and none of them has a sample to show.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoSampleProblem {
    /// What is wrong.
    detail: &'static str,
    /// The kind of problem: the status in words.
    title: &'static str,
    /// The status code.
    status: u16,
    /// Every GPU of the roster, and why it has no sample.
    missing_gpus: Vec<MissingGpu>,
}

/// The GPU is there and has no sample to show.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GpuProblem {
    /// What is wrong.
    detail: String,
    /// The kind of problem: the status in words.
    title: &'static str,
    /// The status code.
    status: u16,
    /// NVML's index.
    #[schema(maximum = 4294967295i64)]
    gpu_id: u32,
    /// NVML UUID; null if the GPU never said it.
    gpu_uuid: Option<String>,
    /// How the GPU is doing.
    state: GpuState,
    /// Why there is no sample.
    reason: Reason,
    /// What happened, for a person.
    message: String,
}

/// The path or the query holds something that is not understood.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValidationProblem {
    /// One entry per mistake.
    detail: Vec<ValidationError>,
    /// The kind of problem: the status in words.
    title: &'static str,
    /// The status code.
    status: u16,
}

/// A mistake in a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValidationError {
    /// The kind of mistake.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where it is.
    loc: [&'static str; 2],
    /// What is wrong, for a person.
    msg: String,
    /// What was sent.
    input: String,
}

/// The path is unknown.
pub(crate) async fn not_found() -> HttpResponse {
    plain(StatusCode::NOT_FOUND, "Not Found".to_owned())
}

/// The path is known, and only told.
pub(crate) async fn only_post() -> HttpResponse {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".to_owned());
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// The path is known, and only read.
pub(crate) async fn method_not_allowed() -> HttpResponse {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".to_owned());
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// The client refuses every encoding.
pub(crate) fn not_acceptable() -> HttpResponse {
    let mut response = plain(
        StatusCode::NOT_ACCEPTABLE,
        "Not Acceptable (available encodings: identity, gzip, zstd)".to_owned(),
    );
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// A handler panicked.
pub(crate) fn internal() -> HttpResponse {
    plain(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Internal Server Error".to_owned(),
    )
}

/// `input` names no GPU in any of the ways known.
pub(crate) fn not_a_gpu(input: &str, error: InvalidSelector) -> HttpResponse {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let body = ValidationProblem {
        detail: vec![ValidationError {
            kind: "int_parsing",
            loc: ["path", "gpu_id"],
            msg: format!("Input should be a valid integer, unable to parse string as an integer; {error}"),
            input: input.to_owned(),
        }],
        title: title(status),
        status: status.as_u16(),
    };
    respond::fresh(status, &body)
}

/// What is wrong with a parameter, or with a part of the path.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// The kind of mistake.
    pub(crate) kind: &'static str,
    /// The parameter, or `query` for all of them.
    pub(crate) parameter: &'static str,
    /// What is wrong, for a person.
    pub(crate) message: String,
    /// What was sent.
    pub(crate) input: String,
}

/// `input` names no GPU in any of the ways known; said to clients of the native routes.
pub(crate) fn bad_gpu(input: &str, error: InvalidSelector) -> HttpResponse {
    let mistake = Mistake {
        kind: "gpu_parsing",
        parameter: "gpu",
        message: error.to_string(),
        input: input.to_owned(),
    };
    invalid("path", mistake)
}

/// A parameter of the query is not understood.
pub(crate) fn bad_parameter(mistake: Mistake) -> HttpResponse {
    invalid("query", mistake)
}

fn invalid(place: &'static str, mistake: Mistake) -> HttpResponse {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let body = ValidationProblem {
        detail: vec![ValidationError {
            kind: mistake.kind,
            loc: [place, mistake.parameter],
            msg: mistake.message,
            input: clipped(&mistake.input).into_owned(),
        }],
        title: title(status),
        status: status.as_u16(),
    };
    respond::fresh(status, &body)
}

/// The beginning of what a client sent: enough to know it again, too little to make an answer large.
pub(crate) fn clipped(input: &str) -> Cow<'_, str> {
    match input.char_indices().nth(LONGEST_ECHO) {
        Some((end, _)) => Cow::Owned(format!("{}…", &input[..end])),
        None => Cow::Borrowed(input),
    }
}

/// Why NVML cannot be used.
pub(crate) struct DriverAbsence<'a> {
    pub(crate) reason: DriverReason,
    pub(crate) message: &'a str,
    pub(crate) hint: &'static str,
    /// When to ask again, in seconds.
    retry: u16,
}

impl<'a> DriverAbsence<'a> {
    /// Nothing if NVML can be used.
    pub(crate) fn of(host: &'a HostSnapshot) -> Option<Self> {
        match &host.driver {
            DriverStatus::Ready(_) => None,
            DriverStatus::Starting => Some(Self {
                reason: DriverReason::Starting,
                message: "the first initialisation of NVML is under way",
                hint: "ask again in a moment",
                retry: RETRY_STARTING,
            }),
            DriverStatus::Unavailable(fault) => Some(Self {
                reason: fault.reason,
                message: &fault.message,
                hint: fault.hint,
                retry: RETRY_UNAVAILABLE,
            }),
        }
    }
}

/// NVML cannot be used: why, under the sentence `detail`. Nothing if it can.
pub(crate) fn driver(host: &HostSnapshot, detail: &'static str) -> Option<HttpResponse> {
    let absence = DriverAbsence::of(host)?;
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let body = DriverProblem {
        detail,
        title: title(status),
        status: status.as_u16(),
        reason: absence.reason,
        message: absence.message.to_owned(),
        hint: absence.hint.to_owned(),
    };
    let mut response = respond::fresh(status, &body);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, absence.retry.into());
    Some(response)
}

/// There is no GPU that goes by `name`.
pub(crate) fn unknown_gpu(host: &HostSnapshot, name: &str) -> HttpResponse {
    let available = match (host.gpus.first(), host.gpus.last()) {
        (Some(first), Some(last)) => format!("{}-{}", first.index, last.index),
        _ => "none".to_owned(),
    };
    let detail = format!("GPU {name} not found (available: {available})");
    plain(StatusCode::NOT_FOUND, detail)
}

/// None of the GPUs has a sample to show.
pub(crate) fn no_samples(host: &HostSnapshot) -> HttpResponse {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let body = NoSampleProblem {
        detail: "Failed to collect GPU metrics",
        title: title(status),
        status: status.as_u16(),
        missing_gpus: host.gpus.iter().filter_map(|gpu| MissingGpu::of(gpu)).collect(),
    };
    respond::fresh(status, &body)
}

/// `gpu` has no sample to show.
pub(crate) fn no_sample(gpu: &GpuSnapshot) -> HttpResponse {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let body = GpuProblem {
        detail: format!("Failed to collect metrics for GPU {}", gpu.index),
        title: title(status),
        status: status.as_u16(),
        gpu_id: gpu.index,
        gpu_uuid: gpu.uuid().map(ToString::to_string),
        state: gpu.health.state,
        reason: gpu.absence(),
        message: gpu.absence_message().to_owned(),
    };
    respond::fresh(status, &body)
}

/// Nothing but a sentence.
pub(crate) fn plain(status: StatusCode, detail: String) -> HttpResponse {
    let body = Problem {
        detail,
        title: title(status),
        status: status.as_u16(),
    };
    respond::fresh(status, &body)
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}
