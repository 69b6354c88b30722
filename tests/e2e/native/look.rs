//! Looking at `/api/v1/gpus`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Agent, eventually};

/// What the agent says of a GPU.
#[track_caller]
pub(super) fn gpu(agent: &Agent, index: usize) -> Value {
    agent.json(&format!("/api/v1/gpus/{index}"))
}

/// What is at a path of the reference.
pub(super) fn at<'a>(gpu: &'a Value, path: &str) -> &'a Value {
    gpu.pointer(&format!("/{}", path.replace('.', "/")))
        .unwrap_or(&Value::Null)
}

/// The number at a path.
#[track_caller]
pub(super) fn number(gpu: &Value, path: &str) -> f64 {
    match at(gpu, path).as_f64() {
        Some(number) => number,
        None => panic!("no number at {path}: {}; {}", at(gpu, path), gpu["unavailable"]),
    }
}

/// Looks at a GPU until `holds` is true of it.
#[track_caller]
pub(super) fn until(agent: &Agent, index: usize, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || gpu(agent, index), holds)
}

/// The reason of each null below the groups of a GPU, by its path: its own, or the nearest of one above it. A null without
/// one is an answer.
///
/// # Panics
///
/// If a reason is given for what has a value, or for a path that is not there.
#[track_caller]
pub(super) fn absences(gpu: &Value) -> BTreeMap<String, String> {
    let Some(reasons) = gpu["unavailable"].as_object() else {
        panic!("no `unavailable` in {gpu}");
    };
    let mut nulls = Vec::new();
    for (key, below) in gpu.as_object().into_iter().flatten() {
        // What stands beside the groups is no reading.
        if below.is_object() && key != "unavailable" {
            collect_nulls(key, below, &mut nulls);
        }
    }
    // Nor is who holds the GPU.
    for path in reasons.keys().filter(|path| *path != "pods") {
        let explains = |null: &String| null == path || null.starts_with(&format!("{path}."));
        assert!(
            nulls.iter().any(explains),
            "{path} is not null: {}",
            at(gpu, path)
        );
    }
    let found = nulls.into_iter().filter_map(|path| {
        let mut above = Some(path.as_str());
        while let Some(place) = above {
            if let Some(reason) = reasons.get(place).and_then(Value::as_str) {
                let reason = reason.to_owned();
                return Some((path, reason));
            }
            above = place.rsplit_once('.').map(|(above, _)| above);
        }
        None
    });
    found.collect()
}

fn collect_nulls(path: &str, value: &Value, nulls: &mut Vec<String>) {
    match value {
        Value::Null => nulls.push(path.to_owned()),
        Value::Object(below) => {
            for (key, value) in below {
                collect_nulls(&format!("{path}.{key}"), value, nulls);
            }
        }
        Value::Array(below) => {
            for (place, value) in below.iter().enumerate() {
                collect_nulls(&format!("{path}.{place}"), value, nulls);
            }
        }
        _ => {}
    }
}
