//! Monitoring engines as processes: started on a free port of the loopback, asked over HTTP, ended with the test.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{eventually, skipped};

/// A query that takes longer has met an engine that is stuck.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often a port is tried that somebody else was quicker to take.
const ATTEMPTS: usize = 5;

/// A program that `cargo xtask test` brings together. Without it its test is skipped, except in CI.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("GPULSE_TEST_ENGINES");
    assert!(
        home.is_some() || std::env::var_os("CI").is_none(),
        "GPULSE_TEST_ENGINES is not set: run `cargo xtask test`"
    );
    if home.is_none() {
        skipped(&format!(
            "{name} needs GPULSE_TEST_ENGINES, which `cargo xtask test` sets up"
        ));
    }
    Some(Path::new(&home?).join("bin").join(name))
}

/// Runs a program of which no output may be lost to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Output {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => panic!("{command:?}: {error}"),
    }
}

/// All that a program said.
pub(crate) fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// A running engine. Killed when dropped.
pub(crate) struct Engine {
    child: Child,
    base: String,
}

impl Engine {
    /// Starts what `command` makes for an address, with its log in `directory`, and waits until `ready` is answered with 200.
    #[track_caller]
    pub(super) fn start(directory: &Path, ready: &str, command: impl Fn(SocketAddr) -> Command) -> Self {
        for _ in 0..ATTEMPTS {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let log = File::create(directory.join("engine.log")).unwrap();
            let mut command = command(address);
            let child = command
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log)
                .spawn()
                .unwrap();
            let mut engine = Self {
                child,
                base: format!("http://{address}"),
            };
            let up = eventually(
                "the engine is ready or has ended",
                || match engine.child.try_wait() {
                    Ok(None) => engine.try_get(ready).is_ok().then_some(true),
                    _ => Some(false),
                },
                Option::is_some,
            );
            if up == Some(true) {
                return engine;
            }
        }
        let log = std::fs::read_to_string(directory.join("engine.log"));
        panic!("the engine ends at once: {log:?}");
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.base
    }

    /// Gets `path`; an error unless it is answered with 200.
    pub(super) fn try_get(&self, path: &str) -> Result<String, ureq::Error> {
        let mut response = client().get(format!("{}{path}", self.base)).call()?;
        response.body_mut().with_config().limit(u64::MAX).read_to_string()
    }

    /// Gets `path` with parameters.
    #[track_caller]
    pub(super) fn get(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let url = format!("{}{path}", self.base);
        let request = client().get(&url).query_pairs(parameters.iter().copied());
        match request
            .call()
            .and_then(|mut answer| answer.body_mut().with_config().limit(u64::MAX).read_to_string())
        {
            Ok(text) => text,
            Err(error) => panic!("{url} {parameters:?}: {error}"),
        }
    }

    /// What the Prometheus interface answers.
    #[track_caller]
    pub(super) fn api(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let text = self.get(&format!("/api/v1/{path}"), parameters);
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["status"], "success", "{path} {parameters:?}: {answer}");
        answer["data"].clone()
    }

    /// The series that an expression has now.
    #[track_caller]
    pub(crate) fn query(&self, expression: &str) -> Vec<Value> {
        let data = self.api("query", &[("query", expression)]);
        data["result"].as_array().unwrap().clone()
    }

    /// Sends a body.
    #[track_caller]
    pub(super) fn post(&self, path: &str, body: &[u8]) {
        let url = format!("{}{path}", self.base);
        if let Err(error) = client().post(&url).send(body) {
            panic!("{url}: {error}");
        }
    }

    /// Asks the engine to end, and waits until it has.
    #[track_caller]
    pub(super) fn end(mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.unwrap(), Signal::TERM).unwrap();
        let status = eventually(
            "the engine ends",
            || self.child.try_wait().ok().flatten(),
            Option::is_some,
        );
        assert!(status.is_some_and(|status| status.success()), "{status:?}");
    }
}

fn client() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .build()
        .into()
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prometheus over a configuration file in `directory`, where it keeps its data as well.
#[track_caller]
pub(crate) fn prometheus(program: &Path, directory: &Path) -> Engine {
    Engine::start(directory, "/-/ready", |address| {
        let mut command = Command::new(program);
        command
            .current_dir(directory)
            .arg(format!("--web.listen-address={address}"))
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg("--enable-feature=exemplar-storage")
            .arg("--log.level=warn");
        command
    })
}

/// VictoriaMetrics, which keeps its data in `directory`.
#[track_caller]
pub(super) fn victoria(program: &Path, directory: &Path) -> Engine {
    victoria_that_scrapes(program, directory, None)
}

/// VictoriaMetrics, which keeps its data in `directory` and scrapes what a configuration file of Prometheus' says.
#[track_caller]
pub(super) fn victoria_that_scrapes(program: &Path, directory: &Path, config: Option<&Path>) -> Engine {
    Engine::start(directory, "/health", |address| {
        let mut command = Command::new(program);
        command
            .arg(format!("-httpListenAddr={address}"))
            // By default a query leaves out what is younger than half a minute.
            .arg("-search.latencyOffset=0s")
            // Keys that only Prometheus knows are passed over.
            .arg("-promscrape.config.strictParse=false")
            .arg(format!("-storageDataPath={}", directory.join("data").display()))
            .args(config.map(|config| format!("-promscrape.config={}", config.display())));
        command
    })
}

/// Evaluates rules by what `database` has, and writes what comes out into it. Alerts go nowhere.
#[track_caller]
pub(super) fn vmalert(program: &Path, directory: &Path, database: &Engine, rules: &[PathBuf]) -> Engine {
    Engine::start(directory, "/health", |address| {
        let mut command = Command::new(program);
        command
            .arg(format!("-httpListenAddr={address}"))
            .arg(format!("-datasource.url={}", database.base))
            .arg(format!("-remoteWrite.url={}", database.base))
            .arg("-notifier.url=http://127.0.0.1:9")
            .arg("-evaluationInterval=1s")
            .args(rules.iter().map(|rules| format!("-rule={}", rules.display())));
        command
    })
}
