//! Puts an example beside each answer. The tests ask for the same bodies and compare.

use serde_json::Value;
use utoipa::{
    Modify,
    openapi::{OpenApi, RefOr},
};

/// One answer.
pub(crate) struct Example {
    pub(crate) path: &'static str,
    pub(crate) status: &'static str,
    pub(crate) json: &'static str,
    #[cfg(test)]
    pub(crate) file: &'static str,
}

macro_rules! example {
    ($path:literal, $status:literal, $file:literal) => {
        Example {
            path: $path,
            status: $status,
            json: include_str!(concat!("examples/", $file, ".json")),
            #[cfg(test)]
            file: concat!("src/openapi/examples/", $file, ".json"),
        }
    };
}

/// One for each JSON answer of each route.
pub(crate) const EXAMPLES: [Example; 61] = [
    example!("/gpu/info", "200", "info"),
    example!("/gpu/info", "406", "not_acceptable"),
    example!("/gpu/info", "422", "bad_wait"),
    example!("/gpu/metrics", "200", "metrics"),
    example!("/gpu/metrics", "406", "not_acceptable"),
    example!("/gpu/metrics", "422", "bad_wait"),
    example!("/gpu/metrics", "500", "no_samples"),
    example!("/gpu/metrics", "503", "unavailable"),
    example!("/gpu/metrics/{gpu_id}", "200", "gpu"),
    example!("/gpu/metrics/{gpu_id}", "404", "unknown_gpu"),
    example!("/gpu/metrics/{gpu_id}", "406", "not_acceptable"),
    example!("/gpu/metrics/{gpu_id}", "422", "not_a_gpu"),
    example!("/gpu/metrics/{gpu_id}", "500", "no_sample"),
    example!("/gpu/metrics/{gpu_id}", "503", "gpu_unavailable"),
    example!("/api/v1/gpus", "200", "gpus"),
    example!("/api/v1/gpus", "406", "not_acceptable"),
    example!("/api/v1/gpus", "422", "unknown_field"),
    example!("/api/v1/gpus", "503", "native_unavailable"),
    example!("/api/v1/gpus/{gpu}", "200", "one_gpu"),
    example!("/api/v1/gpus/{gpu}", "404", "unknown_gpu"),
    example!("/api/v1/gpus/{gpu}", "406", "not_acceptable"),
    example!("/api/v1/gpus/{gpu}", "422", "bad_gpu"),
    example!("/api/v1/gpus/{gpu}", "503", "native_unavailable"),
    example!("/api/v1/stream", "404", "unknown_gpu"),
    example!("/api/v1/stream", "406", "not_acceptable"),
    example!("/api/v1/stream", "422", "bad_interval"),
    example!("/api/v1/gpus/{gpu}/processes", "200", "gpu_processes"),
    example!("/api/v1/gpus/{gpu}/processes", "404", "unknown_gpu"),
    example!("/api/v1/gpus/{gpu}/processes", "406", "not_acceptable"),
    example!("/api/v1/gpus/{gpu}/processes", "422", "bad_gpu"),
    example!("/api/v1/gpus/{gpu}/processes", "503", "native_unavailable"),
    example!("/api/v1/processes", "200", "processes"),
    example!("/api/v1/processes", "406", "not_acceptable"),
    example!("/api/v1/processes", "422", "unknown_process_field"),
    example!("/api/v1/processes", "503", "native_unavailable"),
    example!("/api/v1/host", "200", "host"),
    example!("/api/v1/host", "406", "not_acceptable"),
    example!("/api/v1/host", "422", "unknown_host_field"),
    example!("/api/v1/topology", "200", "topology"),
    example!("/api/v1/topology", "406", "not_acceptable"),
    example!("/api/v1/topology", "422", "unknown_topology_field"),
    example!("/api/v1/topology", "503", "native_unavailable"),
    example!("/api/v1/events", "200", "events"),
    example!("/api/v1/events", "404", "unknown_gpu"),
    example!("/api/v1/events", "422", "bad_parameter"),
    example!("/api/v1/history", "200", "history"),
    example!("/api/v1/history", "404", "unknown_gpu"),
    example!("/api/v1/history", "406", "not_acceptable"),
    example!("/api/v1/history", "422", "unknown_metric"),
    example!("/api/v1/history/metrics", "200", "history_metrics"),
    example!("/api/v1/history/metrics", "406", "not_acceptable"),
    example!("/api/v1/targets", "200", "targets"),
    example!("/api/v1/targets", "406", "not_acceptable"),
    example!("/metrics", "406", "not_acceptable"),
    example!("/metrics", "422", "unknown_profile"),
    example!("/health/", "200", "health"),
    example!("/health/detailed", "200", "detailed"),
    example!("/health/ready", "200", "ready"),
    example!("/health/ready", "503", "not_ready"),
    example!("/health/live", "200", "live"),
    example!("/", "200", "root"),
];

/// Puts an example beside each answer.
pub(super) struct Examples;

impl Modify for Examples {
    fn modify(&self, document: &mut OpenApi) {
        for example in EXAMPLES {
            let operation = document
                .paths
                .paths
                .get_mut(example.path)
                .and_then(|item| item.get.as_mut());
            let response =
                operation.and_then(|operation| operation.responses.responses.get_mut(example.status));
            let Some(RefOr::T(response)) = response else {
                continue;
            };
            // The types that are JSON: a page has no such example.
            let json = response
                .content
                .iter_mut()
                .filter(|(kind, _)| kind.ends_with("json"));
            for (_, content) in json {
                let RefOr::T(content) = content else { continue };
                content.example = serde_json::from_str::<Value>(example.json).ok();
            }
        }
    }
}
