//! Prometheus finds agents by what they say of themselves, in a file and over HTTP.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::engine::{program, prometheus, run, said};
use crate::support::{Agent, AgentBuilder, eventually, simulator};

/// What `gpulse targets` prints for an agent that serves at `address`.
#[track_caller]
fn printed(address: &str) -> String {
    let mut command = AgentBuilder::default()
        .argument("--bind")
        .argument(address)
        .argument("--insecure")
        .argument("--agent-id")
        .argument("in-a-file")
        .variable("GPULSE_METRICS__NODE", "gpu-1")
        .command("targets");
    let output = run(&mut command);
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_agent_says_where_it_is_found() {
    let printed: serde_json::Value = serde_json::from_str(&printed("0.0.0.0:8003")).unwrap();
    let labels = json!({"node": "gpu-1", "agent_id": "in-a-file"});
    assert_eq!(printed, json!([{"targets": ["gpu-1:8003"], "labels": labels}]));

    let simulator = simulator("rtx-4090");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_METRICS__NODE", "gpu-2")
        .start();
    // Asked for any free port, it names the one that it has.
    let served = agent.json("/api/v1/targets");
    assert_eq!(served[0]["targets"], json!([agent.address().to_string()]));
    assert_eq!(served[0]["labels"]["node"], "gpu-2");
}

#[test]
fn prometheus_finds_agents_by_file_and_by_http() {
    let Some(program) = program("prometheus") else {
        return;
    };
    let simulators = ["rtx-4090", "t4"].map(simulator);
    let [in_file, over_http] = simulators
        .each_ref()
        .map(|simulator| Agent::ready(simulator.library_path()));
    let directory = TempDir::new().unwrap();
    let write = |name: &str, text: String| fs::write(directory.path().join(name), text).unwrap();
    write("targets.json", printed(&in_file.address().to_string()));
    write(
        "prometheus.yml",
        format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n\
             - {{job_name: file, file_sd_configs: [{{files: [targets.json]}}]}}\n\
             - {{job_name: http, http_sd_configs: [{{url: \"{}\", refresh_interval: 1s}}]}}\n",
            over_http.url("/api/v1/targets")
        ),
    );
    let prometheus = prometheus(&program, directory.path());
    let found = eventually(
        "both agents are scraped",
        || prometheus.query("up == 1 and on (job, instance) gpulse_driver_up == 1"),
        |found| found.len() == 2,
    );
    let metric = |job: &str| {
        let series = found.iter().map(|series| &series["metric"]);
        series
            .clone()
            .find(|metric| metric["job"] == job)
            .unwrap()
            .clone()
    };
    assert_eq!(metric("file")["instance"], in_file.address().to_string());
    assert_eq!(
        (&metric("file")["node"], &metric("file")["agent_id"]),
        (&json!("gpu-1"), &json!("in-a-file"))
    );
    assert_eq!(metric("http")["instance"], over_http.address().to_string());
}
