//! The agent ends when it is told to: in bounded time, with exit code 0, and whatever its GPUs do.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use nvml_sim::faults::Fault;
use rustix::process::Signal;

use crate::support::{Agent, AgentBuilder, eventually, simulator};

/// The grace time that an agent has unless it is told otherwise.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// What a machine under load may add to the grace time before a test calls the end unbounded.
pub(crate) const SLACK: Duration = Duration::from_secs(10);

#[test]
fn sigterm_and_sigint_end_with_exit_code_0() {
    let simulator = simulator("t4");
    for signal in [Signal::TERM, Signal::INT] {
        let ended = Agent::ready(simulator.library_path()).end(signal);
        assert_eq!(ended.status.code(), Some(0), "{signal:?}: {:#?}", ended.log);
    }
}

#[test]
fn a_stuck_gpu_does_not_hold_the_agent_back() {
    let simulator = simulator("a100-pcie-4");
    let agent = Agent::ready(simulator.library_path());
    simulator
        .set_faults(&[Fault::everywhere().gpu(1).hang()])
        .unwrap();
    eventually(
        "GPU 1 is hung",
        || agent.json("/gpu/info")["gpus"][1]["state"].clone(),
        |state| state == "hung",
    );
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
    assert!(ended.took < GRACE + SLACK, "it took {:?}", ended.took);
}

#[test]
fn a_stuck_initialisation_does_not_hold_the_agent_back() {
    let simulator = simulator("t4");
    simulator.set_faults(&[Fault::on("nvmlInit*").hang()]).unwrap();
    let agent = AgentBuilder::over(simulator.library_path()).start();
    assert_eq!(agent.json("/gpu/info")["reason"], "starting");
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
    assert!(ended.took < GRACE + SLACK, "it took {:?}", ended.took);
}

#[test]
fn a_client_that_keeps_its_connection_does_not_hold_the_agent_back() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SHUTDOWN_GRACE", "500ms")
        .start();
    agent.wait_until_ready();
    let address = agent.url("").replace("http://", "");
    let mut idle = TcpStream::connect(&address).unwrap();
    idle.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut half = TcpStream::connect(&address).unwrap();
    half.write_all(b"GET /health/live HTT").unwrap();
    assert!(idle.read(&mut [0; 64]).unwrap() > 0);
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.took < GRACE + SLACK, "it took {:?}", ended.took);
}

#[test]
fn a_second_signal_does_not_wait() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SHUTDOWN_GRACE", "10m")
        .start();
    agent.wait_until_ready();
    // More than all buffers on the way hold, from a client that reads no further: these requests stay in flight. Half a
    // request would not do, since an idle connection is closed at once.
    let mut slow = TcpStream::connect(agent.url("").replace("http://", "")).unwrap();
    let requests = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200);
    slow.write_all(requests.as_bytes()).unwrap();
    assert!(slow.read(&mut [0; 64]).unwrap() > 0);
    agent.signal(Signal::TERM);
    eventually(
        "the first signal is noticed",
        || agent.log().join("\n"),
        |log| log.contains("ending"),
    );
    let ended = agent.end(Signal::INT);
    assert_eq!(ended.status.code(), Some(0));
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_back() {
    let simulator = simulator("h100-16");
    let agent = AgentBuilder::over(simulator.library_path())
        .unread()
        .argument("--log-level")
        .argument("debug")
        .start();
    agent.wait_until_ready();
    // More lines than any pipe holds.
    for _ in 0..2_000 {
        assert_eq!(agent.get("/gpu/metrics/0").status, 200);
    }
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0));
}
