//! `/api/v1/gpus` and `/api/v1/gpus/{gpu}`: everything that is known of the GPUs.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use gpulse_models::{GpuSelector, HostSnapshot};

use super::{
    answers::{GpuAnswers, HostAnswers},
    gpu::{Gpu, Gpus, OneGpu},
    query, vocabulary,
};
use crate::{
    problem::{self, clipped},
    respond,
    routes::{
        gpu::place_of,
        newer::{self, Wait, newer, newer_of},
    },
    state::State,
};

/// What clients are told when NVML cannot be used.
pub(crate) const UNAVAILABLE: &str = "GPUs cannot be read: NVML cannot be used";

/// Everything that is known of all GPUs
///
/// Each GPU has its state and a key for each group of readings. A value that is absent is null, and `unavailable` of the
/// GPU names its path and the reason; where all below a path is absent for one reason, the path stands there once. A GPU
/// without a sample to show, such as a lost one, is there with all its groups absent. The example is of
/// `?fields=load.gpu_percent,power.draw_watts,thermal,activity`.
#[utoipa::path(
    get,
    path = "/api/v1/gpus",
    operation_id = "gpus",
    tag = "native",
    params(
        ("fields" = Option<String>, Query, example = "power.draw_watts,load,thermal.fans.speed_percent",
            description = "Only these paths and what is below them, by comma, without positions in lists; `index`, \
                `uuid`, `state` and `unavailable` are always sent. All by default"),
        Wait,
    ),
    responses(
        (status = 200, description = "All GPUs of the roster", body = ref("#/components/schemas/Gpus"),
            headers(("etag" = String, description = "Names these very bytes; not sent with `fields`"))),
        HostAnswers,
    ),
)]
pub(crate) async fn gpus(request: HttpRequest) -> HttpResponse {
    let selection = match query::fields_beside(&newer::PARAMETERS, &request, &vocabulary::GPU) {
        Ok(selection) => selection,
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    if let Err(mistake) = newer(&request).await {
        return problem::bad_parameter(mistake);
    }
    let state = State::of(&request);
    let set = state.bodies.latest(&state.cache);
    if let Some(unavailable) = problem::driver(&set.host, UNAVAILABLE) {
        return unavailable;
    }
    match selection {
        None => respond::rendered(&request, set.native_gpus()),
        Some(selection) => {
            let (host, selection) = (&*set.host, &selection);
            respond::once(&request, &Gpus { host, selection })
        }
    }
}

/// Everything that is known of one GPU
///
/// Mistakes are looked for in this order: 422 (names no GPU at all, or a parameter is not understood), 503 (NVML cannot be
/// used), 404 (no such GPU). A GPU without a sample to show is answered with 200, and all its groups are absent.
#[utoipa::path(
    get,
    path = "/api/v1/gpus/{gpu}",
    operation_id = "gpu",
    tag = "native",
    params(
        ("gpu" = String, Path, example = "0",
            pattern = r"^([-+]?[0-9]+|(GPU|MIG)-[^/]*|([0-9a-fA-F]{1,8}:)?[0-9a-fA-F]{1,2}:[01]?[0-9a-fA-F]\.[0-7])$",
            description = "NVML's index (`0`), the UUID (`GPU-…`) or the PCI bus id (`0000:3b:00.0`)"),
        ("fields" = Option<String>, Query, example = "power.draw_watts,load,thermal.fans.speed_percent",
            description = "Only these paths and what is below them, by comma, without positions in lists; `index`, \
                `uuid`, `state` and `unavailable` are always sent. All by default"),
        Wait,
    ),
    responses(
        (status = 200, description = "The GPU", body = ref("#/components/schemas/OneGpu"),
            headers(("etag" = String, description = "Names these very bytes; not sent with `fields`"))),
        HostAnswers,
        GpuAnswers,
    ),
)]
pub(crate) async fn gpu(request: HttpRequest, gpu: Path<String>) -> HttpResponse {
    let selection = match query::fields_beside(&newer::PARAMETERS, &request, &vocabulary::GPU) {
        Ok(selection) => selection,
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    if let Err(mistake) = newer_of(&request, gpu.parse().ok().as_ref()).await {
        return problem::bad_parameter(mistake);
    }
    let state = State::of(&request);
    let set = state.bodies.latest(&state.cache);
    let place = match gpu_of(&set.host, &gpu) {
        Ok(place) => place,
        Err(answer) => return *answer,
    };
    match selection {
        None => respond::rendered(&request, set.native_gpu(place)),
        Some(selection) => {
            let host = &*set.host;
            let gpu = Gpu::of(&host.gpus[place], &host.pods, &selection);
            respond::once(&request, &OneGpu { host, gpu })
        }
    }
}

/// Where in the roster the GPU stands that goes by `name`.
///
/// # Errors
///
/// With the answer: that this is no name of a GPU, that NVML cannot be used, or that there is no such GPU.
pub(crate) fn gpu_of(host: &HostSnapshot, name: &str) -> Result<usize, Box<HttpResponse>> {
    let answer = match name.parse::<GpuSelector>() {
        Err(error) => problem::bad_gpu(name, error),
        Ok(selector) => match (problem::driver(host, UNAVAILABLE), place_of(host, &selector)) {
            (Some(unavailable), _) => unavailable,
            (None, Some(place)) => return Ok(place),
            (None, None) => problem::unknown_gpu(host, &clipped(name)),
        },
    };
    Err(Box::new(answer))
}
