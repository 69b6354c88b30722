//! The schema and the bodies say the same: no key more, none less, every value of its type.

use gpulse_models::example;
use serde_json::Value;

use super::{Api, hung, lost, pending};
use crate::openapi::openapi_json;

/// Looks whether bodies are what the document says.
struct Document(Value);

impl Document {
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.0.pointer(&reference[1..]).unwrap(),
            None => schema,
        }
    }

    /// `is_whole`: no key of the schema may be missing.
    fn check(&self, path: &str, schema: &Value, value: &Value, is_whole: bool) {
        let schema = self.resolve(schema);
        if let Some(choices) = schema["oneOf"].as_array() {
            let is_null = |choice: &&Value| choice["type"] == "null";
            let choice = choices.iter().find(|choice| is_null(choice) == value.is_null());
            return self.check(path, choice.unwrap(), value, is_whole);
        }
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let kinds = match &schema["type"] {
            Value::Array(kinds) => kinds.clone(),
            kind => vec![kind.clone()],
        };
        assert!(
            kinds.iter().any(|kind| kind == name),
            "{path}: {name} is not {kinds:?}"
        );
        if let Some(words) = schema["enum"].as_array() {
            assert!(words.contains(value), "{path}: {value}");
        }
        match value {
            Value::Array(items) => {
                for item in items {
                    self.check(&format!("{path}[]"), &schema["items"], item, is_whole);
                }
            }
            Value::Object(map) => self.check_object(path, schema, map, is_whole),
            _ => {}
        }
    }

    fn check_object(&self, path: &str, schema: &Value, map: &serde_json::Map<String, Value>, is_whole: bool) {
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(
                map.contains_key(required.as_str().unwrap()),
                "{path}: {required} is not sent"
            );
        }
        let properties = schema["properties"].as_object();
        for key in properties.into_iter().flat_map(|properties| properties.keys()) {
            assert!(!is_whole || map.contains_key(key), "{path}: {key} is not sent");
        }
        for (key, value) in map {
            let property = properties.and_then(|properties| properties.get(key));
            let others = schema.get("additionalProperties");
            let property = property
                .or(others)
                .unwrap_or_else(|| panic!("{path}.{key} is in no schema"));
            self.check(&format!("{path}.{key}"), property, value, is_whole);
        }
    }
}

#[actix_web::test]
async fn every_body_is_what_the_document_says() {
    let document = Document(serde_json::from_str(&openapi_json()).unwrap());
    let api = Api::over(example::host([example::gpu(0), hung(1), lost(2), pending(3)]));
    for (path, route) in [
        ("/api/v1/gpus", "/api/v1/gpus"),
        ("/api/v1/gpus/0", "/api/v1/gpus/{gpu}"),
        ("/api/v1/gpus/2", "/api/v1/gpus/{gpu}"),
        ("/api/v1/gpus/0/processes", "/api/v1/gpus/{gpu}/processes"),
        ("/api/v1/gpus/3/processes", "/api/v1/gpus/{gpu}/processes"),
        ("/api/v1/processes", "/api/v1/processes"),
        ("/api/v1/topology", "/api/v1/topology"),
        ("/api/v1/host", "/api/v1/host"),
        (
            "/api/v1/gpus?fields=power.interval.p95_watts,last_error.at",
            "/api/v1/gpus",
        ),
        ("/api/v1/processes?fields=user", "/api/v1/processes"),
        ("/api/v1/topology?fields=pairs.nvlinks", "/api/v1/topology"),
        (
            "/api/v1/host?fields=driver.status,totals.mean_gpu_percent",
            "/api/v1/host",
        ),
    ] {
        let body = api.get(path).await.json();
        let response = &document.0["paths"][route]["get"]["responses"]["200"];
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{route}");
        document.check(path, schema, &body, !path.contains('?'));
    }
}
