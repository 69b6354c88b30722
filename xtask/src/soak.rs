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
    /// Instead, let one GPU hang and recover this many times.
    #[arg(long, default_value_t = 0, conflicts_with_all = ["minutes", "seed"])]
    hangs: u64,
}

/// Runs the command; fails if an invariant is broken or the agent has grown.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let (sh, hangs) = (&project.sh, args.hangs.to_string());
    let (minutes, seed) = (args.minutes.to_string(), args.seed.to_string());
    Ok(cmd!(
        sh,
        "cargo bench -p gpulse-e2e --bench soak -- --minutes {minutes} --seed {seed} --hangs {hangs}"
    )
    .run()?)
}
