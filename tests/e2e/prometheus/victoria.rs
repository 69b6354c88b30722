//! VictoriaMetrics takes what the agent serves, completely, and has it still when it is started anew.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use super::engine::{Engine, program, victoria};
use crate::support::{Agent, eventually, simulator};

/// The series of an exposition, as written: name and labels.
fn sent(body: &str) -> BTreeSet<String> {
    let lines = body
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let series: Vec<_> = lines
        .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
        .collect();
    let different: BTreeSet<_> = series.iter().cloned().collect();
    assert_eq!(different.len(), series.len(), "a series is there twice");
    different
}

/// The series that the engine has, each with as many values.
fn kept(engine: &Engine) -> Vec<(Value, Vec<f64>)> {
    engine.get("/internal/force_flush", &[]);
    let text = engine.get("/api/v1/export", &[("match[]", "{__name__!=\"\"}")]);
    let series = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let values = line["values"].as_array().unwrap().iter();
        (line["metric"].clone(), values.filter_map(Value::as_f64).collect())
    });
    series.collect()
}

#[track_caller]
fn has_all(program: &Path, directory: &Path, count: usize) -> Engine {
    let engine = victoria(program, directory);
    eventually(
        "every series is there",
        || kept(&engine).len(),
        |found| *found == count,
    );
    engine
}

#[test]
fn what_is_imported_is_complete_also_after_a_restart() {
    let Some(program) = program("victoria-metrics") else {
        return;
    };
    let simulator = simulator("h100-sxm-8");
    let agent = Agent::ready(simulator.library_path());
    for profiles in ["native", "dcgm,dcgm-4.9,nvidia_smi,resource-agent"] {
        let answer = agent.get(&format!("/metrics?profile={profiles}"));
        let body = String::from_utf8(answer.body).unwrap();
        let sent = sent(&body);
        assert!(sent.len() > 500, "{profiles}: {}", sent.len());

        let directory = TempDir::new().unwrap();
        let engine = victoria(&program, directory.path());
        engine.post("/api/v1/import/prometheus", body.as_bytes());
        eventually(
            "every series arrives",
            || kept(&engine).len(),
            |found| *found == sent.len(),
        );
        let before = kept(&engine);
        assert!(before.iter().all(|(_, values)| values.len() == 1), "{profiles}");
        engine.end();

        let engine = has_all(&program, directory.path(), sent.len());
        let sorted = |mut series: Vec<(Value, Vec<f64>)>| {
            series.sort_by_key(|(metric, _)| metric.to_string());
            series
        };
        assert_eq!(sorted(kept(&engine)), sorted(before), "{profiles}");
        // By name, as a dashboard asks for it.
        if profiles == "native" {
            let up = || engine.query("gpulse_gpu_up == 1").len();
            eventually("a query sees the GPUs", up, |found| *found == 8);
        }
    }
}
