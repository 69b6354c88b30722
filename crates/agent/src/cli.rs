//! The command line. Flags are the topmost layer of the configuration: one that is not given says nothing.

use std::{env, ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use gpulse_api::Scopes;

use crate::{
    doctor::DoctorArguments, exit::EXIT_CODES, query::QueryArguments, simulator::DEFAULT_PROFILE,
    snapshot::SnapshotArguments, top::TopArguments,
};

/// The GPU agent of a node.
#[derive(Debug, Parser)]
#[command(
    name = "gpulse",
    version,
    about,
    propagate_version = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line of the process; ends it where that is wrong.
    pub(crate) fn of_process() -> Self {
        Self::parse_from(spelled_out(env::args_os().collect()))
    }
}

/// The arguments with nvidia-smi's `-lms`, which is one flag there, as the flag that it is here.
fn spelled_out(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|command| command == "query") {
        for argument in arguments.iter_mut().skip(2) {
            let rest = argument.to_str().and_then(|text| text.strip_prefix("-lms"));
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('=')) {
                *argument = format!("--loop-ms{rest}").into();
            }
        }
    }
    arguments
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read the GPUs and serve what was read over HTTP
    Serve(Settings),
    /// Write what is read of the GPUs to a file, which `serve --replay` plays
    Record {
        /// The file; must not exist
        file: PathBuf,
        /// How long, such as 10m; by default until SIGINT or SIGTERM
        #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
        duration: Option<Duration>,
        #[command(flatten)]
        settings: SamplingSettings,
    },
    /// Show the GPUs as they are now
    #[command(after_help = EXIT_CODES)]
    Snapshot(SnapshotArguments),
    /// Print single readings for scripts, by their paths or in the manner of nvidia-smi
    #[command(after_help = EXIT_CODES)]
    Query(QueryArguments),
    /// Look for what keeps the agent from working, and say what mends it
    #[command(after_help = crate::doctor::EXIT_CODES)]
    Doctor(DoctorArguments),
    /// Watch the GPUs in the terminal
    Top(Box<TopArguments>),
    /// Print the effective configuration, with the origin of each value
    Config {
        /// Print the reference of all keys instead, as Markdown
        #[arg(long)]
        reference: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Make a token for a client: shown here, never kept; its line for auth.tokens_file goes to standard output
    Token {
        /// The client's name, one word
        #[arg(long)]
        name: String,
        /// What it may do: read, metrics, admin, or several separated by commas
        #[arg(long, default_value = "read")]
        scopes: Scopes,
    },
    /// List the GPU profiles that --simulate accepts
    Profiles,
    /// Print this agent as a target of Prometheus, for a file of its file_sd_configs
    Targets {
        #[command(flatten)]
        settings: Settings,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write man pages
    Man {
        /// The directory to write them into
        #[arg(long, value_name = "DIRECTORY")]
        out: PathBuf,
    },
    /// Print the OpenAPI document of the HTTP interface
    Openapi,
    /// Print the reference of all readings, as Markdown
    #[command(hide = true)]
    Metrics {
        /// Print the names that monitoring systems see instead
        #[arg(long)]
        exporters: bool,
    },
}

/// Flags that set configuration keys. Their values are checked with those of the other layers, in one place.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Settings {
    /// Configuration file; by default /etc/gpulse/gpulse.toml, if there is one
    #[arg(long, value_name = "FILE", env = "GPULSE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Address to serve on; several times for several
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) bind: Vec<String>,
    /// Serve beyond this host to everybody, without asking who they are
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Name of this agent in what it serves
    #[arg(long, value_name = "NAME")]
    pub(crate) agent_id: Option<String>,
    /// From one read of a GPU to the next, such as 1s or 250ms
    #[arg(long, value_name = "DURATION")]
    pub(crate) interval: Option<String>,
    /// The NVML library to load
    #[arg(long, value_name = "PATH", conflicts_with = "simulate")]
    pub(crate) nvml_library: Option<PathBuf>,
    /// Serve simulated GPUs: a profile's name, or the path of a profile file
    #[arg(long, value_name = "PROFILE", num_args = 0..=1, default_missing_value = DEFAULT_PROFILE)]
    pub(crate) simulate: Option<String>,
    /// Play this recording of `gpulse record` in place of reading GPUs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["simulate", "nvml_library"])]
    pub(crate) replay: Option<PathBuf>,
    /// How many seconds of the recording are played in a second
    #[arg(long, value_name = "FACTOR")]
    pub(crate) replay_speed: Option<String>,
    /// Begin the recording anew at its end
    #[arg(long = "loop")]
    pub(crate) replay_loop: bool,
    /// How much to log: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// How to log: auto (human-readable on a terminal, JSON otherwise), human or json
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
}

/// Those of [`Settings`] that say what is read and how, for a command that serves nothing.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SamplingSettings {
    /// Configuration file; by default /etc/gpulse/gpulse.toml, if there is one
    #[arg(long, value_name = "FILE", env = "GPULSE_CONFIG")]
    config: Option<PathBuf>,
    /// From one read of a GPU to the next, such as 1s or 250ms
    #[arg(long, value_name = "DURATION")]
    interval: Option<String>,
    /// The NVML library to load
    #[arg(long, value_name = "PATH", conflicts_with = "simulate")]
    nvml_library: Option<PathBuf>,
    /// Record simulated GPUs: a profile's name, or the path of a profile file
    #[arg(long, value_name = "PROFILE", num_args = 0..=1, default_missing_value = DEFAULT_PROFILE)]
    simulate: Option<String>,
    /// How much to log: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// How to log: auto (human-readable on a terminal, JSON otherwise), human or json
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl From<SamplingSettings> for Settings {
    fn from(sampling: SamplingSettings) -> Self {
        Self {
            config: sampling.config,
            interval: sampling.interval,
            nvml_library: sampling.nvml_library,
            simulate: sampling.simulate,
            log_level: sampling.log_level,
            log_format: sampling.log_format,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn one_flag_of_nvidia_smi_has_three_letters() {
        let spelled = |words: &[&str]| spelled_out(words.iter().map(OsString::from).collect());
        assert_eq!(
            spelled(&["gpulse", "query", "-lms", "500", "-lms=20", "-l", "5", "-lmsx"]),
            [
                "gpulse",
                "query",
                "--loop-ms",
                "500",
                "--loop-ms=20",
                "-l",
                "5",
                "-lmsx"
            ]
        );
        assert_eq!(spelled(&["gpulse", "top", "-lms"]), ["gpulse", "top", "-lms"]);
    }

    #[test]
    fn a_recorder_takes_nothing_about_serving() {
        for wrong in [
            "--replay=x",
            "--replay-speed=2",
            "--loop",
            "--bind=127.0.0.1:1",
            "--insecure",
        ] {
            assert!(
                Cli::try_parse_from(["gpulse", "record", "file", wrong]).is_err(),
                "{wrong}"
            );
        }
        let cli = Cli::parse_from(["gpulse", "record", "file", "--simulate=t4", "--interval=250ms"]);
        let Command::Record { settings, .. } = cli.command else {
            panic!("not record")
        };
        let settings = Settings::from(settings);
        assert_eq!(
            (settings.simulate.as_deref(), settings.interval.as_deref()),
            (Some("t4"), Some("250ms"))
        );
    }

    #[test]
    fn simulate_alone_means_the_default_profile() {
        let cli = Cli::parse_from(["gpulse", "serve", "--simulate"]);
        let Command::Serve(settings) = cli.command else {
            panic!("not serve")
        };
        assert_eq!(settings.simulate.as_deref(), Some(DEFAULT_PROFILE));
    }
}
