//! The native routes: shape, gaps, selection, caching, and that the schema says the same.

use std::sync::Arc;

use gpulse_models::{GpuSnapshot, Sample, example};
use serde_json::Value;

use super::{Answer, Api, DriverReason, REASONS, healthy, hung, lost, pending, without_driver};

mod caching;
mod fields;
mod gpus;
mod host;
mod pods;
mod processes;
mod schema;
mod topology;

/// The routes that are of one snapshot and shared.
const SHARED: [&str; 5] = [
    "/api/v1/gpus",
    "/api/v1/gpus/0",
    "/api/v1/gpus/0/processes",
    "/api/v1/processes",
    "/api/v1/topology",
];

/// The GPU at `index` with a sample that `change` had its way with.
fn gpu_with(index: u32, change: impl FnOnce(&mut Sample)) -> GpuSnapshot {
    let mut sample = example::sample();
    change(&mut sample);
    GpuSnapshot {
        sample: Some(Arc::new(sample)),
        ..example::gpu(index)
    }
}

/// The value at a dotted path.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, step| match value {
        Value::Array(list) => &list[step.parse::<usize>().unwrap()],
        _ => value
            .get(step)
            .unwrap_or_else(|| panic!("no `{step}` of `{path}`")),
    })
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
