//! `cargo xtask faults`: every fault that the simulator can play, to one agent that is never started again.

use anyhow::Result;
use xshell::cmd;

use crate::project::Project;

/// Where the last table is kept, and what is around it there.
const DOCUMENT: &str = "docs/RELIABILITY.md";
const BEGIN: &str = "<!-- The table is written by `cargo xtask faults --write`. -->\n";
const END: &str = "<!-- End of the table. -->\n";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only faults whose name contains this.
    part: Option<String>,
    /// Put the table into docs/RELIABILITY.md.
    #[arg(long, conflicts_with = "part")]
    write: bool,
}

/// Runs the command; fails if a fault is not survived.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let (sh, part) = (&project.sh, &args.part);
    if !args.write {
        return Ok(cmd!(sh, "cargo bench -p gpulse-e2e --bench faults -- {part...}").run()?);
    }
    let table = cmd!(sh, "cargo bench -p gpulse-e2e --bench faults").read()?;
    println!("{table}");
    project.write_between(DOCUMENT, (BEGIN, END), &table)
}
