//! The GPU agent of a node: configuration, wiring and command line around sampler, aggregator and API.

mod cli;
mod client;
mod config;
mod doctor;
mod exit;
mod files;
mod listener;
mod logging;
mod pages;
mod profiles;
mod push;
mod query;
mod record;
mod recording;
mod serve;
mod shown;
mod signals;
mod simulator;
mod snapshot;
mod supervisor;
mod top;
mod wiring;

use std::{io::Write, process::ExitCode};

use crate::{
    cli::{Cli, Command},
    exit::Exit,
};

/// Runs the command line of the process and says how it went.
pub fn main() -> ExitCode {
    match run(Cli::of_process().command) {
        Ok(exit) => exit.into(),
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "gpulse: {error:#}");
            exit::of_error(&error)
        }
    }
}

fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Snapshot(arguments) => return snapshot::run(&arguments),
        Command::Doctor(arguments) => return doctor::run(&arguments),
        Command::Query(arguments) => return query::run(&arguments),
        Command::Top(arguments) => return top::run(&arguments),
        Command::Serve(settings) => serve::serve(&config::load(&settings)?.config)?,
        Command::Record {
            file,
            duration,
            settings,
        } => record::record(&config::load(&settings.into())?.config, &file, duration)?,
        Command::Config { reference: true, .. } => print(&config::reference())?,
        Command::Config { settings, .. } => print(&config::load(&settings)?.to_string())?,
        Command::Token { name, scopes } => token(scopes, &name)?,
        Command::Profiles => print(&simulator::list())?,
        Command::Targets { settings } => targets(&config::load(&settings)?.config)?,
        Command::Completions { shell } => print(&pages::completions(shell))?,
        Command::Man { out } => pages::man(&out)?,
        Command::Openapi => print(&gpulse_api::openapi_json())?,
        Command::Metrics { exporters: true } => print(&gpulse_exporters::reference())?,
        Command::Metrics { exporters: false } => print(&gpulse_models::catalogue::metrics_reference())?,
    }
    Ok(Exit::Ok)
}

/// Makes a token. The line goes to standard output, from where it can go into the file; the token does not.
fn token(scopes: gpulse_api::Scopes, name: &str) -> anyhow::Result<()> {
    let fresh = gpulse_api::fresh_token(scopes, name)?;
    writeln!(
        std::io::stderr(),
        "The token, which is shown only now:\n{}\nThe line for auth.tokens_file, on standard output:",
        fresh.token
    )?;
    print(&format!("{}\n", fresh.line))
}

/// Prints the agent as a target of scrapers. What is doubtful about it goes to standard error, beside the file.
fn targets(config: &config::Config) -> anyhow::Result<()> {
    if let Some(warning) = config.target_warning() {
        writeln!(std::io::stderr(), "gpulse: {warning}")?;
    }
    match config.target(&config.bind.0) {
        Some(target) => print(&target.to_file()?),
        None => print("[]\n"),
    }
}

/// Prints `text`. A reader that went away (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match shown::watch::write(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
