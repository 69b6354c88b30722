//! The file of the history may not grow, as on a full disk: memory goes on, and once there is room what was read meanwhile is on disk.

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use crate::support::{Agent, AgentBuilder, eventually, simulator};

/// Bounds the files that the agent writes, in bytes.
fn bound_files(agent: &Agent, bytes: Option<u64>) {
    let pid = Pid::from_raw(agent.pid() as i32).unwrap();
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(pid), Resource::Fsize, limit).unwrap();
}

fn count(agent: &Agent, what: &str) -> u64 {
    agent.json("/api/v1/history/metrics")[what].as_u64().unwrap()
}

/// The latest second of which there is a reading.
fn latest(agent: &Agent) -> i64 {
    let body = agent.json("/api/v1/history?metric=power.draw_watts&gpu=0&from=-10m&step=1s");
    let times = body["times"].as_array().unwrap();
    let means = body["series"][0]["mean"].as_array().unwrap();
    let read = times.iter().zip(means).rfind(|(_, mean)| mean.is_number());
    read.map_or(0, |(time, _)| time.as_i64().unwrap())
}

#[test]
fn a_full_disk_stops_nothing_and_loses_nothing() {
    let simulator = simulator("h100-sxm-8");
    let directory = tempfile::tempdir().unwrap();
    let start = || {
        let agent = AgentBuilder::over(simulator.library_path())
            .variable("GPULSE_HISTORY__DIRECTORY", directory.path().to_str().unwrap())
            .variable("GPULSE_HISTORY__FLUSH_INTERVAL", "1s")
            .start();
        agent.wait_until_ready();
        agent
    };
    let agent = start();
    eventually(
        "a flush",
        || count(&agent, "disk_flushes"),
        |flushes| *flushes > 0,
    );

    bound_files(&agent, Some(1));
    eventually(
        "writing fails again and again",
        || count(&agent, "disk_failures"),
        |failures| *failures > 2,
    );
    let (full, flushes) = (latest(&agent), count(&agent, "disk_flushes"));
    let read = eventually("memory goes on", || latest(&agent), |second| *second > full + 2);
    assert_eq!(count(&agent, "disk_flushes"), flushes, "nothing was written");

    bound_files(&agent, None);
    eventually(
        "it is written again",
        || count(&agent, "disk_flushes"),
        |now| *now > flushes + 1,
    );
    let ended = agent.end(Signal::KILL);
    let logged = |text: &str| ended.log.iter().filter(|line| line.contains(text)).count();
    assert_eq!(logged("cannot be kept on disk"), 1, "{:#?}", ended.log);
    assert_eq!(logged("written to disk again"), 1, "{:#?}", ended.log);
    assert_eq!(
        logged("is kept on disk"),
        1,
        "not while it is full: {:#?}",
        ended.log
    );
    assert_eq!(logged("not sound"), 0, "{:#?}", ended.log);

    let again = start();
    let since = format!("/api/v1/history?metric=power.draw_watts&gpu=0&from={full}&to={read}&step=1s");
    let is_there = |body: &serde_json::Value| {
        let means = body["series"][0]["mean"].as_array();
        means.is_some_and(|means| !means.is_empty() && means.iter().all(serde_json::Value::is_number))
    };
    eventually(
        "what was read meanwhile is there",
        || again.json(&since),
        is_there,
    );
}
