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
    drain::{self, Drain},
    gate::{Gate, LARGEST_BODY},
    guard::Guard,
    problem, request_log,
    routes::{dashboard, docs, gpu, health, metrics, root, v1},
    state::State,
    stream::Hub,
};

/// The application of one worker.
pub(crate) fn app(
    state: Data<State>,
    gate: Arc<Gate>,
    cors: Condition<Cors>,
    drain: Arc<Drain>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let hub = Hub::new(&state.cache, &drain);
    App::new()
        .app_data(state)
        .app_data(hub)
        // Bodies whose length is not announced end there as well.
        .app_data(PayloadConfig::new(LARGEST_BODY))
        .app_data(JsonConfig::default().limit(LARGEST_BODY))
        .configure(routes)
        .default_service(web::to(problem::not_found))
        .wrap(Guard(gate))
        .wrap(cors)
        .wrap_fn(request_log::observe)
        .wrap_fn(move |request, service| drain::say_goodbye(&drain, request, service))
}

/// Declares the routes, and what they are called where requests are counted.
macro_rules! routes {
    ($($kind:ident $template:literal $handler:path;)*) => {
        /// The templates of all routes, in the order of the table.
        pub(crate) const TEMPLATES: &[&str] = &[$($template),*];

        fn routes(config: &mut ServiceConfig) {
            config$(.service($kind($template, $handler)))*;
        }
    };
}

// Tried in this order: the most wanted first, and those with a part that varies after those without, for whom it would be looked for
// in vain at every request.
routes! {
    read "/gpu/metrics" gpu::metrics;
    read "/metrics" metrics::metrics;
    read "/gpu/info" gpu::info;
    read "/health/live" health::live;
    read "/health/ready" health::ready;
    read "/health/" health::health;
    read "/health" health::health;
    read "/health/detailed" health::detailed;
    read "/api/v1/gpus" v1::gpus::gpus;
    read "/api/v1/stream" v1::stream::stream;
    read "/api/v1/processes" v1::processes::processes;
    read "/api/v1/host" v1::host::host;
    read "/api/v1/topology" v1::topology::topology;
    read "/api/v1/events" v1::events::events;
    read "/api/v1/history" v1::history::history;
    read "/api/v1/history/metrics" v1::history::metrics;
    read "/api/v1/targets" v1::targets::targets;
    told "/api/v1/admin/park" v1::admin::park;
    told "/api/v1/admin/resume" v1::admin::resume;
    read "/" root::root;
    read "/openapi.json" docs::openapi;
    read "/docs" docs::page;
    read "/docs/" docs::page_from_folder;
    read "/gpu/metrics/{gpu_id}" gpu::metrics_of_one;
    read "/api/v1/gpus/{gpu}" v1::gpus::gpu;
    read "/api/v1/gpus/{gpu}/processes" v1::processes::processes_of_one;
    read "/ui/{file}" dashboard::file;
    read "/ui/{folder}/{file}" dashboard::file_in_folder;
    read "/docs/{file}" docs::asset;
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
