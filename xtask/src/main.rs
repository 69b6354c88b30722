//! The workspace's automation: `cargo xtask` lists the commands, each of which is one file here.

mod agent;
mod bench;
mod browser;
mod capacity;
mod ci;
mod codegen;
mod demo;
mod deny;
mod engines;
mod faults;
mod foreign;
mod hardware;
mod http;
mod nvidia;
mod pictures;
mod project;
mod python;
mod soak;
mod test;
mod tidy;
mod tmux;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::project::Project;

/// The automation of the gpulse workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the agent on simulated GPUs: no GPU and no driver needed.
    Demo(demo::Args),
    /// Run all tests, with what they need set up first.
    Test(test::Args),
    /// Run every check that a change has to pass, stopping at the first that fails.
    Ci,
    /// Check the house rules that the compiler and clippy do not know.
    Tidy,
    /// Regenerate the files that are generated from code.
    Codegen(codegen::Args),
    /// Measure: requests per second, the memory and CPU time that the agent itself takes, or how true its numbers are.
    Bench(bench::Args),
    /// Compute what a fleet asks of a monitoring system, from what simulated nodes serve.
    Capacity(capacity::Args),
    /// Play every fault that the simulator can to one agent, and print what that costs.
    Faults(faults::Args),
    /// Plant faults and scrape at random for a while; fail if an invariant breaks or the agent grows.
    Soak(soak::Args),
    /// Take the documentation's pictures from those that the tests made.
    Pictures,
    /// Run the tests that need a real NVIDIA GPU.
    Hardware,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let Some(command) = cli.command else {
        Cli::command().print_help()?;
        return Ok(ExitCode::SUCCESS);
    };
    let project = Project::open()?;
    match command {
        Command::Demo(args) => return demo::run(&project, &args),
        Command::Test(args) => test::run(&project, &args)?,
        Command::Ci => ci::run(&project)?,
        Command::Tidy => tidy::run(&project)?,
        Command::Codegen(args) => codegen::run(&project, args)?,
        Command::Bench(args) => bench::run(&project, &args)?,
        Command::Capacity(args) => capacity::run(&project, &args)?,
        Command::Faults(args) => faults::run(&project, &args)?,
        Command::Soak(args) => soak::run(&project, &args)?,
        Command::Pictures => pictures::run(&project)?,
        Command::Hardware => hardware::run(&project)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
