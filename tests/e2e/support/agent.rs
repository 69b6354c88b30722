//! An agent process: started on a free port, asked over HTTP, ended by a signal or with the test.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    os::{
        fd::OwnedFd,
        unix::{
            fs::{MetadataExt as _, PermissionsExt as _},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    http::{Reply, request},
    wait::eventually,
};

/// How the agent says where it serves.
const SERVING: &str = "serving on ";

/// The user and the group `nobody`.
const NOBODY: u32 = 65_534;

/// How the agent is started.
#[derive(Debug, Default)]
pub(crate) struct AgentBuilder {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    interval: Option<String>,
    unread: bool,
    is_bound: bool,
    binary: Option<PathBuf>,
    listener: Option<TcpListener>,
    user: Option<u32>,
}

/// Hands standard input over as the one socket of a service manager (`sd_listen_fds`), and runs the rest.
const HAND_OVER: &str = r#"exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" "$@""#;

/// A running agent. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Agent {
    /// Where it puts its temporary files, so that none stays when it is killed.
    _temporary: TempDir,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    base: String,
}

/// How an agent ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// How long that took after the signal.
    pub(crate) took: Duration,
    /// All that it logged.
    pub(crate) log: Vec<String>,
}

impl AgentBuilder {
    /// An agent over the library at `path`, which samples every 100 ms and takes a pause of the test machine
    /// neither for a stale GPU nor for a hang; the kubelet of that machine is not asked.
    pub(crate) fn over(path: &Path) -> Self {
        Self::default()
            .argument("--nvml-library")
            .argument(&path.display().to_string())
            .interval("100ms")
            .variable("GPULSE_SAMPLER__STALE_AFTER", "2h")
            .variable("GPULSE_SAMPLER__DEADLINE", "2s")
            .variable("GPULSE_KUBERNETES__POD_RESOURCES_SOCKET", "")
    }

    /// Adds an argument of `gpulse serve`.
    #[must_use]
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets the sampling interval.
    #[must_use]
    pub(crate) fn interval(self, interval: &str) -> Self {
        Self {
            interval: Some(interval.to_owned()),
            ..self
        }
    }

    /// Serves there, and not on an address of the test's own.
    #[must_use]
    pub(crate) fn bind(self, address: &str) -> Self {
        let bound = self.argument("--bind").argument(address);
        Self {
            is_bound: true,
            ..bound
        }
    }

    /// Serves where the configuration says, and not on an address of the test's own.
    #[must_use]
    pub(crate) fn bound_by_configuration(self) -> Self {
        Self {
            is_bound: true,
            ..self
        }
    }

    /// Sets a variable; the agent inherits none from the test.
    #[must_use]
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves the log unread once the agent has said where it serves.
    #[must_use]
    pub(crate) fn unread(self) -> Self {
        Self { unread: true, ..self }
    }

    /// Runs another binary than the one that was built with the tests.
    #[must_use]
    pub(crate) fn binary(mut self, path: &Path) -> Self {
        self.binary = Some(path.to_owned());
        self
    }

    /// Hands this socket over, as a service manager does.
    #[must_use]
    pub(crate) fn listener(mut self, listener: &TcpListener) -> Self {
        self.listener = listener.try_clone().ok();
        self
    }

    /// Runs it as another user, which root alone can do.
    #[must_use]
    pub(crate) fn user(self, user: u32) -> Self {
        Self {
            user: Some(user),
            ..self
        }
    }

    /// Runs it without privileges: where the tests run as root as `nobody`, who may neither enter a home nor root's temporary
    /// directories. It then runs from `directory`, which everybody may enter from here on.
    #[must_use]
    pub(crate) fn unprivileged(self, directory: &Path) -> Self {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            return self;
        }
        let binary = directory.join("gpulse");
        fs::copy(env!("CARGO_BIN_EXE_gpulse-under-test"), &binary).unwrap();
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
        self.binary(&binary).user(NOBODY)
    }

    /// The command, ready to run.
    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let built = PathBuf::from(env!("CARGO_BIN_EXE_gpulse-under-test"));
        let binary = self.binary.as_ref().unwrap_or(&built);
        let mut command = match self.listener.as_ref().and_then(|socket| socket.try_clone().ok()) {
            None => Command::new(binary),
            Some(socket) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", HAND_OVER]).arg(binary);
                shell.stdin(Stdio::from(OwnedFd::from(socket)));
                shell
            }
        };
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.env_clear().arg(subcommand).args(&self.arguments);
        if let Some(interval) = &self.interval {
            command.args(["--interval", interval]);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the agent and waits until it says where it serves.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[track_caller]
    pub(crate) fn start(&self) -> Agent {
        let temporary = TempDir::new().unwrap();
        let mut command = self.command("serve");
        if !self.is_bound {
            command.args(["--bind", "127.0.0.1:0"]);
        }
        command
            .args(["--log-format", "json"])
            .env("TMPDIR", temporary.path())
            .stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("{command:?}: {error}"),
        };
        let log = Arc::new(Mutex::new(Vec::new()));
        if let Some(stderr) = child.stderr.take() {
            let (log, unread) = (Arc::clone(&log), self.unread);
            thread::spawn(move || read_log(BufReader::new(stderr), &log, unread));
        }
        let mut agent = Agent {
            _temporary: temporary,
            child,
            log,
            base: String::new(),
        };
        agent.base =
            eventually("the agent serves", || agent.first_place(), Option::is_some).unwrap_or_default();
        agent
    }
}

/// Keeps the lines of a log. One that is left unread stays open, like that of a log driver that stands still.
fn read_log(stderr: BufReader<ChildStderr>, log: &Mutex<Vec<String>>, unread: bool) {
    for line in stderr.lines().map_while(Result::ok) {
        let last = unread && line.contains(SERVING);
        log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        if last {
            loop {
                thread::park();
            }
        }
    }
}

impl Agent {
    /// An agent over the library at `path`, started and with every GPU heard of.
    #[track_caller]
    pub(crate) fn ready(path: &Path) -> Self {
        let agent = AgentBuilder::over(path).start();
        agent.wait_until_ready();
        agent
    }

    /// Waits until every GPU was heard of, or NVML is known to be absent.
    #[track_caller]
    pub(crate) fn wait_until_ready(&self) {
        eventually(
            "the agent is ready",
            || self.get("/health/ready").status,
            |status| *status == 200,
        );
    }

    /// Gets `path`.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[])
    }

    /// Gets `path` and reads its body.
    #[track_caller]
    pub(crate) fn json(&self, path: &str) -> Value {
        self.get(path).json()
    }

    /// Sends a request with headers.
    #[track_caller]
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        request(method, &self.url(path), headers)
    }

    /// The address of `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The addresses where it serves, in the order of the log.
    pub(crate) fn served(&self) -> Vec<String> {
        let log = self.log();
        log.iter().filter_map(|line| place(line)).collect()
    }

    /// Host and port of the first of them.
    pub(crate) fn address(&self) -> SocketAddr {
        let (_, address) = self.base.split_once("//").unwrap_or_default();
        address.parse().unwrap()
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All log lines so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a signal and waits for the end.
    ///
    /// # Panics
    ///
    /// If the agent does not end.
    #[track_caller]
    pub(crate) fn end(mut self, signal: Signal) -> Ended {
        let start = Instant::now();
        self.signal(signal);
        let status = eventually(
            "the agent ends",
            || self.child.try_wait().ok().flatten(),
            Option::is_some,
        );
        let Some(status) = status else { panic!("no status") };
        Ended {
            status,
            took: start.elapsed(),
            log: self.log(),
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended already, which the caller notices.
            let _ = kill_process(pid, signal);
        }
    }

    /// Where it serves, once it has said so.
    fn first_place(&mut self) -> Option<String> {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("the agent ended at once with {status}: {:#?}", self.log());
        }
        self.log().iter().find_map(|line| place(line))
    }
}

/// The place that a line of the log says is served.
fn place(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let message = line.get("message")?.as_str()?;
    message.strip_prefix(SERVING).map(ToOwned::to_owned)
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
