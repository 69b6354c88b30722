//! Which routes an agent has, by its own account.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::agent::Agent;
use crate::http;

/// The encodings that bodies come in.
const ENCODINGS: [&str; 3] = ["identity", "gzip", "zstd"];

/// What `{gpu}` and the like stand for: any GPU.
const GPU: &str = "0";

/// The routes that give JSON, with the first GPU in the place of one.
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
        .map(|(path, _)| with_a_gpu(path))
        .collect()
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
        let document = json!({"paths": {"/docs": page, "/gpus/{gpu}/processes": json, "/health/": json}});
        assert_eq!(routes(&document), ["/gpus/0/processes", "/health/"]);
    }
}
