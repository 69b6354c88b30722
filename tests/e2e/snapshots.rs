//! Each body of a world that stands still, kept as a file. What differs from run to run is masked.

use std::time::Duration;

use nvml_sim::testing::Simulator;
use serde_json::Value;

use crate::support::Agent;

/// An age of the world at which its GPUs are at work.
const AGE: Duration = Duration::from_secs(600);

/// Keys whose values differ from run to run.
const MOVING: [&str; 13] = [
    "attempts",
    "timestamp",
    "sampled_at",
    "slow_sampled_at",
    "generation",
    // What the machine has on which the tests run.
    "inventory",
    "library",
    "uptime_seconds",
    "since",
    "age_seconds",
    "sequence",
    "published_at",
    "requests_total",
];

/// Masks what differs from run to run, and `directory` in texts.
pub(crate) fn mask(value: &mut Value, directory: &str) {
    match value {
        Value::Object(object) => {
            let object_is_link = object.contains_key("generation_max");
            for (key, value) in object {
                // The PCIe link has a generation too, which stays.
                let moving = MOVING.contains(&key.as_str()) && !(key == "generation" && object_is_link);
                if moving && !value.is_null() {
                    *value = Value::from(format!("<{key}>"));
                } else {
                    mask(value, directory);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, directory)),
        Value::String(text) => *text = text.replace(directory, "<directory>"),
        _ => {}
    }
}

fn check(profile: &str, paths: &[(&str, &str)]) {
    let simulator = Simulator::builder(profile).frozen_at(AGE).start().unwrap();
    let agent = Agent::ready(simulator.library_path());
    for (name, path) in paths {
        let mut body = agent.json(path);
        mask(&mut body, &simulator.dir().display().to_string());
        insta::assert_json_snapshot!(format!("{profile}.{name}"), body);
    }
}

#[test]
fn a_pair_of_unlike_desktops() {
    check(
        "rtx-4090",
        &[
            ("metrics", "/gpu/metrics"),
            ("info", "/gpu/info"),
            ("single", "/gpu/metrics/0"),
        ],
    );
    check("gb10", &[("single", "/gpu/metrics/0")]);
}

#[test]
fn servers() {
    check("a100-mig", &[("single", "/gpu/metrics/0")]);
    check(
        "t4",
        &[
            ("single", "/gpu/metrics/0"),
            ("detailed", "/health/detailed"),
            ("health", "/health/"),
        ],
    );
}

#[test]
fn hosts_without_gpus() {
    check(
        "no-gpu",
        &[
            ("metrics", "/gpu/metrics"),
            ("info", "/gpu/info"),
            ("missing", "/gpu/metrics/0"),
        ],
    );
    check(
        "no-driver",
        &[
            ("detailed", "/health/detailed"),
            ("malformed", "/gpu/metrics/abc"),
        ],
    );
}
