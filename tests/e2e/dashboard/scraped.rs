//! The fleet as a real Prometheus knows it, in the dashboard of an agent that it does not scrape.

use std::{fs, net::TcpListener};

use serde_json::json;

use super::{
    ready,
    stage::{Stage, nothing},
    usual,
};
use crate::{
    prometheus::engine::{program, prometheus},
    support::{eventually, simulator},
};

#[test]
fn a_fleet_is_what_a_prometheus_scrapes() {
    let (Some(stage), Some(program)) = (Stage::free(), program("prometheus")) else {
        return;
    };
    let worlds = ["a100-pcie-4", "t4"].map(simulator);
    let agents = worlds.each_ref().map(|simulator| ready(&usual(simulator)));
    let [four, one] = agents.each_ref().map(|agent| agent.address().to_string());
    // Held, so that nobody takes its place, and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = silent.local_addr().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let config = json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "gpulse", "static_configs": [{"targets": [four, one, nobody.to_string()]}]}],
    });
    fs::write(directory.path().join("prometheus.yml"), config.to_string()).unwrap();
    let prometheus = prometheus(&program, directory.path());
    eventually(
        "all were scraped",
        || prometheus.query("gpulse_load_gpu_ratio").len() + prometheus.query("up == 0").len(),
        |series| *series == 4 + 1 + 1,
    );

    let own = simulator("h100-sxm-8");
    let agent = ready(&usual(&own).variable("GPULSE_DASHBOARD__PROMETHEUS", prometheus.url()));
    let world = json!({
        "url": agent.url(""),
        "prometheus": prometheus.url(),
        "four": four,
        "one": one,
        "down": nobody.to_string(),
    });
    stage.play("scraped", world, nothing);
}
