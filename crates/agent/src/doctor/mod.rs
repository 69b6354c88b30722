//! `gpulse doctor`: looks at everything that the agent depends on, and says what is wrong and the command that mends it.
//!
//! Each check is a function over the machine ([`host`]) and over what an agent says ([`probe`]), so that tests make machines up.
//! Nothing is changed. What cannot be looked at is skipped, and says why.

mod agent;
mod check;
mod connection;
mod driver;
mod gpus;
mod host;
mod library;
mod probe;
mod render;
mod store;
mod system;

use std::path::PathBuf;

use clap::Args;

use crate::{
    client::{ClientError, Source},
    config,
    exit::Exit,
    print,
    simulator::SimulatorError,
};
use check::{Check, Group, Status};
use connection::Silence;
use host::Host;
use probe::Answers;

/// How the machine is looked at.
#[derive(Clone, Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Look at the files below this directory in place of those of the machine
    #[arg(long, value_name = "DIRECTORY", hide = true)]
    root: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

/// The exit codes, for the help.
pub(crate) const EXIT_CODES: &str = "Exit codes:\n  \
    0  nothing is wrong, though something may be worth a look\n  \
    1  something is wrong, or nothing could be looked at\n  \
    2  the command line is wrong";

/// Checks over what an agent says alone, which may be on another machine.
const TOLD: [&str; 5] = ["nvml", "states", "inventory", "persistence", "xids"];

/// Looks, and reports.
pub(crate) fn run(arguments: &DoctorArguments) -> anyhow::Result<Exit> {
    let groups = examine(arguments)?;
    print(&match arguments.json {
        true => render::json(&groups),
        false => render::text(&groups, render::is_utf8()),
    })?;
    Ok(match render::status(&groups) {
        Status::Ok | Status::Warn => Exit::Ok,
        Status::Fail | Status::Skipped => Exit::Failed,
    })
}

fn examine(arguments: &DoctorArguments) -> anyhow::Result<Vec<Group>> {
    let host = Host::here(arguments.root.as_deref());
    let connect = arguments.source.connect.connect.as_deref();
    let loaded = config::load(&arguments.source.settings());
    let config = loaded.as_ref().map(|loaded| &loaded.config);
    let answers = match (connect, &config) {
        (None, Err(_)) => Err(Silence::of_configuration()),
        _ => asked(&arguments.source)?,
    };
    let connection = connection::check(connect, &answers);
    let answers = answers.as_ref().map_err(|silence| silence.why.as_str());
    let info = answers.map(|answers| &answers.info);
    let is_local = agent::is_local(connect);
    let mut groups = vec![
        Group {
            name: "NVIDIA driver",
            checks: driver::checks(&host, info, agent::library(config.ok())),
        },
        Group {
            name: "GPUs",
            checks: gpus::checks(&host, answers, is_local),
        },
        Group {
            name: "System",
            checks: system::checks(&host, info),
        },
        Group {
            name: "Agent",
            checks: agent::checks(&host, config),
        },
    ];
    if !is_local {
        groups
            .iter_mut()
            .flat_map(|group| &mut group.checks)
            .for_each(of_other_machine);
    }
    if let (Some(connection), Some(first)) = (connection, groups.first_mut()) {
        first.checks.insert(0, connection);
    }
    Ok(groups)
}

/// Leaves of a check what an agent on another machine told: what was looked at here says nothing about that machine.
fn of_other_machine(check: &mut Check) {
    let is_told = match check.name {
        // The file that was loaded there; without one the files of this machine were looked at.
        "library" => check.status == Status::Ok,
        name => TOLD.contains(&name),
    };
    if check.status == Status::Skipped && is_told {
        return;
    }
    if !is_told {
        *check = Check::skipped(
            check.name,
            "the agent is on another machine: run gpulse doctor there",
        );
    } else if let Some(fix) = &mut check.fix {
        *fix = format!("on the agent's machine: {fix}");
    }
}

/// What the agent says, or why it says nothing. Only mistakes in the command line are errors, and signals.
fn asked(source: &Source) -> anyhow::Result<Result<Answers, Silence>> {
    match Answers::of(source) {
        Ok(answers) => Ok(Ok(answers)),
        Err(error) if error.is::<SimulatorError>() => Err(error),
        Err(error) => match error.downcast_ref::<ClientError>() {
            Some(ClientError::Address(..) | ClientError::Access(_) | ClientError::Ended(_)) => Err(error),
            _ => Ok(Err(Silence::of_error(source.connect.connect.as_deref(), &error))),
        },
    }
}
