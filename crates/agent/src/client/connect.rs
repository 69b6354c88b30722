//! The flags that say where GPUs are read: at an agent, or here.

use std::path::PathBuf;

use clap::Args;

use super::Client;
use crate::{cli::Settings, simulator::DEFAULT_PROFILE};

/// Which agent to ask, and how.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Connect {
    /// The agent to ask: http://HOST:PORT, https://HOST:PORT or unix:PATH. Without it the GPUs of this host are read here
    #[arg(long, value_name = "URL", help_heading = "Which GPUs")]
    pub(crate) connect: Option<String>,
    /// A file with the token to show; GPULSE_TOKEN holds a token itself
    #[arg(long, value_name = "FILE", requires = "connect", help_heading = "Which GPUs")]
    pub(crate) token_file: Option<PathBuf>,
    /// Authorities that the agent's certificate may come from (PEM), in place of the system's
    #[arg(long, value_name = "FILE", requires = "connect", help_heading = "Which GPUs")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// Where a command gets what it shows. Its flags stand in the help of each such command.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Source {
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// Configuration of an agent of this command's own; by default /etc/gpulse/gpulse.toml, if there is one
    #[arg(long, value_name = "FILE", env = "GPULSE_CONFIG", help_heading = "Which GPUs")]
    pub(crate) config: Option<PathBuf>,
    /// The NVML library to load
    #[arg(
        long, value_name = "PATH", conflicts_with_all = ["simulate", "connect"], help_heading = "Which GPUs"
    )]
    pub(crate) nvml_library: Option<PathBuf>,
    /// Show simulated GPUs: a profile's name, or the path of a profile file
    #[arg(
        long, value_name = "PROFILE", num_args = 0..=1, default_missing_value = DEFAULT_PROFILE,
        conflicts_with = "connect", help_heading = "Which GPUs"
    )]
    pub(crate) simulate: Option<String>,
    /// How much an agent of this command's own logs: off, error, warn, info, debug or trace [default: error]
    #[arg(long, value_name = "LEVEL", help_heading = "Which GPUs")]
    pub(crate) log_level: Option<String>,
}

impl Source {
    /// Opens a client of what the flags name.
    pub(crate) fn open(&self) -> anyhow::Result<Client> {
        Client::open(&self.connect, &self.settings())
    }

    /// The flags as those of an agent.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            config: self.config.clone(),
            nvml_library: self.nvml_library.clone(),
            simulate: self.simulate.clone(),
            log_level: self.log_level.clone(),
            ..Settings::default()
        }
    }
}
