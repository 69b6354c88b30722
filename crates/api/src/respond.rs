//! Makes responses.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;

use crate::{
    large, negotiation, problem,
    rendered::{Rendered, in_coding, to_json},
};

/// A shared body: in the encoding that the client prefers, or 304 if it has it already.
pub(crate) fn rendered(request: &HttpRequest, rendered: &Rendered) -> HttpResponse {
    let Some(coding) = negotiation::coding(request.headers()) else {
        return problem::not_acceptable();
    };
    let encoded = rendered.encoded(coding);
    let mut response = if negotiation::has_already(request.headers(), &encoded.etag) {
        HttpResponse::new(StatusCode::NOT_MODIFIED)
    } else {
        let mut response =
            HttpResponse::with_body(StatusCode::OK, large::body(request, encoded.bytes.clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, rendered.content_type());
        if let Some(content_encoding) = &encoded.content_encoding {
            headers.insert(header::CONTENT_ENCODING, content_encoding.clone());
        }
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, encoded.etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// A body made for this one request out of what all see: in the encoding that the client prefers, under no tag.
pub(crate) fn once(request: &HttpRequest, body: &impl Serialize) -> HttpResponse {
    let Some(coding) = negotiation::coding(request.headers()) else {
        return problem::not_acceptable();
    };
    let (bytes, content_encoding) = in_coding(to_json(body), coding);
    let mut response = HttpResponse::with_body(StatusCode::OK, large::body(request, bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(content_encoding) = content_encoding {
        headers.insert(header::CONTENT_ENCODING, content_encoding);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// A body made for this one request, which no cache may keep.
pub(crate) fn fresh(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    let mut response = HttpResponse::with_body(status, large::sliced(to_json(body)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
