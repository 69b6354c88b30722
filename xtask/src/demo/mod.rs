//! `cargo xtask demo`: the agent on simulated GPUs, and what to try with it.

mod signals;
mod table;

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use anyhow::Result;

use crate::agent::{self, Agent, Readiness};
use crate::demo::signals::Forwarder;
use crate::http;
use crate::project::Project;

/// The agent's default.
const BIND: &str = "127.0.0.1:8003";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The machine to simulate: a file of crates/nvml-sim/profiles, without `.toml`.
    #[arg(default_value = "h100-sxm-8")]
    profile: String,
    /// Build and run the release profile.
    #[arg(long)]
    release: bool,
    /// Further arguments of `gpulse serve`.
    #[arg(last = true, value_name = "GPULSE ARGS")]
    extra: Vec<String>,
}

/// Builds, starts and shows the agent, and lives as long as it does. Returns the agent's exit code.
pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let chosen = bind_of(&args.extra);
    let address = agent::unused(chosen.unwrap_or(BIND))?;
    let binary = Agent::build(project, args.release)?;

    let mut command = Agent::serve(&binary, &args.profile);
    if chosen.is_none() {
        command.args(["--bind", BIND]);
    }
    // A process group of its own keeps the terminal from signalling the agent behind the forwarder's back:
    // every signal reaches it exactly once, whether it came from the keyboard or from `kill`.
    command.args(&args.extra).process_group(0);
    let signals = Forwarder::install()?;
    let mut agent = Agent::start(command, address)?;
    signals.forward_to(agent.pid());

    match agent.wait_until_ready()? {
        Readiness::Ready => introduce(&agent, &args.profile, &binary),
        Readiness::Exited(status) => {
            eprintln!("error: gpulse ended before it was ready ({status}); what it said is above");
            return Ok(exit_code(status));
        }
        Readiness::Late(heard) => {
            let seconds = agent::READY_PATIENCE.as_secs();
            eprintln!("gpulse runs but is not ready after {seconds} s: {heard}. Ctrl-C stops it.");
        }
    }
    let status = agent.wait()?;
    println!("gpulse stopped ({status}).");
    Ok(exit_code(status))
}

/// Prints what the simulated GPUs do at this moment, and what to try.
fn introduce(agent: &Agent, profile: &str, binary: &Path) {
    let (address, gpulse) = (agent.address(), binary.display());
    println!("\ngpulse serves the simulated GPUs of `{profile}`:\n");
    match http::get(address, "/gpu/metrics") {
        Ok(answer) => println!("{}", table::render(&answer.body)),
        Err(error) => eprintln!("/gpu/metrics cannot be asked: {error:#}"),
    }
    println!(
        "Open  http://{address}/ (the dashboard) and http://{address}/docs
Look  {gpulse} top --connect http://{address}
Try   {gpulse} snapshot --connect http://{address}
      curl -s http://{address}/gpu/info
      curl -s http://{address}/gpu/metrics
      curl -s http://{address}/gpu/metrics/0
      curl -s 'http://{address}/api/v1/gpus?fields=power.draw_watts,activity'
      curl -s http://{address}/api/v1/events
      curl -s http://{address}/health/detailed
Stop  Ctrl-C
"
    );
}

/// The value of the last `--bind` among the agent's arguments.
fn bind_of(extra: &[String]) -> Option<&str> {
    let mut found = None;
    for (position, argument) in extra.iter().enumerate() {
        if argument == "--bind" {
            found = extra.get(position + 1).map(String::as_str);
        } else if let Some(value) = argument.strip_prefix("--bind=") {
            found = Some(value);
        }
    }
    found
}

/// The code a shell would report: 128 + signal for a process that a signal ended.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::bind_of;

    #[test]
    fn the_bind_address_is_found_in_both_spellings() {
        let args = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            bind_of(&args("--verbose --bind 127.0.0.1:1")),
            Some("127.0.0.1:1")
        );
        assert_eq!(bind_of(&args("--bind=127.0.0.1:2 -v")), Some("127.0.0.1:2"));
        assert_eq!(bind_of(&args("--verbose")), None);
    }
}
