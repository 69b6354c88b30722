//! `cargo xtask bench`: how fast the agent answers, what it costs the machine it watches, and how true it is.

mod footprint;
mod report;
mod routes;
mod usage;
mod world;

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
    /// Memory and latencies with 10,000 idle connections and 1,000 that do not read.
    Crowd,
    /// Time of a processor, memory and latencies with 1,000 streams, and with one more that does not read.
    Stream,
    /// Latencies with one of eight GPUs hung, as a ratio to those of a healthy agent.
    Hung,
    /// The error of reported utilisation and energy over loads that are known exactly; fails where a goal is missed.
    Fidelity(Fidelity),
}

#[derive(clap::Args)]
struct Fidelity {
    /// How long the simulated GPUs are watched.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..))]
    seconds: u64,
}

/// Runs one benchmark, or those that take what a machine can do and judge nothing.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    match &args.what {
        None => {
            throughput(project)?;
            footprint::run(project, &footprint::Args::default())
        }
        Some(What::Throughput) => throughput(project),
        Some(What::Footprint(args)) => footprint::run(project, args),
        Some(What::Crowd) => crowd(project),
        Some(What::Stream) => stream(project),
        Some(What::Hung) => hung(project),
        Some(What::Fidelity(args)) => fidelity(project, args),
    }
}

fn throughput(project: &Project) -> Result<()> {
    let sh = &project.sh;
    Ok(cmd!(sh, "cargo bench -p gpulse-api --bench throughput").run()?)
}

fn crowd(project: &Project) -> Result<()> {
    let sh = &project.sh;
    Ok(cmd!(sh, "cargo bench -p gpulse-e2e --bench crowd").run()?)
}

fn stream(project: &Project) -> Result<()> {
    let sh = &project.sh;
    Ok(cmd!(sh, "cargo bench -p gpulse-e2e --bench stream").run()?)
}

fn hung(project: &Project) -> Result<()> {
    let sh = &project.sh;
    Ok(cmd!(sh, "cargo bench -p gpulse-e2e --bench hung").run()?)
}

/// The program that measures knows the simulator, which this one may not: it belongs to the end-to-end tests.
fn fidelity(project: &Project, args: &Fidelity) -> Result<()> {
    let (sh, seconds) = (&project.sh, args.seconds.to_string());
    Ok(cmd!(
        sh,
        "cargo bench -p gpulse-e2e --bench fidelity -- --seconds {seconds}"
    )
    .run()?)
}
