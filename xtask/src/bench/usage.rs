//! What the kernel says a process uses.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::param::clock_ticks_per_second;
use rustix::process::Pid;

/// One look at a process.
#[derive(Debug, PartialEq)]
pub(crate) struct Usage {
    /// User and system time since the process started.
    pub(crate) cpu_seconds: f64,
    /// That part of it which the threads that call the driver spent, as far as they still live.
    pub(crate) driver_seconds: f64,
    /// Resident memory.
    pub(crate) rss_kib: u64,
    /// The most resident memory there ever was.
    pub(crate) peak_kib: u64,
    /// Threads.
    pub(crate) threads: u64,
    /// Open file descriptors.
    pub(crate) files: usize,
}

impl Usage {
    /// Reads `/proc`.
    pub(crate) fn of(pid: Pid) -> Result<Self> {
        let home = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
        let files = fs::read_dir(home.join("fd"))?.count();
        let stat = fs::read_to_string(home.join("stat"))?;
        let status = fs::read_to_string(home.join("status"))?;
        let driver_seconds = driver_seconds(&home)?;
        Self::parse(&stat, &status, files, driver_seconds)
            .with_context(|| format!("reading {}", home.display()))
    }

    fn parse(stat: &str, status: &str, files: usize, driver_seconds: f64) -> Result<Self> {
        // The second field is the name in parentheses, which may itself hold spaces and parentheses.
        let (_, rest) = stat.rsplit_once(')').context("stat has no name")?;
        let ticks = |field: usize| -> Result<u64> {
            let text = rest
                .split_whitespace()
                .nth(field)
                .with_context(|| format!("stat has no field {field}"))?;
            Ok(text.parse()?)
        };
        // Fields 14 (utime) and 15 (stime) of proc(5), counted from 3 after the name.
        let spent = ticks(11)? + ticks(12)?;
        Ok(Self {
            cpu_seconds: spent as f64 / clock_ticks_per_second() as f64,
            driver_seconds,
            rss_kib: entry(status, "VmRSS:")?,
            peak_kib: entry(status, "VmHWM:")?,
            threads: entry(status, "Threads:")?,
            files,
        })
    }
}

/// What the threads spent that call the driver: the agent names them after the GPU or after NVML.
fn driver_seconds(home: &Path) -> Result<f64> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(home.join("task"))? {
        let thread = thread?.path();
        // A thread may end while this looks at it.
        let (Ok(name), Ok(times)) = (
            fs::read_to_string(thread.join("comm")),
            fs::read_to_string(thread.join("schedstat")),
        ) else {
            continue;
        };
        if name.starts_with("gpu-") || name.starts_with("nvml-") {
            let spent = times.split_whitespace().next().context("schedstat is empty")?;
            nanoseconds += spent.parse::<u64>()?;
        }
    }
    Ok(nanoseconds as f64 / 1e9)
}

fn entry(status: &str, key: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let value = line.and_then(|line| line.split_whitespace().next());
    Ok(value.with_context(|| format!("status has no {key}"))?.parse()?)
}

#[cfg(test)]
mod tests {
    use rustix::process::getpid;

    use super::Usage;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b)) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 14 0 1 2 3";
        let status = "Name:\ta\nVmHWM:\t   13312 kB\nVmRSS:\t   12800 kB\nThreads:\t14\n";
        let usage = Usage::parse(stat, status, 3, 0.0).unwrap();
        assert_eq!(
            (usage.rss_kib, usage.peak_kib, usage.threads, usage.files),
            (12_800, 13_312, 14, 3)
        );
        assert!(usage.cpu_seconds > 0.0);
    }

    #[test]
    fn this_very_process_can_be_looked_at() {
        let usage = Usage::of(getpid()).unwrap();
        assert_eq!(
            usage.driver_seconds, 0.0,
            "no thread here is named like one that calls the driver"
        );
        assert!(
            usage.rss_kib > 0 && usage.threads > 0 && usage.files > 0,
            "{usage:?}"
        );
    }
}
