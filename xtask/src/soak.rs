//! `cargo xtask soak`: faults and scrapes at random for as long as is asked for.

use anyhow::Result;
use xshell::cmd;

use crate::project::Project;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Chooses another course of faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the command; fails if an invariant is broken or the agent has grown.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let (sh, minutes, seed) = (&project.sh, args.minutes.to_string(), args.seed.to_string());
    Ok(cmd!(
        sh,
        "cargo bench -p gpulse-e2e --bench soak -- --minutes {minutes} --seed {seed}"
    )
    .run()?)
}
