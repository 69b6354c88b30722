//! The agent is killed in the midst of writing, again and again: what was flushed is there, and the file is sound.

use std::{collections::BTreeMap, fs, path::Path, thread, time::Duration};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Agent, AgentBuilder, eventually, simulator};

/// Times that it is killed.
const KILLS: u64 = 5;

/// Seconds that a process keeps before it is killed.
const SECONDS: usize = 3;

/// What the draw was, by second.
fn draws(agent: &Agent) -> BTreeMap<i64, f64> {
    let body = agent.json("/api/v1/history?metric=power.draw_watts&gpu=0&from=-10m&step=1s");
    let times = body["times"]
        .as_array()
        .unwrap()
        .iter()
        .map(|time| time.as_i64().unwrap());
    let means = body["series"][0]["mean"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::as_f64);
    times
        .zip(means)
        .filter_map(|(time, mean)| Some((time, mean?)))
        .collect()
}

fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().flatten();
    names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn what_was_flushed_survives_every_kill() {
    let simulator = simulator("h100-sxm-8");
    let directory = tempfile::tempdir().unwrap();
    let mut flushed = BTreeMap::new();
    for kill in 0..KILLS {
        let agent = AgentBuilder::over(simulator.library_path())
            .variable("GPULSE_HISTORY__DIRECTORY", directory.path().to_str().unwrap())
            .variable("GPULSE_HISTORY__FLUSH_INTERVAL", "1s")
            .start();
        agent.wait_until_ready();
        let lost = || -> Vec<(i64, f64)> {
            let now = draws(&agent);
            let differs = |(second, draw): &(&i64, &f64)| now.get(*second) != Some(*draw);
            flushed
                .iter()
                .filter(differs)
                .map(|(second, draw)| (*second, *draw))
                .collect()
        };
        eventually("what was flushed is there", lost, Vec::is_empty);
        let last = flushed.keys().next_back().copied().unwrap_or(0);
        let is_new =
            |now: &BTreeMap<i64, f64>| now.keys().filter(|second| **second > last).count() >= SECONDS;
        let shown = eventually("some seconds more", || draws(&agent), is_new);
        let flushes = || {
            agent.json("/api/v1/history/metrics")["disk_flushes"]
                .as_u64()
                .unwrap()
        };
        // The one that is under way may have begun before; the next one has all that was shown.
        let begun = flushes();
        eventually("a flush", flushes, |now| *now >= begun + 2);
        // A reading may have come late to a second that was shown.
        flushed = draws(&agent);
        flushed.retain(|second, _| shown.contains_key(second));
        assert_eq!(flushed.len(), shown.len());
        // Another moment after the flush each time.
        thread::sleep(Duration::from_millis(kill * 200));
        let ended = agent.end(Signal::KILL);
        assert!(
            !ended.log.iter().any(|line| line.contains("not sound")),
            "{:#?}",
            ended.log
        );
        assert_eq!(names(directory.path()), ["history.redb"]);
    }
}
