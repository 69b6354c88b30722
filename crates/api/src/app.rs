//! The table of routes.

use std::sync::Arc;

use actix_cors::Cors;
use actix_web::{
    App, Error, FromRequest, Handler, Resource, Responder,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::Condition,
    web::{self, Data, JsonConfig, PayloadConfig, ServiceConfig},
};

use crate::{
    gate::{Gate, LARGEST_BODY},
    guard::Guard,
    problem, request_log,
    routes::{docs, gpu, health, metrics, root, v1},
    state::State,
};

/// The application of one worker.
pub(crate) fn app(
    state: Data<State>,
    gate: Arc<Gate>,
    cors: Condition<Cors>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(state)
        // Bodies whose length is not announced end there as well.
        .app_data(PayloadConfig::new(LARGEST_BODY))
        .app_data(JsonConfig::default().limit(LARGEST_BODY))
        .configure(routes)
        .default_service(web::to(problem::not_found))
        .wrap(Guard(gate))
        .wrap(cors)
        .wrap_fn(request_log::observe)
}

/// Tried in this order: the most wanted first.
fn routes(config: &mut ServiceConfig) {
    config
        .service(read("/gpu/metrics", gpu::metrics))
        .service(read("/gpu/metrics/{gpu_id}", gpu::metrics_of_one))
        .service(read("/metrics", metrics::metrics))
        .service(read("/gpu/info", gpu::info))
        .service(read("/health/live", health::live))
        .service(read("/health/ready", health::ready))
        .service(read("/health/", health::health))
        .service(read("/health", health::health))
        .service(read("/health/detailed", health::detailed))
        .service(read("/api/v1/gpus", v1::gpus::gpus))
        .service(read("/api/v1/gpus/{gpu}", v1::gpus::gpu))
        .service(read(
            "/api/v1/gpus/{gpu}/processes",
            v1::processes::processes_of_one,
        ))
        .service(read("/api/v1/processes", v1::processes::processes))
        .service(read("/api/v1/host", v1::host::host))
        .service(read("/api/v1/topology", v1::topology::topology))
        .service(read("/api/v1/events", v1::events::events))
        .service(told("/api/v1/admin/park", v1::admin::park))
        .service(told("/api/v1/admin/resume", v1::admin::resume))
        .service(read("/", root::root))
        .service(read("/openapi.json", docs::openapi))
        .service(read("/docs", docs::page))
        .service(read("/docs/", docs::page_from_folder))
        .service(read("/docs/{file}", docs::asset));
}

/// A route by which the agent is told something.
fn told<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::post().to(handler))
        .default_service(web::to(problem::only_post))
}

/// A route that is only read: GET, and HEAD like GET without a body.
fn read<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(problem::method_not_allowed))
}
