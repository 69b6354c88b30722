//! Under a service manager: what systemd is told, the watchdog, reloading, and sockets that outlive the agent.

use std::{
    cell::RefCell,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        net::UnixDatagram,
    },
    path::Path,
    process::{Command, Stdio},
};

use nvml_sim::faults::Fault;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::{AgentBuilder, eventually, simulator};

/// Where systemd would listen.
struct Manager {
    directory: TempDir,
    socket: UnixDatagram,
    heard: RefCell<Vec<String>>,
}

impl Manager {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self {
            directory,
            socket,
            heard: RefCell::default(),
        }
    }

    /// An agent that tells it how it is.
    fn agent(&self, library: &Path) -> AgentBuilder {
        let notify = self.directory.path().join("notify");
        AgentBuilder::over(library).variable("NOTIFY_SOCKET", &notify.display().to_string())
    }

    /// What was told since the start, or since [`Manager::forget`], message by message.
    fn heard(&self) -> Vec<String> {
        let (mut buffer, mut heard) = ([0; 4096], self.heard.borrow_mut());
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => heard.push(String::from_utf8(buffer[..length].to_vec()).unwrap()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return heard.clone(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn forget(&self) {
        self.heard();
        self.heard.borrow_mut().clear();
    }

    /// Waits for as many messages that hold `text`, and returns all that was told.
    #[track_caller]
    fn hears_often(&self, text: &str, times: usize) -> Vec<String> {
        let count = |all: &Vec<String>| all.iter().filter(|message| message.contains(text)).count();
        eventually(text, || self.heard(), |all| count(all) >= times)
    }

    #[track_caller]
    fn hears(&self, text: &str) -> Vec<String> {
        self.hears_often(text, 1)
    }
}

const WATCHDOG: &str = "WATCHDOG_USEC";

/// A user who runs nothing else.
const LONELY: u32 = 65_533;

/// Three seconds: the shortest time that is safe.
const MICROSECONDS: &str = "3000000";

#[test]
fn ready_is_told_once_the_listener_serves_and_not_once_gpus_do() {
    let (simulator, manager) = (simulator("t4"), Manager::new());
    simulator.set_faults(&[Fault::on("nvmlInit*").hang()]).unwrap();
    let agent = manager.agent(simulator.library_path()).start();
    manager.hears("READY=1");
    assert_eq!(agent.get("/health/live").status, 200);
    assert_eq!(agent.get("/health/ready").status, 503);
    manager.hears("STATUS=NVML is being initialised");
    simulator.clear_faults().unwrap();
    manager.hears("STATUS=1 GPU: 1 ok");
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0));
    assert!(
        manager.heard().iter().any(|message| message == "STOPPING=1\n"),
        "told before the end"
    );
}

#[test]
fn the_watchdog_is_fed_whatever_the_gpus_do() {
    let (simulator, manager) = (simulator("a100-pcie-4"), Manager::new());
    let agent = manager
        .agent(simulator.library_path())
        .variable(WATCHDOG, MICROSECONDS)
        .start();
    agent.wait_until_ready();
    simulator.set_faults(&[Fault::everywhere().hang()]).unwrap();
    manager.hears("STATUS=4 GPUs: 4 hung");
    manager.forget();
    let heard = manager.hears_often("WATCHDOG=1", 3);
    assert!(
        !heard.iter().any(|message| message.contains("trigger")),
        "{heard:?}"
    );
}

/// The thread of the aggregator and the samplers: the first that actix starts.
fn aggregators_thread(pid: u32) -> u32 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let threads = threads.flatten().filter(|thread| {
        let name = fs::read_to_string(thread.path().join("comm"));
        name.is_ok_and(|name| name.starts_with("actix-rt"))
    });
    let ids = threads.filter_map(|thread| thread.file_name().to_str()?.parse().ok());
    ids.min().unwrap()
}

#[test]
fn an_aggregator_that_stands_still_leaves_the_watchdog_hungry() {
    let (simulator, manager) = (simulator("t4"), Manager::new());
    let agent = manager
        .agent(simulator.library_path())
        .variable(WATCHDOG, MICROSECONDS)
        .start();
    agent.wait_until_ready();
    manager.hears("WATCHDOG=1");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/stop_thread.py");
    let stopper = Command::new("python3")
        .arg(script)
        .arg(aggregators_thread(agent.pid()).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut stopper) = stopper else {
        eprintln!("SKIPPED: stopping a thread needs python3");
        return;
    };
    let mut said = String::new();
    BufReader::new(stopper.stdout.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    if said != "stopped\n" {
        assert_eq!(stopper.wait().unwrap().code(), Some(77));
        eprintln!("SKIPPED: this user may not stop a thread of another process (ptrace)");
        return;
    }
    manager.forget();
    let heard = manager.hears("the aggregator stands still");
    // One beat may have been on its way.
    let fed = heard.iter().filter(|message| *message == "WATCHDOG=1\n").count();
    assert!(fed <= 1, "{heard:?}");
    assert_eq!(agent.get("/health/live").status, 200, "the others go on");
    // It goes on once nobody holds it.
    drop(stopper.stdin.take());
    assert!(stopper.wait().unwrap().success());
    manager.forget();
    manager.hears("WATCHDOG=1");
}

#[test]
fn a_watchdog_of_another_process_is_not_fed() {
    let (simulator, manager) = (simulator("t4"), Manager::new());
    let agent = manager
        .agent(simulator.library_path())
        .variable(WATCHDOG, MICROSECONDS)
        .variable("WATCHDOG_PID", "1")
        .start();
    manager.hears("STATUS=1 GPU: 1 ok");
    agent.signal(Signal::HUP);
    let heard = manager.hears("RELOADING=1");
    assert!(
        !heard.iter().any(|message| message.contains("WATCHDOG")),
        "{heard:?}"
    );
}

#[test]
fn sighup_asks_for_a_look_at_files_and_ends_nothing() {
    let (simulator, manager) = (simulator("t4"), Manager::new());
    let agent = manager.agent(simulator.library_path()).start();
    manager.hears("READY=1");
    manager.forget();
    agent.signal(Signal::HUP);
    let heard = manager.hears("READY=1");
    let place = |text: &str| heard.iter().position(|message| message.starts_with(text));
    assert!(place("RELOADING=1") < place("READY=1"), "{heard:?}");
    let reloading = &heard[place("RELOADING=1").unwrap()];
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    eventually(
        "it is logged",
        || agent.log().join("\n"),
        |log| log.contains("SIGHUP"),
    );
    assert_eq!(agent.get("/health/live").status, 200);
    assert_eq!(agent.end(Signal::INT).status.code(), Some(0));
}

#[test]
fn without_a_service_manager_sighup_ends_nothing_either() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path()).start();
    agent.signal(Signal::HUP);
    eventually(
        "the signal is noticed",
        || agent.log().join("\n"),
        |log| log.contains("SIGHUP"),
    );
    assert_eq!(agent.get("/health/live").status, 200);
}

#[test]
fn a_total_hang_asks_for_a_new_process_which_takes_over_without_a_lost_connection() {
    let (simulator, manager) = (simulator("a100-pcie-4"), Manager::new());
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let under_manager = || {
        manager
            .agent(simulator.library_path())
            .variable("GPULSE_WATCHDOG__ON_TOTAL_HANG", "restart")
            .variable("GPULSE_WATCHDOG__TOTAL_HANG_AFTER", "300ms")
            .listener(&socket)
    };
    let first = under_manager().variable(WATCHDOG, MICROSECONDS).start();
    assert_eq!(first.url(""), format!("http://{address}"));
    first.wait_until_ready();
    simulator.set_faults(&[Fault::everywhere().hang()]).unwrap();
    manager.hears("WATCHDOG=trigger");
    // What systemd does then; between the processes, connections wait in its socket.
    assert_eq!(first.end(Signal::TERM).status.code(), Some(0));
    let mut early = TcpStream::connect(address).unwrap();
    early
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    simulator.clear_faults().unwrap();
    let second = under_manager().start();
    let mut answer = String::new();
    early.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    second.wait_until_ready();
    assert_eq!(second.json("/gpu/metrics")["gpu_count"], 4);
}

#[test]
fn the_address_is_free_as_soon_as_the_agent_begins_to_end() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SHUTDOWN_GRACE", "10m")
        .start();
    agent.wait_until_ready();
    let address = agent.url("").replace("http://", "");
    assert!(TcpListener::bind(&address).is_err(), "it serves there");
    // More than all buffers on the way hold, from a client that reads no further: these requests stay in flight.
    let mut slow = TcpStream::connect(&address).unwrap();
    let requests = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200);
    slow.write_all(requests.as_bytes()).unwrap();
    assert!(slow.read(&mut [0; 64]).unwrap() > 0);
    // Only an answer that nobody takes keeps the agent: whatever finds room in the buffers goes out at once. The count is
    // rendered once a second, so that it has to be the same for much longer than that.
    let (mut before, mut looks) = (String::new(), 0);
    eventually(
        "the buffers on the way are full",
        || {
            let text = String::from_utf8(agent.get("/metrics").body).unwrap();
            let answered = text.lines().find(|line| line.contains("route=\"/openapi.json\""));
            let answered = answered.unwrap_or_default().to_owned();
            looks = if answered == before && !answered.is_empty() {
                looks + 1
            } else {
                0
            };
            before = answered;
            looks
        },
        |looks| *looks >= 150,
    );
    agent.signal(Signal::TERM);
    // A thread that never returns could keep it for even longer.
    let successor = eventually(
        "the address is free",
        || TcpListener::bind(&address).ok(),
        Option::is_some,
    );
    let stat = fs::read_to_string(format!("/proc/{}/stat", agent.pid())).unwrap();
    assert!(!stat.contains(") Z "), "it has ended: {stat}");
    drop(successor);
    assert_eq!(agent.end(Signal::INT).status.code(), Some(0));
}

#[test]
fn an_initialisation_that_hangs_is_a_total_hang() {
    let (simulator, manager) = (simulator("t4"), Manager::new());
    simulator.set_faults(&[Fault::on("nvmlInit*").hang()]).unwrap();
    let agent = manager
        .agent(simulator.library_path())
        .variable("GPULSE_WATCHDOG__ON_TOTAL_HANG", "restart")
        .variable("GPULSE_WATCHDOG__TOTAL_HANG_AFTER", "100ms")
        .start();
    manager.hears("STATUS=no GPUs: timeout; nothing of NVML returns: to be started anew");
    manager.hears("WATCHDOG=trigger");
    assert_eq!(
        agent.get("/health/live").status,
        200,
        "it serves until it is ended"
    );
}

#[test]
fn one_gpu_that_answers_is_reason_enough_to_go_on() {
    let (simulator, manager) = (simulator("a100-pcie-4"), Manager::new());
    let agent = manager
        .agent(simulator.library_path())
        .variable("GPULSE_WATCHDOG__ON_TOTAL_HANG", "restart")
        .variable("GPULSE_WATCHDOG__TOTAL_HANG_AFTER", "10ms")
        .variable(WATCHDOG, MICROSECONDS)
        .start();
    agent.wait_until_ready();
    let faults: Vec<_> = (0..3).map(|gpu| Fault::everywhere().gpu(gpu).hang()).collect();
    simulator.set_faults(&faults).unwrap();
    manager.hears("STATUS=4 GPUs: 1 ok, 3 hung");
    manager.forget();
    let heard = manager.hears_often("WATCHDOG=1", 2);
    assert!(
        !heard.iter().any(|message| message.contains("trigger")),
        "{heard:?}"
    );
}

#[test]
fn an_agent_whose_workers_cannot_be_started_ends_and_is_never_called_ready() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return eprintln!("SKIPPED: a limit of threads of its own needs a user of its own, hence root");
    }
    let (simulator, manager, directory) = (simulator("t4"), Manager::new(), TempDir::new().unwrap());
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    open(manager.directory.path());
    open(&manager.directory.path().join("notify"));
    open(directory.path());
    let (binary, limited) = (directory.path().join("gpulse"), directory.path().join("limited"));
    fs::copy(env!("CARGO_BIN_EXE_gpulse-under-test"), &binary).unwrap();
    // All but the workers find room.
    let script = format!(
        "#!/bin/sh\nulimit -u 32 2>&- || ulimit -p 32\nexec {} \"$@\"\n",
        binary.display()
    );
    fs::write(&limited, script).unwrap();
    open(&limited);
    let mut agent = manager
        .agent(simulator.library_path())
        .variable("GPULSE_HTTP__WORKERS", "64")
        .user(LONELY)
        .binary(&limited)
        .bind("127.0.0.1:0")
        .command("serve")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ended = eventually("it ends", || agent.try_wait().unwrap(), Option::is_some);
    let mut text = String::new();
    agent.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(ended.unwrap().code(), Some(1), "{text}");
    assert!(text.contains("HTTP cannot be served"), "{text}");
    let heard = manager.heard();
    assert!(
        !heard.iter().any(|message| message.contains("READY")),
        "{heard:?}"
    );
}

#[test]
fn sockets_that_cannot_be_served_are_refused_with_the_reason() {
    let mut command = AgentBuilder::over(Path::new("/nowhere")).command("serve");
    // Its own standard streams are no sockets.
    let output = command
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDS_FIRST_FD", "2")
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("socket of the service manager is no TCP socket"),
        "{text}"
    );
}
