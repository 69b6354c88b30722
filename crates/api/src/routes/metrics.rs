//! `/metrics`: what Prometheus and its kin scrape.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderMap, HeaderValue},
};
use gpulse_exporters::{Format, Profiles};

use super::v1::query;
use crate::{
    problem::{self, Mistake, Problem, ValidationProblem},
    respond,
    state::State,
};

/// What Prometheus scrapes
///
/// All GPUs, the driver and the agent itself in the text format of Prometheus (0.0.4), or of OpenMetrics (1.0.0) if the
/// client says that it prefers that. Always answered with 200: without a GPU it says so. A series whose value is stale or
/// unavailable is absent, and `gpulse_reading_unavailable` says why. The names are those of the profiles that the
/// configuration names (`metrics.profiles`), or of those in `profile`.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics_text",
    tag = "agent",
    params(
        ("profile" = Option<String>, Query, example = "native,dcgm",
            pattern = r"^ *(native|dcgm|dcgm-4\.9|nvidia_smi|resource-agent) *(, *(native|dcgm|dcgm-4\.9|nvidia_smi|resource-agent) *)*$",
            description = "Naming profiles, by comma; those of the configuration by default"),
    ),
    responses(
        (status = 200, description = "The exposition", content(
            (String = "text/plain"),
            (String = "application/openmetrics-text"),
        ), headers(("etag" = String, description = "Names these very bytes"))),
        (status = 304, description = "The client has this body already (`If-None-Match`)"),
        (status = 406, description = "The client refuses every encoding", body = Problem),
        (status = 422, description = "A parameter that is not understood", body = ValidationProblem),
    ),
)]
pub(crate) async fn metrics(request: HttpRequest) -> HttpResponse {
    let state = State::of(&request);
    let profiles = match profiles(&request) {
        Ok(named) => named.unwrap_or(state.expositions.usual()),
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    let exposition = state
        .expositions
        .latest(state, profiles, format(request.headers()));
    let mut response = respond::rendered(&request, &exposition.rendered);
    let vary = HeaderValue::from_static("accept, accept-encoding");
    response.headers_mut().insert(header::VARY, vary);
    response
}

/// The profiles that the client names.
fn profiles(request: &HttpRequest) -> Result<Option<Profiles>, Mistake> {
    if request.query_string().is_empty() {
        return Ok(None);
    }
    let pairs = query::pairs(request.query_string(), &["profile"])?;
    let named = pairs.into_iter().next().map(|(_, text)| {
        text.parse().map_err(|error| Mistake {
            kind: "enum",
            parameter: "profile",
            message: format!("{error}"),
            input: text,
        })
    });
    named.transpose()
}

/// The format that the client prefers. Whoever accepts neither gets plain text, as scrapers expect of an exporter.
fn format(headers: &HeaderMap) -> Format {
    let (mut plain, mut open) = (None, None);
    for value in headers.get_all(header::ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            let (mut weight, mut version) = (1.0_f32, None);
            for part in parts {
                match part.split_once('=') {
                    Some(("q", text)) => weight = text.parse().unwrap_or(0.0),
                    Some(("version", text)) => version = Some(text.trim_matches('"')),
                    _ => {}
                }
            }
            let place = match (media, version) {
                ("application/openmetrics-text", None | Some("1.0.0")) => &mut open,
                ("text/plain" | "text/*" | "*/*", None | Some("0.0.4")) => &mut plain,
                _ => continue,
            };
            let before: Option<f32> = *place;
            *place = Some(before.map_or(weight, |before| before.max(weight)));
        }
    }
    match (open, plain) {
        (Some(open), plain) if open > 0.0 && open >= plain.unwrap_or(0.0) => Format::OpenMetrics,
        _ => Format::Prometheus,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(text: &str) -> Format {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(text).unwrap());
        format(&headers)
    }

    #[test]
    fn the_format_is_the_one_that_is_preferred() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(accepting(prometheus), Format::OpenMetrics);
        assert_eq!(
            accepting("application/openmetrics-text; version=\"1.0.0\""),
            Format::OpenMetrics
        );
        assert_eq!(
            accepting("application/openmetrics-text;q=0.1, text/plain;q=0.9"),
            Format::Prometheus
        );
        for text in [
            "*/*",
            "text/html",
            "",
            "application/json",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;version=0.0.1",
        ] {
            assert_eq!(accepting(text), Format::Prometheus, "{text}");
        }
        assert_eq!(format(&HeaderMap::new()), Format::Prometheus);
    }
}
