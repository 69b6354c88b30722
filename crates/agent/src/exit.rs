//! Exit codes, which scripts go by. What each means stands in the help of the commands.

use std::process::ExitCode;

use crate::{client::ClientError, config::ConfigError, simulator::SimulatorError};

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well: 0.
    Ok,
    /// The agent could not be asked the last time: 1.
    Failed,
    /// NVML cannot be used, so that no GPU can be shown: 3.
    NoNvml,
    /// A GPU that was asked about is not `ok`: 4.
    NotOk,
}

/// The exit codes, for the help of the commands that show GPUs.
pub(crate) const EXIT_CODES: &str = "Exit codes:\n  \
    0  all GPUs that were asked about are ok\n  \
    1  the agent cannot be asked, or the answer cannot be written\n  \
    2  the command line or the configuration is wrong\n  \
    3  NVML cannot be used: no driver, no permission, …\n  \
    4  a GPU that was asked about is stale, hung, lost or unavailable; the others are shown\n  \
    130, 143  ended by SIGINT or SIGTERM before there was an answer";

/// A wrong configuration or command line, as sysexits.h and clap have it.
const USAGE: u8 = 2;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::NoNvml => 3,
            Exit::NotOk => 4,
        })
    }
}

/// The code of a command that could not do its work.
pub(crate) fn of_error(error: &anyhow::Error) -> ExitCode {
    let usage = error.is::<ConfigError>() || error.is::<SimulatorError>() || error.is::<UsageError>();
    match error.downcast_ref::<ClientError>() {
        _ if usage => ExitCode::from(USAGE),
        Some(ClientError::Address(..)) => ExitCode::from(USAGE),
        // As shells have it: 128 and the signal's number.
        Some(ClientError::Ended("SIGHUP")) => ExitCode::from(129),
        Some(ClientError::Ended("SIGINT")) => ExitCode::from(130),
        Some(ClientError::Ended(_)) => ExitCode::from(143),
        _ => ExitCode::FAILURE,
    }
}

/// A mistake in the command line that only the answer of an agent, or a table, shows.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);
