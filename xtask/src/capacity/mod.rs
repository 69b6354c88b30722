//! `cargo xtask capacity`: what a fleet of agents asks of a monitoring system, computed from what simulated nodes serve.

mod measure;
mod tables;

use anyhow::Result;

use crate::agent::Agent;
use crate::project::Project;
use measure::Scrape;

/// Where the tables are kept, and what is around them there.
const DOCUMENT: &str = "docs/FLEET.md";
const BEGIN: &str = "<!-- The tables are written by `cargo xtask capacity --write`. -->\n";
const END: &str = "<!-- End of the tables. -->\n";

/// Simulated nodes: one that is large in every way, one that is cut, one without NVLink, and a workstation.
const NODES: [(&str, usize); 4] = [
    ("h100-sxm-8", 8),
    ("h100-mig", 1),
    ("a100-pcie-4", 4),
    ("rtx-4090", 1),
];

/// Naming profiles, as `?profile=` takes them.
const PROFILES: [&str; 6] = [
    "native",
    "dcgm",
    "dcgm-4.9",
    "nvidia_smi",
    "resource-agent",
    "native,dcgm",
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Put the tables into docs/FLEET.md.
    #[arg(long)]
    write: bool,
}

/// Runs the command.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let binary = Agent::build(project, false)?;
    let mut scrapes: Vec<Scrape> = Vec::new();
    for (node, gpus) in NODES {
        let agent = measure::settled(&binary, node, false)?;
        for profile in PROFILES {
            scrapes.push(measure::scrape(&agent, (node, gpus), profile, profile)?);
        }
    }
    let agent = measure::settled(&binary, NODES[0].0, true)?;
    scrapes.push(measure::scrape(
        &agent,
        NODES[0],
        "native",
        "native, per_process",
    )?);
    let text = tables::render(&scrapes);
    println!("{text}");
    if args.write {
        project.write_between(DOCUMENT, (BEGIN, END), &text)?;
    }
    Ok(())
}
