//! `/openapi.json` and `/docs`: what this interface is, for programs and for people.
//!
//! Everything the page needs comes out of the binary, and its policy forbids the browser to load anything else.
//! Addresses in it are relative, so that it holds behind a proxy that puts the agent under a path of its own.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, Path},
};
use bytes::Bytes;
use utoipa_swagger_ui::Config;

use super::dashboard::guarded;
use crate::{openapi, problem, rendered::Rendered, respond, state::State};

/// The page; the rest is asked for by it.
const PAGE: &str = include_str!("../docs/page.html");

/// Starts the page.
const START: &str = include_str!("../docs/start.js");

/// Swagger UI sets styles from its script and carries its icons as data.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// What the page asks for.
const ASSETS: [&str; 4] = [
    "start.js",
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "favicon-32x32.png",
];

/// The documents, each rendered when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    openapi: OnceLock<Rendered>,
    page: OnceLock<Rendered>,
    assets: [OnceLock<Option<Rendered>>; ASSETS.len()],
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "agent",
    responses((status = 200, description = "The OpenAPI 3.1 document", body = serde_json::Value)),
)]
pub(crate) async fn openapi(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let json = HeaderValue::from_static("application/json");
    let document = state
        .documents
        .openapi
        .get_or_init(|| Rendered::new(openapi::openapi_json(), json, state.bodies.tags()));
    respond::rendered(&request, document)
}

/// This document, to be read and tried out in a browser
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "docs",
    tag = "agent",
    responses((status = 200, description = "A page that loads nothing from outside", body = String,
        content_type = "text/html")),
)]
pub(crate) async fn page(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let page = state
        .documents
        .page
        .get_or_init(|| Rendered::new(PAGE, html, state.bodies.tags()));
    guarded(
        respond::rendered(&request, page),
        &HeaderValue::from_static(POLICY),
    )
}

/// Relative addresses in the page hold from `/docs` only.
pub(crate) async fn page_from_folder() -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::PERMANENT_REDIRECT);
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::from_static("../docs"));
    response
}

/// A file of the page.
pub(crate) async fn asset(request: HttpRequest, file: Path<String>, state: Data<State>) -> HttpResponse {
    let Some(place) = ASSETS.iter().position(|asset| *asset == *file) else {
        return problem::not_found().await;
    };
    let render = || {
        let (bytes, content_type) = load(ASSETS[place])?;
        let content_type = HeaderValue::from_str(&content_type).ok()?;
        // Embedded in the binary, they need no copy in memory.
        let bytes = match bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Some(Rendered::new(bytes, content_type, state.bodies.tags()))
    };
    match state.documents.assets[place].get_or_init(render) {
        Some(asset) => guarded(
            respond::rendered(&request, asset),
            &HeaderValue::from_static(POLICY),
        ),
        None => problem::not_found().await,
    }
}

/// The bytes and the type of a file of the page.
fn load(file: &str) -> Option<(Cow<'static, [u8]>, String)> {
    if file == "start.js" {
        return Some((
            START.as_bytes().into(),
            "text/javascript; charset=utf-8".to_owned(),
        ));
    }
    let file = utoipa_swagger_ui::serve(file, Arc::new(Config::from(""))).ok()??;
    Some((file.bytes, file.content_type))
}
