//! Every rule works in a real Prometheus, every alert fires that the fleet gives reason to, and each has a test of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;

use super::{
    dashboards::all_have_data,
    engine::{Engine, program},
    fleet::Fleet,
    shipped::files,
};
use crate::support::eventually;

/// Alerts whose expression this fleet does not fulfil, and why, with all that they compare, which has data. promtool shows of
/// each that it fires. One that is fulfilled does not belong here.
const NOT_FULFILLED: [(&str, &[&str]); 2] = [
    // An agent whose aggregator stands still is a bug that cannot be ordered.
    (
        "GpulseSnapshotStuck",
        &[
            "changes(gpulse_generation[5m])",
            "gpulse_gpus > 0",
            "increase(gpulse_aggregator_heartbeats_total[5m])",
        ],
    ),
    // Nine tenths of half an hour do not pass within a test.
    (
        "GpuPowerCapped",
        &["rate(gpulse_clocks_lowered_power_seconds_total[30m])"],
    ),
];

/// What every alert says.
const ANNOTATIONS: [&str; 3] = ["summary", "meaning", "action"];

const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

#[test]
fn every_rule_works_on_real_agents() {
    let Some(program) = program("prometheus") else {
        return;
    };
    let fleet = Fleet::start(&program);
    let prometheus = &fleet.prometheus;
    let (alerts, recorded) = (rules(prometheus, "alert"), rules(prometheus, "record"));
    assert!(
        alerts.len() > 20 && recorded.len() > 15,
        "{} {}",
        alerts.len(),
        recorded.len()
    );

    let recorded: BTreeSet<_> = recorded.keys().cloned().collect();
    all_have_data(prometheus, &recorded, &[]);

    let query = |name: &str| alerts[name]["query"].as_str().unwrap();
    let queries: BTreeSet<_> = alerts.keys().map(|name| query(name).to_owned()).collect();
    let exceptions = NOT_FULFILLED.map(|(name, _)| query(name));
    all_have_data(prometheus, &queries, &exceptions);
    for (name, compared) in NOT_FULFILLED {
        for part in compared {
            assert!(query(name).contains(part), "{name}: {}", query(name));
        }
        all_have_data(
            prometheus,
            &compared.iter().map(|part| (*part).to_owned()).collect(),
            &[],
        );
    }

    every_alert_is_told_well(prometheus);
    for agent in &fleet.agents {
        assert_eq!(agent.get("/health/live").status, 200);
    }
}

/// The rules of a kind, by name.
fn rules(prometheus: &Engine, kind: &str) -> BTreeMap<String, Value> {
    let groups = prometheus.api("rules", &[("type", kind)]);
    let groups = groups["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    rules
        .map(|rule| (rule["name"].as_str().unwrap().to_owned(), rule.clone()))
        .collect()
}

/// Rules are evaluated without an error, and what they tell people is complete.
#[track_caller]
fn every_alert_is_told_well(prometheus: &Engine) {
    let evaluated = |kind| {
        eventually(
            "every rule was evaluated",
            || rules(prometheus, kind),
            |rules| rules.values().all(|rule| rule["health"] != "unknown"),
        )
    };
    for (name, rule) in evaluated("record").iter().chain(&evaluated("alert")) {
        assert_eq!(rule["health"], "ok", "{name}: {}", rule["lastError"]);
    }
    for (name, rule) in rules(prometheus, "alert") {
        let severity = rule["labels"]["severity"].as_str().unwrap_or_default();
        assert!(
            SEVERITIES.contains(&severity),
            "{name} has the severity `{severity}`"
        );
        for key in ANNOTATIONS {
            assert!(rule["annotations"].get(key).is_some(), "{name} has no `{key}`");
        }
        for alert in rule["alerts"].as_array().unwrap() {
            for (key, text) in alert["annotations"].as_object().unwrap() {
                let text = text.as_str().unwrap();
                let is_told = !text.contains("<error") && !text.contains("no value") && !text.contains("{{");
                assert!(is_told, "{name}: {key} is `{text}`");
            }
        }
    }
}

#[test]
fn every_alert_has_a_test() {
    let names = |folder: &str, ending: &str, start: &str| -> BTreeSet<String> {
        let texts = files(folder, ending)
            .into_iter()
            .map(|file| fs::read_to_string(file).unwrap());
        let text = texts.collect::<Vec<_>>().join("\n");
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix(start));
        lines.map(|name| name.trim().to_owned()).collect()
    };
    let alerts = names("prometheus", "alerts.yml", "- alert:");
    let tested = names("prometheus/tests", ".yml", "- name:");
    assert!(alerts.len() > 20, "{alerts:?}");
    let untested: Vec<_> = alerts.difference(&tested).collect();
    assert!(untested.is_empty(), "{untested:?}");
}
