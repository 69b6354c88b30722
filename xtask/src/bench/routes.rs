//! Which routes an agent has, by its own account.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::agent::Agent;
use crate::http;

/// The encodings that bodies come in.
const ENCODINGS: [&str; 3] = ["identity", "gzip", "zstd"];

/// What `{gpu}` and the like stand for: any GPU.
const GPU: &str = "0";

/// The routes that give JSON, with the first GPU in the place of one, and the document's examples of what has to be asked for.
pub(crate) fn of(agent: &Agent) -> Result<Vec<String>> {
    let answer = http::get(agent.address(), "/openapi.json")?;
    let document: Value = serde_json::from_str(&answer.body).context("the OpenAPI document is no JSON")?;
    let routes = routes(&document);
    if routes.is_empty() {
        bail!("the OpenAPI document names no routes");
    }
    Ok(routes)
}

/// Asks for every route in every encoding once.
pub(crate) fn ask_all(agent: &Agent, routes: &[String]) -> Result<()> {
    for route in routes {
        for encoding in ENCODINGS {
            let answer = http::get_encoded(agent.address(), route, encoding)?;
            if answer.status != 200 {
                bail!("{route} answers {} ({encoding})", answer.status);
            }
        }
    }
    Ok(())
}

fn routes(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter(|(_, path)| !path["get"]["responses"]["200"]["content"]["application/json"].is_null())
        .map(|(path, item)| with_a_gpu(path) + &required_query(&item["get"]))
        .collect()
}

/// The query without which a route refuses to answer.
fn required_query(operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let required = parameters.filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
    let pairs = required.filter_map(|parameter| {
        let example = parameter["example"].as_str()?;
        Some(format!("{}={example}", parameter["name"].as_str()?))
    });
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() {
        return String::new();
    }
    format!("?{}", pairs.join("&"))
}

fn with_a_gpu(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| if part.starts_with('{') { GPU } else { part })
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::routes;

    #[test]
    fn routes_that_give_json_are_found_and_parameters_filled_in() {
        let json = json!({"get": {"responses": {"200": {"content": {"application/json": {}}}}}});
        let page = json!({"get": {"responses": {"200": {"content": {"text/html": {}}}}}});
        let mut asked = json.clone();
        asked["get"]["parameters"] = json!([
            {"name": "metric", "in": "query", "required": true, "example": "a,b"},
            {"name": "step", "in": "query", "required": false, "example": "1s"},
        ]);
        let document = json!({"paths": {"/docs": page, "/gpus/{gpu}/processes": json, "/health/": json, "/history": asked}});
        assert_eq!(
            routes(&document),
            ["/gpus/0/processes", "/health/", "/history?metric=a,b"]
        );
    }
}
