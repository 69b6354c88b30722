//! The agent is killed in the midst of writing, again and again: what was flushed is there, and the file is sound.

use std::{collections::BTreeMap, fs, path::Path};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Agent, AgentBuilder, eventually, simulator};

/// Times that it is killed.
const KILLS: usize = 5;

/// Seconds before a kill whose loss is not looked at: the flush interval of one second, on a machine that is busy.
const UNFLUSHED: i64 = 10;

/// Seconds that the first process keeps, so that something is flushed for certain.
const FIRST: usize = 15;

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
    let mut before = BTreeMap::new();
    for kill in 0..KILLS {
        let agent = AgentBuilder::over(simulator.library_path())
            .variable("GPULSE_HISTORY__DIRECTORY", directory.path().to_str().unwrap())
            .variable("GPULSE_HISTORY__FLUSH_INTERVAL", "1s")
            .start();
        agent.wait_until_ready();
        let last = before.keys().next_back().copied().unwrap_or(0);
        let flushed: BTreeMap<i64, f64> = before
            .into_iter()
            .filter(|(second, _)| *second <= last - UNFLUSHED)
            .collect();
        assert!(
            kill == 0 || flushed.len() >= FIRST - UNFLUSHED as usize - 2,
            "{flushed:?}"
        );
        let is_there =
            |now: &BTreeMap<i64, f64>| flushed.iter().all(|(second, draw)| now.get(second) == Some(draw));
        eventually("what was flushed", || draws(&agent), is_there);
        // Another moment of the flush each time.
        let news = if kill == 0 { FIRST } else { 2 + kill % 2 };
        before = eventually(
            "some seconds more",
            || draws(&agent),
            |now| now.keys().filter(|second| **second > last).count() >= news,
        );
        let ended = agent.end(Signal::KILL);
        assert!(
            !ended.log.iter().any(|line| line.contains("not sound")),
            "{:#?}",
            ended.log
        );
        assert_eq!(names(directory.path()), ["history.redb"]);
    }
}
