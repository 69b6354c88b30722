//! NVIDIA's own library on a machine without the driver: the agent says so, and is what it is over the simulator.
//!
//! The libraries are those that Debian packages, of several branches of the driver; `cargo xtask test` gets them. As root they
//! would make `/dev/nvidiactl`, so that they are loaded without privileges here.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nvml_sim::testing::Simulator;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    absence::check_unavailable,
    shutdown::{GRACE, SLACK},
    snapshots::mask,
    support::{Agent, AgentBuilder, eventually, simulator, skipped},
};

/// Where a kernel with the driver says which one.
const DRIVER: &str = "/proc/driver/nvidia/version";

/// What is asked for of both libraries.
const PATHS: [&str; 15] = [
    "/",
    "/gpu/info",
    "/gpu/metrics",
    "/gpu/metrics/0",
    "/gpu/metrics/-1",
    "/gpu/metrics/abc",
    "/health/",
    "/health/detailed",
    "/health/ready",
    "/health/live",
    "/api/v1/gpus",
    "/api/v1/gpus/0",
    "/api/v1/processes",
    "/api/v1/topology",
    "/api/v1/host?fields=driver,events,gpus,totals",
];

/// The libraries; none where they, or the lack of a driver, are not to be had.
fn libraries() -> Vec<PathBuf> {
    let home = std::env::var_os("GPULSE_TEST_NVML");
    assert!(
        home.is_some() || std::env::var_os("CI").is_none(),
        "GPULSE_TEST_NVML is not set: run `cargo xtask test`"
    );
    let Some(home) = home else {
        skipped("NVIDIA's own libraries need GPULSE_TEST_NVML, which `cargo xtask test` sets up");
        return Vec::new();
    };
    if home == "skip" {
        skipped("NVIDIA's own libraries are left out by GPULSE_TEST_NVML=skip");
        return Vec::new();
    }
    if Path::new(DRIVER).exists() {
        skipped("NVIDIA's own libraries without their driver: this machine has it");
        return Vec::new();
    }
    let files = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = files
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("libnvidia-ml.so."))
        })
        .collect();
    found.sort();
    assert!(
        !found.is_empty(),
        "{} has no libnvidia-ml.so.VERSION",
        home.display()
    );
    found
}

/// A library in a directory of its own, under the name that a driver gives it.
fn installed(library: &Path) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("libnvidia-ml.so.1");
    fs::copy(library, &path).unwrap();
    (directory, path)
}

/// Statuses and bodies of all paths, without what differs from run to run.
fn answers(agent: &Agent, directory: &Path) -> Vec<(&'static str, u16, Value)> {
    let directory = directory.display().to_string();
    PATHS
        .map(|path| {
            let reply = agent.get(path);
            let mut body = reply.json();
            mask(&mut body, &directory);
            (path, reply.status, body)
        })
        .to_vec()
}

#[track_caller]
fn ends_in_time(agent: Agent) {
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
    assert!(ended.took < GRACE + SLACK, "it took {:?}", ended.took);
}

#[test]
fn nvidias_library_without_a_driver_is_what_the_simulator_plays() {
    let libraries = libraries();
    if libraries.is_empty() {
        return;
    }
    let played = simulator("no-driver");
    let agent = Agent::ready(played.library_path());
    let expected = answers(&agent, played.dir());
    for library in libraries {
        let (directory, path) = installed(&library);
        let agent = AgentBuilder::over(&path).unprivileged(directory.path()).start();
        agent.wait_until_ready();
        check_unavailable(&agent, "driver_not_loaded");
        let seen = answers(&agent, directory.path());
        for (seen, expected) in seen.iter().zip(&expected) {
            assert_eq!(seen, expected, "{}", library.display());
        }
        ends_in_time(agent);
    }
}

/// Threads and open files of a process now.
fn size(agent: &Agent) -> (usize, usize) {
    let count = |what: &str| {
        fs::read_dir(format!("/proc/{}/{what}", agent.pid()))
            .unwrap()
            .count()
    };
    (count("task"), count("fd"))
}

/// Waits until NVML has been tried that often, and returns the least threads and files that were seen meanwhile: during an
/// attempt there are more.
fn least_until(agent: &Agent, attempts: u64) -> (usize, usize) {
    let mut least = size(agent);
    eventually(
        "NVML is tried again and again",
        || {
            let now = size(agent);
            least = (least.0.min(now.0), least.1.min(now.1));
            agent.json("/health/detailed")["components"]["nvml"]["attempts"].clone()
        },
        |tried| tried.as_u64() >= Some(attempts),
    );
    least
}

#[test]
fn attempts_with_nvidias_library_leave_nothing_behind() {
    for library in libraries() {
        let (directory, path) = installed(&library);
        let agent = AgentBuilder::over(&path)
            .unprivileged(directory.path())
            .variable("GPULSE_NVML__RETRY_FIRST", "10ms")
            .variable("GPULSE_NVML__RETRY_MAX", "10ms")
            .start();
        agent.wait_until_ready();
        // What is made once is there by then.
        least_until(&agent, 20);
        let before = least_until(&agent, 40);
        least_until(&agent, 140);
        eventually(
            "threads and files are as before",
            || size(&agent),
            |now| now.0 <= before.0 && now.1 <= before.1,
        );
        let log = agent.log();
        let warnings: Vec<_> = log.iter().filter(|line| line.contains("\"WARN\"")).collect();
        assert_eq!(
            warnings.len(),
            1,
            "one line, however often it fails: {warnings:#?}"
        );
        ends_in_time(agent);
    }
}

#[test]
fn a_driver_that_is_installed_over_nvidias_library_is_picked_up() {
    for library in libraries() {
        let simulator = Simulator::builder("a100-pcie-4")
            .without_counters()
            .start()
            .unwrap();
        let (path, later) = (simulator.library_path(), simulator.dir().join("later"));
        fs::rename(path, &later).unwrap();
        fs::copy(library, path).unwrap();
        let agent = AgentBuilder::over(path)
            .unprivileged(simulator.dir())
            .variable("GPULSE_NVML__RETRY_FIRST", "50ms")
            .variable("GPULSE_NVML__RETRY_MAX", "50ms")
            .start();
        agent.wait_until_ready();
        check_unavailable(&agent, "driver_not_loaded");
        fs::rename(&later, path).unwrap();
        eventually(
            "the GPUs are served",
            || agent.json("/gpu/metrics")["gpu_count"].clone(),
            |count| *count == 4,
        );
        ends_in_time(agent);
    }
}
