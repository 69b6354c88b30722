//! How large a scrape is.

use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::agent::{self, Agent, Readiness};
use crate::http;

/// One exposition, measured.
#[derive(Clone, Debug)]
pub(super) struct Scrape {
    /// The simulated node.
    pub(super) node: &'static str,
    /// Its GPUs.
    pub(super) gpus: usize,
    /// The naming profile, with what was set beside it.
    pub(super) profile: &'static str,
    /// Series of it.
    pub(super) counts: Counts,
    /// Bytes of the body as it is.
    pub(super) plain: usize,
    /// Bytes of the body in gzip.
    pub(super) gzip: usize,
    /// Bytes of the body in zstd.
    pub(super) zstd: usize,
}

/// Series of an exposition.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    /// All of them.
    pub(super) all: usize,
    /// Those that have no GPU: the node's and the agent's.
    pub(super) of_node: usize,
    /// Those that `created` would double in OpenMetrics.
    pub(super) counters: usize,
    /// Those of each NVLink.
    pub(super) links: usize,
    /// Those that say that a GPU does not support a reading.
    pub(super) unsupported: usize,
    /// Buckets of histograms.
    pub(super) buckets: usize,
}

/// How long nothing new may come: three times the slowest clock of the agent.
const QUIET: Duration = Duration::from_secs(15);

const POLL: Duration = Duration::from_millis(500);

/// An agent over a simulated node that has read everything at least twice, so that rates are there: nothing was added to what
/// it serves for a while.
pub(super) fn settled(binary: &Path, node: &str, per_process: bool) -> Result<Agent> {
    let address = agent::free_address()?;
    let mut command = Agent::serve(binary, node);
    command
        .args(["--bind", &address.to_string(), "--log-level", "off"])
        .env("GPULSE_METRICS__PER_PROCESS", per_process.to_string())
        .stderr(Stdio::null());
    let mut agent = Agent::start(command, address)?;
    let Readiness::Ready = agent.wait_until_ready()? else {
        bail!("the agent over {node} does not get ready");
    };
    let (mut most, mut since) = (0, Instant::now());
    while since.elapsed() < QUIET {
        let series = count(&http::get(agent.address(), "/metrics")?.body).all;
        if series > most {
            (most, since) = (series, Instant::now());
        }
        thread::sleep(POLL);
    }
    Ok(agent)
}

/// Measures one exposition of an agent.
pub(super) fn scrape(
    agent: &Agent,
    (node, gpus): (&'static str, usize),
    asked: &str,
    profile: &'static str,
) -> Result<Scrape> {
    let path = format!("/metrics?profile={asked}");
    let size = |encoding| http::size(agent.address(), &path, encoding);
    let body = http::get(agent.address(), &path)?.body;
    Ok(Scrape {
        node,
        gpus,
        profile,
        counts: count(&body),
        plain: size("identity")?,
        gzip: size("gzip")?,
        zstd: size("zstd")?,
    })
}

/// Counts the series of an exposition in the text format.
fn count(body: &str) -> Counts {
    let mut counts = Counts::default();
    let mut is_counter = false;
    for line in body.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix('#') {
            if comment.starts_with(" TYPE") {
                is_counter = comment.ends_with(" counter");
            }
            continue;
        }
        let has = |part: &str| usize::from(line.contains(part));
        counts.all += 1;
        counts.of_node += usize::from(
            !["gpu=\"", "gpu_id=\"", "uuid=\""]
                .iter()
                .any(|label| line.contains(label)),
        );
        counts.counters += usize::from(is_counter);
        counts.links += has("link=\"");
        counts.unsupported +=
            usize::from(line.starts_with("gpulse_reading_unavailable{")) * has("reason=\"not_supported\"");
        counts.buckets += has("le=\"");
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_counted_by_what_can_be_left_out() {
        let body = "# HELP a x\n# TYPE a counter\na{gpu=\"0\",link=\"1\"} 1\na{gpu=\"0\"} 2\n\
                    # TYPE b gauge\nb 3\n# TYPE gpulse_reading_unavailable gauge\n\
                    gpulse_reading_unavailable{gpu=\"0\",metric=\"m\",reason=\"not_supported\"} 1\n\
                    gpulse_reading_unavailable{gpu=\"0\",metric=\"m\",reason=\"error\"} 1\n\
                    # TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n";
        let wanted = Counts {
            all: 6,
            of_node: 2,
            counters: 2,
            links: 1,
            unsupported: 1,
            buckets: 1,
        };
        assert_eq!(count(body), wanted);
    }
}
