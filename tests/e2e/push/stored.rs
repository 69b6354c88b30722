//! Databases that people run: what was written is read back complete, also if they were started anew meanwhile.

use std::{
    collections::BTreeSet,
    env,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::batches;
use crate::support::{AgentBuilder, eventually, request, simulator, skipped};

/// A database that takes remote writes.
struct Database {
    program: PathBuf,
    directory: TempDir,
    address: SocketAddr,
    kind: Kind,
    process: Option<Child>,
}

#[derive(Clone, Copy)]
enum Kind {
    Prometheus,
    VictoriaMetrics,
}

/// Where a program is: among those that `cargo xtask test` brings together, or installed.
fn which(name: &str) -> Option<PathBuf> {
    let gathered = env::var_os("GPULSE_TEST_ENGINES").map(|home| PathBuf::from(home).join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = gathered.into_iter().chain(env::split_paths(&path));
    places
        .find(|place| place.join(name).is_file())
        .map(|place| place.join(name))
}

impl Database {
    fn install(kind: Kind) -> Option<Self> {
        let name = match kind {
            Kind::Prometheus => "prometheus",
            Kind::VictoriaMetrics => "victoria-metrics",
        };
        let Some(program) = which(name) else {
            assert!(
                env::var_os("CI").is_none(),
                "{name} is missing: run `cargo xtask test`"
            );
            skipped(&format!(
                "{name} is not installed, and `cargo xtask test` sets it up"
            ));
            return None;
        };
        let mut database = Self {
            program,
            directory: TempDir::new().unwrap(),
            address: TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(),
            kind,
            process: None,
        };
        database.start();
        Some(database)
    }

    fn start(&mut self) {
        let (data, address) = (self.directory.path().join("data"), self.address);
        let mut command = Command::new(&self.program);
        match self.kind {
            Kind::Prometheus => {
                let config = self.directory.path().join("prometheus.yml");
                std::fs::write(&config, "").unwrap();
                command
                    .arg(argument("--config.file", &config))
                    .arg(argument("--storage.tsdb.path", &data))
                    .arg(format!("--web.listen-address={address}"))
                    .arg("--web.enable-remote-write-receiver");
            }
            Kind::VictoriaMetrics => {
                command
                    .arg(argument("-storageDataPath", &data))
                    .arg(format!("-httpListenAddr={address}"));
            }
        }
        let log = std::fs::File::create(self.directory.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
    }

    /// Ends it as its service manager would, and waits until it has.
    fn stop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let pid = Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        process.wait().unwrap();
    }

    /// The times at which it has a value of `series`, of all that it has of it.
    fn times(&self, series: &str) -> BTreeSet<i64> {
        let get = |path: &str| request("GET", &format!("http://{}{path}", self.address), &[]);
        match self.kind {
            Kind::Prometheus => {
                let answer = get(&format!("/api/v1/query?query={series}%5B1h%5D")).json();
                let found = answer["data"]["result"].as_array().unwrap().iter();
                let values = found.flat_map(|series| series["values"].as_array().unwrap());
                values
                    .map(|value| (value[0].as_f64().unwrap() * 1e3).round() as i64)
                    .collect()
            }
            Kind::VictoriaMetrics => {
                let answer = get(&format!("/api/v1/export?match%5B%5D={series}"));
                let text = String::from_utf8(answer.body).unwrap();
                let lines = text
                    .lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap());
                let times = |line: Value| line["timestamps"].as_array().unwrap().clone();
                lines.flat_map(times).map(|time| time.as_i64().unwrap()).collect()
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn argument(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

fn is_complete_across_a_restart(kind: Kind) {
    let Some(mut database) = Database::install(kind) else {
        return;
    };
    let simulator = simulator("a100-pcie-4");
    let endpoint = format!("http://{}/api/v1/write", database.address);
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_REMOTE_WRITE__ENDPOINT", &endpoint)
        .variable("GPULSE_REMOTE_WRITE__INTERVAL", "1s")
        .start();
    agent.wait_until_ready();
    let sent = || batches(&agent, "remote_write", "sent");
    let retried = || batches(&agent, "remote_write", "retried");
    let before = eventually("batches are taken", sent, |sent| *sent >= 3.0);
    database.stop();
    let failed = retried();
    eventually("batches wait", retried, |retried| *retried > failed + 1.0);
    database.start();
    let all = eventually("it takes them again", sent, |sent| *sent >= before + 6.0);
    assert_eq!(batches(&agent, "remote_write", "dropped"), 0.0);
    agent.end(Signal::TERM);
    let times = eventually(
        "all of them can be read",
        || database.times("gpulse_generation"),
        |read| read.len() as f64 >= all,
    );
    // GPUs are heard of a moment after the agent has started, and from then on are in every batch.
    let draws = eventually(
        "and what they hold",
        || database.times("gpulse_power_draw_watts"),
        |draws| draws.last() == times.last(),
    );
    let first = draws.first().unwrap();
    assert_eq!(draws, times.range(first..).copied().collect());
}

#[test]
fn victoria_metrics_has_everything_after_it_was_started_anew() {
    is_complete_across_a_restart(Kind::VictoriaMetrics);
}

#[test]
fn prometheus_has_everything_after_it_was_started_anew() {
    is_complete_across_a_restart(Kind::Prometheus);
}
