//! The OpenAPI document: routes and schemas come from the code, examples from bodies that the tests render.

mod examples;
mod native;
mod refusals;
mod tables;

use examples::Examples;
#[cfg(test)]
pub(crate) use examples::{EXAMPLES, Example};
use utoipa::{
    Modify, OpenApi,
    openapi::{Object, RefOr, Schema},
};

use native::Native;
#[cfg(test)]
pub(crate) use native::is_selectable;
#[cfg(test)]
pub(crate) use refusals::REFUSALS;
use refusals::Refusals;

use crate::{
    problem::{DriverProblem, GpuProblem, NoSampleProblem, Problem, ValidationProblem},
    routes::{docs, gpu, health, metrics, root, v1},
};

/// The interface.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "gpulse",
        description = "The GPU agent of a node. Every answer comes from the latest snapshot in memory; no request \
reaches the driver.\n\nEvery route answers HEAD like GET without a body, and any other method with 405. Every answer \
carries `x-request-id`, taken over from the request if it has one. Bodies come plain, gzip or zstd \
(`Accept-Encoding`), and those with an `ETag` are answered with 304 to a fitting `If-None-Match`. Every error body \
has `detail`; its other keys are those of RFC 9457 and what the route says. Only what is no HTTP at all is refused \
without a body.\n\nAn agent may ask who reads: a token, a user's password or a client certificate, each good for the \
scopes `read` (everything), `metrics` (`/metrics` only) or `admin`. `/health/live` and `/health/ready` are always open.",
    ),
    tags(
        (name = "gpu", description = "What the GPUs do"),
        (name = "native", description = "All that is known, with a reason for each value that is absent"),
        (name = "events", description = "What happened, and what it means"),
        (name = "history", description = "What the GPUs did lately"),
        (name = "admin", description = "What an operator tells the agent; asks for the scope `admin`"),
        (name = "health", description = "How the agent is doing"),
        (name = "agent", description = "The agent itself"),
    ),
    paths(
        gpu::info,
        gpu::metrics,
        gpu::metrics_of_one,
        v1::gpus::gpus,
        v1::gpus::gpu,
        v1::processes::processes_of_one,
        v1::processes::processes,
        v1::host::host,
        v1::topology::topology,
        v1::events::events,
        v1::stream::stream,
        v1::history::history,
        v1::history::metrics,
        v1::admin::park,
        v1::admin::resume,
        v1::targets::targets,
        metrics::metrics,
        health::health,
        health::detailed,
        health::ready,
        health::live,
        root::root,
        docs::openapi,
        docs::page,
    ),
    components(schemas(
        DriverProblem,
        GpuProblem,
        NoSampleProblem,
        Problem,
        ValidationProblem,
        v1::host::HostAgent,
        v1::host::HostDriver,
        v1::host::HostGpus,
        v1::host::HostExpected,
        v1::host::HostKubernetes,
        v1::host::HostEvents,
    )),
    modifiers(&AllKeysAreSent, &Native, &Examples, &Refusals),
)]
struct Document;

/// Says of every key of every answer that it is there: what is absent is sent as null.
struct AllKeysAreSent;

impl Modify for AllKeysAreSent {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let schemas = document
            .components
            .iter_mut()
            .flat_map(|all| all.schemas.values_mut());
        for schema in schemas {
            match schema {
                RefOr::T(Schema::Object(object)) => require_all(object),
                RefOr::T(Schema::AllOf(parts)) => {
                    for part in &mut parts.items {
                        if let RefOr::T(Schema::Object(object)) = part {
                            require_all(object);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

fn require_all(object: &mut Object) {
    object.required = object.properties.keys().cloned().collect();
}

/// The OpenAPI 3.1 document of this interface.
pub fn openapi_json() -> String {
    let mut document = Document::openapi()
        .to_pretty_json()
        .expect("the document consists of structs and maps with text for keys");
    document.push('\n');
    document
}
