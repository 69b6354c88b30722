//! Grafana's dashboards, from tables of panels: what Grafana wants to know of each panel is said once, here.

mod grafana;
mod source;

use std::fs;

use anyhow::{Context, Result};

use crate::project::Project;
use source::Dashboard;

const SOURCE: &str = "deploy/grafana/source";

/// Where Grafana is told to look.
const TARGET: &str = "deploy/grafana/dashboards";

/// Returns path and text of each dashboard.
pub(crate) fn generate(project: &Project) -> Result<Vec<(String, String)>> {
    let mut dashboards = Vec::new();
    for entry in fs::read_dir(project.root.join(SOURCE)).with_context(|| format!("reading {SOURCE}"))? {
        let file = entry?.path();
        let Some(name) = file.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        let text = fs::read_to_string(&file)?;
        let dashboard = Dashboard::parse(&text).with_context(|| format!("{SOURCE}/{name}.toml"))?;
        let json = serde_json::to_string_pretty(&grafana::json(&dashboard))?;
        dashboards.push((format!("{TARGET}/{name}.json"), json + "\n"));
    }
    dashboards.sort();
    Ok(dashboards)
}
