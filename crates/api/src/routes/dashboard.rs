//! `/ui/…` and the page at `/`: the dashboard, for browsers.
//!
//! Neither the page nor its files hold data: they are served to everybody, and what they show is asked for by the page, with
//! whatever credentials its reader has. Their tags name their content, so that a browser asks for a file's bytes once.

use std::{
    borrow::Cow,
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web::{Data, Path},
};
use bytes::Bytes;
use gpulse_dashboard::{Asset, Links, Page};

use crate::{problem, rendered::Rendered, respond, state::State};

/// The page and its files, each compressed when it is first asked for so.
#[derive(Debug)]
pub(crate) struct Dashboard {
    page: Rendered,
    policy: HeaderValue,
    files: HashMap<Cow<'static, str>, Rendered>,
}

impl Dashboard {
    pub(crate) fn new(links: &Links) -> Self {
        let Page { html, policy } = Page::new(links);
        let policy =
            HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
        let tag = tag(&html);
        Self {
            page: Rendered::tagged(html, HeaderValue::from_static("text/html; charset=utf-8"), tag),
            policy,
            files: gpulse_dashboard::paths()
                .filter_map(|path| Some((path.clone(), render(&path)?)))
                .collect(),
        }
    }

    /// The page, under its policy.
    pub(crate) fn page(&self, request: &HttpRequest) -> HttpResponse {
        let mut response = guarded(respond::rendered(request, &self.page), &self.policy);
        // A program gets JSON there.
        response
            .headers_mut()
            .insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
        response
    }

    fn file(&self, request: &HttpRequest, path: &str) -> Option<HttpResponse> {
        let file = self.files.get(path)?;
        Some(guarded(respond::rendered(request, file), &self.policy))
    }
}

/// A file of the dashboard.
pub(crate) async fn file(request: HttpRequest, file: Path<String>, state: Data<State>) -> HttpResponse {
    serve(&request, &file, &state).await
}

/// A file in a folder of the dashboard.
pub(crate) async fn file_in_folder(
    request: HttpRequest,
    place: Path<(String, String)>,
    state: Data<State>,
) -> HttpResponse {
    let (folder, file) = place.into_inner();
    serve(&request, &format!("{folder}/{file}"), &state).await
}

async fn serve(request: &HttpRequest, path: &str, state: &State) -> HttpResponse {
    let found = state
        .dashboard
        .as_ref()
        .and_then(|dashboard| dashboard.file(request, path));
    match found {
        Some(response) => response,
        None => problem::not_found().await,
    }
}

fn render(path: &str) -> Option<Rendered> {
    let Asset {
        bytes,
        content_type,
        etag,
    } = gpulse_dashboard::asset(path)?;
    // Embedded in the binary, they need no copy in memory.
    let bytes = match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Some(Rendered::tagged(
        bytes,
        HeaderValue::from_static(content_type),
        etag,
    ))
}

/// Names the page: its settings differ from agent to agent, and it is the same again after a restart.
fn tag(html: &str) -> String {
    let mut hasher = DefaultHasher::new();
    html.hash(&mut hasher);
    format!("page-{:016x}", hasher.finish())
}

/// Adds what tells a browser to load, run and frame nothing but what `policy` says.
pub(super) fn guarded(mut response: HttpResponse, policy: &HeaderValue) -> HttpResponse {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // An address may hold what a proxy put into it.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
