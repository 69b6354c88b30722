//! `/gpu/…`: what old clients read.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use gpulse_models::{
    GpuSelector, HostSnapshot,
    seed::{GpuInfo, GpuMetricsCollection, SingleGpuMetrics},
};

use super::newer::{Wait, newer, newer_of, of_generation};
use crate::{
    problem::{self, DriverProblem, GpuProblem, NoSampleProblem, Problem, ValidationProblem},
    respond,
    state::State,
};

/// What old clients are told when NVML cannot be used and they ask for all GPUs.
const ALL_UNAVAILABLE: &str = "GPU metrics collection not available (no NVIDIA GPUs or pynvml not installed)";

/// What old clients are told when NVML cannot be used and they ask for one GPU.
const ONE_UNAVAILABLE: &str = "GPU metrics collection not available";

/// Whether there are GPUs, and if not, why and what to do
///
/// Always 200: that there is no driver is an answer as well.
#[utoipa::path(
    get,
    path = "/gpu/info",
    operation_id = "gpu_info",
    tag = "gpu",
    params(Wait),
    responses(
        (status = 200, description = "Whether there are GPUs", body = GpuInfo, headers(
            ("etag" = String, description = "Names these very bytes; changes only with the body"),
            ("x-gpulse-generation" = u64, description = "The generation that this is of, for `wait_for`"),
        )),
        (status = 304, description = "The client has this body already (`If-None-Match`)"),
        (status = 406, description = "The client refuses every encoding", body = Problem),
        (status = 422, description = "A parameter that is not understood", body = ValidationProblem),
    ),
)]
pub(crate) async fn info(request: HttpRequest) -> HttpResponse {
    if let Err(mistake) = newer(&request).await {
        return problem::bad_parameter(mistake);
    }
    let state = State::of(&request);
    let set = state.bodies.latest(&state.cache);
    of_generation(respond::rendered(&request, set.info()), set.host.generation)
}

/// All GPUs, with sums and averages
///
/// The latest sample of each GPU. A GPU without one is listed in `missing_gpus`; a number that a GPU cannot give
/// is 0.0 or null here and named, with its reason, in `unavailable`.
#[utoipa::path(
    get,
    path = "/gpu/metrics",
    operation_id = "gpu_metrics",
    tag = "gpu",
    params(Wait),
    responses(
        (status = 200, description = "All GPUs that have a sample to show", body = GpuMetricsCollection,
            headers(("etag" = String, description = "Names these very bytes; changes with each generation"))),
        (status = 304, description = "The client has this body already (`If-None-Match`)"),
        (status = 406, description = "The client refuses every encoding", body = Problem),
        (status = 422, description = "A parameter that is not understood", body = ValidationProblem),
        (status = 500, description = "There are GPUs, and none has a sample to show", body = NoSampleProblem),
        (status = 503, description = "NVML cannot be used", body = DriverProblem,
            headers(("retry-after" = u16, description = "Seconds after which to ask again"))),
    ),
)]
pub(crate) async fn metrics(request: HttpRequest) -> HttpResponse {
    if let Err(mistake) = newer(&request).await {
        return problem::bad_parameter(mistake);
    }
    let state = State::of(&request);
    let set = state.bodies.latest(&state.cache);
    if let Some(unavailable) = problem::driver(&set.host, ALL_UNAVAILABLE) {
        return unavailable;
    }
    match set.metrics() {
        Some(body) => respond::rendered(&request, body),
        None => problem::no_samples(&set.host),
    }
}

/// One GPU
///
/// Mistakes are looked for in this order: 422 (names no GPU at all), 503 (NVML cannot be used), 404 (no such GPU),
/// 500 (no sample to show).
#[utoipa::path(
    get,
    path = "/gpu/metrics/{gpu_id}",
    operation_id = "gpu_metrics_of_one",
    tag = "gpu",
    params(
        ("gpu_id" = String, Path, example = "0",
            pattern = r"^([-+]?[0-9]+|(GPU|MIG)-[^/]*|([0-9a-fA-F]{1,8}:)?[0-9a-fA-F]{1,2}:[01]?[0-9a-fA-F]\.[0-7])$",
            description = "NVML's index (`0`), the UUID (`GPU-…`) or the PCI bus id (`0000:3b:00.0`)"),
        Wait,
    ),
    responses(
        (status = 200, description = "The GPU's latest sample", body = SingleGpuMetrics, headers(
            ("etag" = String, description = "Names these very bytes; changes with each sample of this GPU"),
            ("x-gpulse-generation" = u64, description = "The generation that this is of, for `wait_for`"),
        )),
        (status = 304, description = "The client has this body already (`If-None-Match`)"),
        (status = 404, description = "There is no such GPU", body = Problem),
        (status = 406, description = "The client refuses every encoding", body = Problem),
        (status = 422, description = "This names no GPU: it is no index, UUID or PCI bus id; or a parameter is not understood",
            body = ValidationProblem),
        (status = 500, description = "The GPU has no sample to show", body = GpuProblem),
        (status = 503, description = "NVML cannot be used", body = DriverProblem,
            headers(("retry-after" = u16, description = "Seconds after which to ask again"))),
    ),
)]
pub(crate) async fn metrics_of_one(request: HttpRequest, gpu_id: Path<String>) -> HttpResponse {
    let selector = match gpu_id.parse::<GpuSelector>() {
        Ok(selector) => selector,
        Err(error) => return problem::not_a_gpu(&gpu_id, error),
    };
    if let Err(mistake) = newer_of(&request, Some(&selector)).await {
        return problem::bad_parameter(mistake);
    }
    let state = State::of(&request);
    let set = state.bodies.latest(&state.cache);
    if let Some(unavailable) = problem::driver(&set.host, ONE_UNAVAILABLE) {
        return unavailable;
    }
    let Some(place) = place_of(&set.host, &selector) else {
        return problem::unknown_gpu(&set.host, &gpu_id);
    };
    match set.gpu(place) {
        Some(body) => of_generation(respond::rendered(&request, body), set.host.generation),
        None => problem::no_sample(&set.host.gpus[place]),
    }
}

/// Where in the roster the GPU stands that `selector` means.
pub(crate) fn place_of(host: &HostSnapshot, selector: &GpuSelector) -> Option<usize> {
    host.gpus.iter().position(|gpu| match selector {
        GpuSelector::Index(index) => gpu.index == *index,
        GpuSelector::ImpossibleIndex => false,
        GpuSelector::Uuid(uuid) => gpu.uuid() == Some(uuid),
        GpuSelector::PciBusId(id) => gpu.pci_bus_id() == Some(*id),
    })
}
