//! The document: complete, with an example that is true beside each answer.

use gpulse_models::example;
use serde_json::{Value, json};

use super::{Api, DriverReason, healthy, hung, lost, pending, without_driver};
use crate::openapi::{EXAMPLES, Example, is_selectable, openapi_json};

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

#[test]
fn it_is_a_3_1_document_of_this_version_and_names_no_host() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(document.get("servers").is_none());
}

#[test]
fn every_json_answer_has_a_schema_and_an_example() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        let operation = item.get("get").unwrap_or(&item["post"]);
        for (status, response) in operation["responses"].as_object().unwrap() {
            if response.get("$ref").is_some() {
                continue;
            }
            let Some(content) = response.get("content") else {
                assert!(["303", "304"].contains(&status.as_str()), "{path} {status}");
                continue;
            };
            if let Some(json) = content.get("application/json") {
                assert!(json.get("schema").is_some(), "{path} {status}");
                assert!(
                    json.get("example").is_some() || path == "/openapi.json",
                    "{path} {status}"
                );
            }
        }
    }
}

#[test]
fn every_key_is_described_and_every_reference_leads_somewhere() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        let parts = schema["allOf"].as_array().cloned().unwrap_or_default();
        for part in parts.iter().chain([schema]) {
            for (key, property) in part["properties"].as_object().into_iter().flatten() {
                assert!(is_described(property), "{name}.{key}");
                let required = part["required"].as_array();
                let is_required = required.is_some_and(|required| required.contains(&json!(key)));
                assert!(is_required || is_selectable(name), "{name}.{key} is always sent");
            }
        }
    }
    let text = openapi_json();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
}

/// A key that may be null or refer to a schema has its description beside the reference.
fn is_described(property: &Value) -> bool {
    let choices = property["oneOf"].as_array().into_iter().flatten();
    choices
        .chain([property])
        .any(|schema| schema.get("description").is_some())
}

/// Asks for what each example shows. `UPDATE_EXAMPLES=1` writes the files instead.
#[actix_web::test]
async fn the_examples_are_true() {
    let working = || Api::over(example::host([example::gpu(0), hung(1), lost(2)]));
    let down = || Api::over(without_driver(DriverReason::DriverNotLoaded));
    let blank = || Api::over(example::host([pending(0)]));
    for Example {
        path,
        status,
        json,
        file,
    } in EXAMPLES
    {
        let (api, asked): (Api, _) = match (path, status) {
            ("/api/v1/events", "404") => (Api::over(healthy(2)), "/api/v1/events?gpu=999"),
            ("/api/v1/events", "422") => (working(), "/api/v1/events?limit=0"),
            ("/api/v1/events", _) => (super::events::eventful(), path),
            ("/api/v1/history", "200") => (super::history::eventful(), super::history::EXAMPLE),
            ("/api/v1/history", "404") => (
                Api::over(healthy(2)),
                "/api/v1/history?metric=load.gpu_percent&gpu=999",
            ),
            ("/api/v1/history", "422") => (working(), "/api/v1/history?metric=load.gpu"),
            ("/api/v1/history", _) => (working(), super::history::EXAMPLE),
            ("/api/v1/gpus", "200") => (
                working(),
                "/api/v1/gpus?fields=load.gpu_percent,power.draw_watts,thermal,activity",
            ),
            ("/api/v1/gpus", "422") => (working(), "/api/v1/gpus?fields=power.draw"),
            ("/api/v1/processes", "422") => (working(), "/api/v1/processes?fields=memory"),
            ("/api/v1/host", "422") => (working(), "/api/v1/host?fields=gpu"),
            ("/api/v1/topology", "422") => (working(), "/api/v1/topology?fields=pairs.nvlink"),
            ("/gpu/info", "422") => (working(), "/gpu/info?wait_for=x"),
            ("/gpu/metrics", "422") => (working(), "/gpu/metrics?wait_for=x"),
            ("/api/v1/stream", "404") => (Api::over(healthy(2)), "/api/v1/stream?gpu=999"),
            ("/api/v1/stream", "422") => (working(), "/api/v1/stream?interval=5"),
            ("/api/v1/gpus/{gpu}", "404") => (Api::over(healthy(2)), "/api/v1/gpus/999"),
            ("/api/v1/gpus/{gpu}", "422") => (working(), "/api/v1/gpus/abc"),
            ("/api/v1/gpus/{gpu}", "503") => (down(), "/api/v1/gpus/0"),
            ("/api/v1/gpus/{gpu}", _) => (working(), "/api/v1/gpus/0"),
            ("/api/v1/gpus/{gpu}/processes", "404") => (Api::over(healthy(2)), "/api/v1/gpus/999/processes"),
            ("/api/v1/gpus/{gpu}/processes", "422") => (working(), "/api/v1/gpus/abc/processes"),
            ("/api/v1/gpus/{gpu}/processes", "503") => (down(), "/api/v1/gpus/0/processes"),
            ("/api/v1/gpus/{gpu}/processes", _) => (working(), "/api/v1/gpus/0/processes"),
            ("/api/v1/gpus" | "/api/v1/processes" | "/api/v1/topology", "503") => (down(), path),
            ("/gpu/metrics/{gpu_id}", "404") => (Api::over(healthy(2)), "/gpu/metrics/999"),
            ("/gpu/metrics/{gpu_id}", "422") => (working(), "/gpu/metrics/abc"),
            ("/gpu/metrics/{gpu_id}", "500") => (working(), "/gpu/metrics/2"),
            ("/gpu/metrics/{gpu_id}", "503") => (down(), "/gpu/metrics/0"),
            ("/gpu/metrics/{gpu_id}", _) => (working(), "/gpu/metrics/0"),
            ("/gpu/metrics", "500") | ("/health/ready", "503") => (blank(), path),
            ("/gpu/metrics", "503") => (down(), path),
            ("/metrics", "422") => (working(), "/metrics?profile=dgcm"),
            _ => (working(), path),
        };
        let accept = if status == "406" { "*;q=0" } else { "identity" };
        let answer = api.get_with(asked, &[("accept-encoding", accept)]).await;
        assert_eq!(answer.status.as_str(), status, "{path}");
        let body = settled(answer.json());
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            let text = serde_json::to_string_pretty(&body).unwrap();
            std::fs::write(file, text + "\n").unwrap();
            continue;
        }
        let shown: Value = serde_json::from_str(json).unwrap();
        assert_eq!(
            shown, body,
            "{file}: run with UPDATE_EXAMPLES=1 and read the difference"
        );
    }
}

/// `body` with what is of now replaced.
fn settled(mut body: Value) -> Value {
    if body.get("uptime_seconds").is_some() {
        body["uptime_seconds"] = json!(86_400.5);
        body["timestamp"] = json!("2027-01-15T08:00:00.25Z");
    }
    for place in ["/instance", "/agent/instance"] {
        if let Some(instance) = body.pointer_mut(place) {
            *instance = json!("29f23babb6bf9c97");
        }
    }
    if let Some(started_at) = body.pointer_mut("/agent/started_at") {
        *started_at = json!("2027-01-14T08:00:00.25Z");
    }
    if let Some(gpus) = body.pointer_mut("/components/gpus").and_then(Value::as_array_mut) {
        for age in gpus.iter_mut().filter_map(|gpu| gpu.get_mut("age_seconds")) {
            *age = json!(0.25);
        }
    }
    body
}
