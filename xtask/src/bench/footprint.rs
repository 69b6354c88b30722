//! Measures what a running agent takes: idle, and with a client that asks once per second.
//!
//! Prints the figures beside the project's goals and judges nothing: a loaded machine is no failure of the agent.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::agent::{self, Agent, Readiness};
use crate::bench::usage::Usage;
use crate::http;
use crate::project::Project;

/// Allocations and caches settle within the first rounds of sampling.
const WARM_UP: Duration = Duration::from_secs(5);

const GOAL_RSS_MB: f64 = 15.0;
const GOAL_CPU_PERCENT: f64 = 0.3;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The machine to simulate.
    #[arg(long, default_value = "h100-sxm-8")]
    profile: String,
    /// How long each of the two measurements takes. The kernel counts in 10 ms: 30 s resolve 0.03 % of a core.
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

struct Figures {
    cpu_percent: f64,
    after: Usage,
}

/// Builds, starts, warms up, measures twice and prints a table.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let binary = Agent::build(project, true)?;
    let address = agent::free_address()?;
    let mut command = Agent::serve(&binary, &args.profile);
    command.arg("--bind").arg(address.to_string());
    let mut agent = Agent::start(command, address)?;
    match agent.wait_until_ready()? {
        Readiness::Ready => {}
        Readiness::Exited(status) => bail!("gpulse ended before it was ready ({status})"),
        Readiness::Late(heard) => bail!("gpulse is not ready: {heard}"),
    }

    let span = Duration::from_secs(args.seconds);
    eprintln!(
        "Warming up {} s, then measuring twice {} s.",
        WARM_UP.as_secs(),
        args.seconds
    );
    thread::sleep(WARM_UP);
    let idle = measure(&agent, span, || Ok(()))?;
    let asked = measure(&agent, span, || {
        let answer = http::get(agent.address(), "/gpu/metrics")?;
        if answer.status != 200 {
            bail!("/gpu/metrics answers {}", answer.status);
        }
        Ok(())
    })?;
    print!("{}", render(&args.profile, &idle, &asked));
    Ok(())
}

/// Does something once per second for as long as `span`.
fn measure(agent: &Agent, span: Duration, mut each_second: impl FnMut() -> Result<()>) -> Result<Figures> {
    let before = Usage::of(agent.pid())?;
    let start = Instant::now();
    let mut next = start;
    while next < start + span {
        each_second()?;
        next += Duration::from_secs(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let after = Usage::of(agent.pid())?;
    let cpu = after.cpu_seconds - before.cpu_seconds;
    Ok(Figures {
        cpu_percent: 100.0 * cpu / start.elapsed().as_secs_f64(),
        after,
    })
}

fn render(profile: &str, idle: &Figures, asked: &Figures) -> String {
    let megabytes = |kib: u64| format!("{:.1}", kib as f64 / 1024.0);
    let rows = [
        (
            "CPU, % of a core",
            format!("{:.2}", idle.cpu_percent),
            format!("{:.2}", asked.cpu_percent),
            format!("< {GOAL_CPU_PERCENT}"),
        ),
        (
            "RSS, MiB",
            megabytes(idle.after.rss_kib),
            megabytes(asked.after.rss_kib),
            format!("< {GOAL_RSS_MB:.0}"),
        ),
        (
            "RSS, highest, MiB",
            megabytes(idle.after.peak_kib),
            megabytes(asked.after.peak_kib),
            String::new(),
        ),
        (
            "threads",
            idle.after.threads.to_string(),
            asked.after.threads.to_string(),
            String::new(),
        ),
        (
            "open files",
            idle.after.files.to_string(),
            asked.after.files.to_string(),
            String::new(),
        ),
    ];
    let mut text = format!("\nFootprint of gpulse over `{profile}`, release build\n\n");
    text += &format!("  {:<18} {:>8} {:>14}   goal\n", "", "idle", "one GET per s");
    for (name, idle, asked, goal) in rows {
        text += format!("  {name:<18} {idle:>8} {asked:>14}   {goal}").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Figures, render};
    use crate::bench::usage::Usage;

    #[test]
    fn the_figures_stand_beside_the_goals() {
        let after = || Usage {
            cpu_seconds: 1.0,
            rss_kib: 12_800,
            peak_kib: 13_312,
            threads: 14,
            files: 20,
        };
        let text = render(
            "t4-1",
            &Figures {
                cpu_percent: 0.134,
                after: after(),
            },
            &Figures {
                cpu_percent: 0.2,
                after: after(),
            },
        );
        assert!(
            text.contains("  CPU, % of a core       0.13           0.20   < 0.3\n"),
            "{text}"
        );
        assert!(
            text.contains("  RSS, MiB               12.5           12.5   < 15\n"),
            "{text}"
        );
    }
}
