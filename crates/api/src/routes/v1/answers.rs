//! What routes with field selection may answer beside 200: said once, for the OpenAPI document.

use utoipa::IntoResponses;

use crate::problem::{DriverProblem, Problem, ValidationProblem};

/// Answers of a route about the whole host.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers, it is none")]
pub(super) enum HostAnswers {
    /// The client has this body already (`If-None-Match`)
    #[response(status = 304)]
    Unchanged,
    /// The client refuses every encoding
    #[response(status = 406)]
    NoEncoding(Problem),
    /// A parameter that is not understood
    #[response(status = 422)]
    BadParameter(ValidationProblem),
    /// NVML cannot be used
    #[response(
        status = 503,
        headers(("retry-after" = u16, description = "Seconds after which to ask again")),
    )]
    NoDriver(DriverProblem),
}

/// Answers of a route about one GPU, beside those about the whole host.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers, it is none")]
pub(super) enum GpuAnswers {
    /// There is no such GPU
    #[response(status = 404)]
    NoGpu(Problem),
    /// This names no GPU, or a parameter is not understood
    #[response(status = 422)]
    BadRequest(ValidationProblem),
}
