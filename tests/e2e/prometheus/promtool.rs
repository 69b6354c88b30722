//! What the engines' own checkers say of the files in `deploy`, and of what the agent serves.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{
    engine::{program, run, said},
    shipped::{files, shipped},
};
use crate::support::{Agent, AgentBuilder, simulator};

/// Profiles of simulated nodes that together have every family: NVLink and GPM, MIG, fans, page retirement, sessions.
const NODES: [&str; 5] = ["h100-sxm-8", "h100-mig", "rtx-4090", "t4", "l40s-4"];

/// What promtool may say of the names that other exporters chose, by profile. Of the native profile it may say nothing.
const TOLERATED: [(&str, &[&str]); 5] = [
    ("native", &[]),
    (
        "dcgm",
        &[
            "counter metrics should have \"_total\" suffix",
            "label names should be written in 'snake_case' not 'camelCase'",
            "metric name should not include type 'counter'",
        ],
    ),
    (
        "dcgm-4.9",
        &[
            // It looks for lower case, and these names are upper case.
            "counter metrics should have \"_total\" suffix",
            "label names should be written in 'snake_case' not 'camelCase'",
        ],
    ),
    (
        "nvidia_smi",
        &[
            "metric name should not include type 'histogram'",
            "non-histogram and non-summary metrics should not have \"_count\" suffix",
        ],
    ),
    ("resource-agent", &[]),
];

#[track_caller]
fn passes(command: &mut Command) {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    assert!(
        !said(&output).contains("FAILED"),
        "{command:?}: {}",
        said(&output)
    );
}

#[test]
fn promtool_accepts_what_is_shipped() {
    let Some(promtool) = program("promtool") else {
        return;
    };
    passes(
        Command::new(&promtool)
            .args(["check", "config"])
            .arg(shipped("prometheus/prometheus.yml")),
    );
    let rules = ["recording.yml", "alerts.yml"].map(|name| shipped("prometheus").join(name));
    passes(Command::new(&promtool).args(["check", "rules"]).args(rules));
    passes(
        Command::new(&promtool)
            .args(["test", "rules"])
            .args(files("prometheus/tests", ".yml")),
    );
}

/// All jobs are of one name, so that an agent found by two of them would count twice.
#[test]
fn no_shipped_target_is_found_twice() {
    let config = fs::read_to_string(shipped("prometheus/prometheus.yml")).unwrap();
    let settings = config
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    let settings = settings.collect::<Vec<_>>().join("\n");
    for file in files("prometheus/targets", ".json") {
        let groups: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let groups = groups.as_array().unwrap();
        for target in groups
            .iter()
            .flat_map(|group| group["targets"].as_array().unwrap())
        {
            let target = target.as_str().unwrap();
            assert!(!settings.contains(target), "{target} is in a file and elsewhere");
        }
    }
}

#[test]
fn victoria_metrics_takes_the_scrape_configuration() {
    let Some(program) = program("victoria-metrics") else {
        return;
    };
    let config = format!(
        "-promscrape.config={}",
        shipped("prometheus/prometheus.yml").display()
    );
    let mut command = Command::new(program);
    command.args(["-dryRun", &config, "-promscrape.config.strictParse=false"]);
    passes(&mut command);
}

/// What promtool says of an exposition, without the names of the metrics.
fn complaints(promtool: &Path, body: &[u8]) -> BTreeSet<String> {
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = said(&output);
    // 0: nothing to say; 3: something about names.
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{said}");
    let lines = said.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            line.split_once(' ')
                .map_or(line, |(_, complaint)| complaint)
                .to_owned()
        })
        .collect()
}

#[test]
fn promtool_finds_nothing_in_the_native_profile_and_names_only_in_others() {
    let Some(promtool) = program("promtool") else {
        return;
    };
    let simulators = NODES.map(simulator);
    let agents: Vec<_> = simulators
        .iter()
        .map(|simulator| {
            AgentBuilder::over(simulator.library_path())
                .variable("GPULSE_METRICS__PER_PROCESS", "true")
                .start()
        })
        .collect();
    agents.iter().for_each(Agent::wait_until_ready);
    for (profile, tolerated) in TOLERATED {
        let mut found = BTreeSet::new();
        for agent in &agents {
            let answer = agent.get(&format!("/metrics?profile={profile}"));
            found.extend(complaints(&promtool, &answer.body));
        }
        let tolerated: BTreeSet<_> = tolerated.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(found, tolerated, "{profile}");
    }
}
