//! Measures what a running agent takes: idle, and with clients that ask once per second.
//!
//! Prints the figures beside the project's goals and judges nothing: a loaded machine is no failure of the agent. The
//! simulator runs in the agent's process, and its time and memory are in the figures. How much of them is, show the time of
//! the threads that call it, the number of calls, and a second agent that reads nothing.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::agent::{self, Agent, Readiness};
use crate::bench::report;
use crate::bench::routes;
use crate::bench::usage::Usage;
use crate::bench::world::World;
use crate::http;
use crate::project::Project;

/// Allocations and caches settle within the first rounds of sampling, the slow ones of 5 s included.
const WARM_UP: Duration = Duration::from_secs(12);

/// What a client polls that wants to know everything.
const POLLED: &str = "/api/v1/gpus";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The machine to simulate.
    #[arg(long, default_value = "h100-sxm-8")]
    profile: String,
    /// How long each of the four measurements takes. The kernel counts in 10 ms: 30 s resolve 0.03 % of a core.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            profile: "h100-sxm-8".to_owned(),
            seconds: 30,
        }
    }
}

/// What was measured over some time.
pub(super) struct Figures {
    pub(super) title: &'static str,
    pub(super) cpu_percent: f64,
    /// That part of it which the threads that call the driver took.
    pub(super) driver_percent: f64,
    pub(super) calls_per_second: f64,
    pub(super) after: Usage,
}

/// An agent in a world of its own.
struct Subject {
    // Before the world: it ends first.
    agent: Agent,
    world: World,
}

/// Builds, starts, warms up, measures and prints a table.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let binary = Agent::build(project, true)?;
    let span = Duration::from_secs(args.seconds);
    eprintln!("Measuring four times {} s.", args.seconds);

    let subject = Subject::start(project, &binary, &args.profile, &[])?;
    let agent = &subject.agent;
    let idle = subject.measure("idle", span, || Ok(()))?;
    let polled = subject.measure("one GET", span, || {
        let answer = http::get(agent.address(), POLLED)?;
        if answer.status != 200 {
            bail!("{POLLED} answers {}", answer.status);
        }
        Ok(())
    })?;
    // Not before: the OpenAPI document alone is the largest body of all.
    let routes = routes::of(agent)?;
    let asked = subject.measure("all routes", span, || routes::ask_all(agent, &routes))?;
    drop(subject);

    let off = groups(&binary)?;
    let subject = Subject::start(project, &binary, &args.profile, &off)?;
    let without = subject.measure("no groups", span, || Ok(()))?;
    let measured = [idle, polled, asked, without];
    print!("{}", report::render(&args.profile, routes.len(), &measured));
    Ok(())
}

/// The variables that switch each group of readings off.
fn groups(binary: &Path) -> Result<Vec<String>> {
    let output = Command::new(binary).arg("config").env_clear().output()?;
    let text = String::from_utf8(output.stdout)?;
    let groups: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("sampler.groups.")?.split_whitespace().next())
        .map(|group| format!("GPULSE_SAMPLER__GROUPS__{}", group.to_uppercase()))
        .collect();
    if groups.is_empty() {
        bail!("`gpulse config` names no groups of readings:\n{text}");
    }
    Ok(groups)
}

impl Subject {
    /// Starts an agent at its defaults, but for variables that are set to `off`.
    fn start(project: &Project, binary: &Path, profile: &str, off: &[String]) -> Result<Self> {
        let world = World::set_up(project, binary, profile)?;
        let address = agent::free_address()?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--nvml-library").arg(world.library());
        command.args(["--bind", &address.to_string()]);
        // What starts and ends is no news here.
        command.env("GPULSE_LOG__LEVEL", "error");
        command.envs(off.iter().map(|variable| (variable, "off")));
        let mut agent = Agent::start(command, address)?;
        match agent.wait_until_ready()? {
            Readiness::Ready => {}
            Readiness::Exited(status) => bail!("gpulse ended before it was ready ({status})"),
            Readiness::Late(heard) => bail!("gpulse is not ready: {heard}"),
        }
        thread::sleep(WARM_UP);
        Ok(Self { agent, world })
    }

    /// Does something once per second for as long as `span`.
    fn measure(
        &self,
        title: &'static str,
        span: Duration,
        mut each_second: impl FnMut() -> Result<()>,
    ) -> Result<Figures> {
        let calls_before = self.world.calls()?;
        let before = Usage::of(self.agent.pid())?;
        let start = Instant::now();
        let mut next = start;
        while next < start + span {
            each_second().with_context(|| format!("measuring `{title}`"))?;
            next += Duration::from_secs(1);
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        let after = Usage::of(self.agent.pid())?;
        let seconds = start.elapsed().as_secs_f64();
        Ok(Figures {
            title,
            cpu_percent: 100.0 * (after.cpu_seconds - before.cpu_seconds) / seconds,
            driver_percent: 100.0 * (after.driver_seconds - before.driver_seconds) / seconds,
            calls_per_second: (self.world.calls()? - calls_before) as f64 / seconds,
            after,
        })
    }
}
