//! `cargo xtask bench`: how fast the agent answers, and what it costs the machine it watches.

mod footprint;
mod usage;

use anyhow::Result;
use clap::Subcommand;
use xshell::cmd;

use crate::project::Project;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// How many requests per second the HTTP side answers.
    Throughput,
    /// Memory, CPU time, threads and files of a release build over simulated GPUs.
    Footprint(footprint::Args),
}

/// Runs one benchmark, or both.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    match &args.what {
        None => {
            throughput(project)?;
            footprint::run(project, &footprint::Args::default())
        }
        Some(What::Throughput) => throughput(project),
        Some(What::Footprint(args)) => footprint::run(project, args),
    }
}

fn throughput(project: &Project) -> Result<()> {
    let sh = &project.sh;
    Ok(cmd!(sh, "cargo bench -p gpulse-api --bench throughput").run()?)
}
