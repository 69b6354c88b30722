//! Every expression of the dashboards has data on a fleet that has all kinds of trouble.

use std::collections::BTreeSet;

use tempfile::TempDir;

use super::{
    engine::{self, Engine, program},
    fleet::Fleet,
    shipped::{all_of, dashboards, settled, shipped},
};
use crate::support::eventually;

/// Expressions that this fleet has no data for, each with its reason. One that has data does not belong here.
const WITHOUT_DATA: [&str; 0] = [];

/// Waits until each of `expressions` has data, but for `exceptions`; those must have none.
#[track_caller]
pub(super) fn all_have_data(prometheus: &Engine, expressions: &BTreeSet<String>, exceptions: &[&str]) {
    let mut waiting: BTreeSet<_> = expressions.clone();
    eventually(
        "every expression has data",
        || {
            waiting.retain(|expression| prometheus.query(expression).is_empty());
            waiting.clone()
        },
        |waiting| {
            waiting
                .iter()
                .all(|expression| exceptions.contains(&expression.as_str()))
        },
    );
    for exception in exceptions {
        assert!(
            expressions.contains(*exception),
            "nobody asks any more: {exception}"
        );
        assert!(
            prometheus.query(exception).is_empty(),
            "has data and is no exception: {exception}"
        );
    }
}

#[test]
fn every_expression_of_the_dashboards_has_data() {
    let Some(program) = program("prometheus") else {
        return;
    };
    let fleet = Fleet::start(&program);
    let expressions = expressions();
    all_have_data(&fleet.prometheus, &expressions, &WITHOUT_DATA);
    waits_are_no_slow_calls(&fleet.prometheus, &expressions);
    choices_have_values(&fleet.prometheus);
    exemplars_arrive(&fleet.prometheus);
}

/// What the dashboards ask for.
#[track_caller]
fn expressions() -> BTreeSet<String> {
    let dashboards = dashboards();
    let expressions = dashboards
        .values()
        .flat_map(|dashboard| all_of(dashboard, "expr"));
    let expressions: BTreeSet<_> = expressions.map(|expression| settled(&expression)).collect();
    assert!(expressions.len() > 100, "only {} expressions", expressions.len());
    expressions
}

/// The same fleet behind the other engine, which scrapes it by the same file, with the same rules.
#[test]
fn every_expression_of_the_dashboards_has_data_in_victoria_metrics_as_well() {
    let programs = ["prometheus", "victoria-metrics", "vmalert"].map(program);
    let [Some(prometheus), Some(victoria), Some(vmalert)] = programs else {
        return;
    };
    let fleet = Fleet::start(&prometheus);
    let directories = [(); 2].map(|()| TempDir::new().unwrap());
    let config = fleet.directory.path().join("prometheus.yml");
    let database = engine::victoria_that_scrapes(&victoria, directories[0].path(), Some(&config));
    let rules = ["recording.yml", "alerts.yml"].map(|name| shipped("prometheus").join(name));
    let _rules = engine::vmalert(&vmalert, directories[1].path(), &database, &rules);
    all_have_data(&database, &expressions(), &WITHOUT_DATA);
}

/// The call that waits for events is meant to take long.
#[track_caller]
fn waits_are_no_slow_calls(prometheus: &Engine, expressions: &BTreeSet<String>) {
    let waits = |expression: &str| {
        let found = prometheus.query(expression);
        found
            .iter()
            .any(|series| series["metric"]["call"] == "nvmlEventSetWait_v2")
    };
    eventually(
        "the agents wait for events",
        || waits("gpulse_nvml_calls_under_way > 0"),
        |waits| *waits,
    );
    for expression in expressions {
        assert!(!waits(expression), "{expression}");
    }
}

/// What a reader chooses from: `label_values(series, label)`.
#[track_caller]
fn choices_have_values(prometheus: &Engine) {
    let definitions = dashboards();
    let definitions: BTreeSet<_> = definitions
        .values()
        .flat_map(|dashboard| all_of(dashboard, "definition"))
        .collect();
    assert_eq!(definitions.len(), 3, "{definitions:?}");
    for definition in definitions {
        let inner = definition
            .strip_prefix("label_values(")
            .and_then(|rest| rest.strip_suffix(')'));
        let (series, label) = inner.unwrap().rsplit_once(", ").unwrap();
        let found = prometheus.api("series", &[("match[]", &settled(series))]);
        let found = found.as_array().unwrap();
        assert!(
            !found.is_empty() && found.iter().all(|series| series.get(label).is_some()),
            "{definition}: {found:?}"
        );
    }
}

/// Prometheus prefers OpenMetrics, and is given it: there are no exemplars in the other format.
#[track_caller]
fn exemplars_arrive(prometheus: &Engine) {
    let found = eventually(
        "an exemplar of an XID arrives",
        || {
            let end = "query=gpulse_xid_errors_total&start=0&end=9999999999";
            prometheus
                .try_get(&format!("/api/v1/query_exemplars?{end}"))
                .unwrap_or_default()
        },
        |text| text.contains("\"event\""),
    );
    assert!(found.contains("\"xid\""), "{found}");
}
