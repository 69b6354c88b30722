//! GPUs that are let go while some of them are sick: what is said of who still holds the driver is true, and what is stuck in
//! it stays bounded.

use std::fs;

use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    security::token,
    support::{Agent, AgentBuilder, eventually, simulator},
};

const LET_GO: &str = "the GPUs are let go: the agent holds no device and no library";

/// An agent with an operator.
struct Operated {
    agent: Agent,
    header: String,
    _tokens: TempDir,
}

impl Operated {
    fn over(simulator: &Simulator) -> Self {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("tokens");
        let (token, line) = token("operator", "read,admin");
        fs::write(&file, line).unwrap();
        let agent = AgentBuilder::over(simulator.library_path())
            .variable("GPULSE_AUTH__TOKENS_FILE", file.to_str().unwrap())
            .variable("GPULSE_NVML__RETRY_FIRST", "10ms")
            .variable("GPULSE_NVML__RETRY_MAX", "100ms")
            .start();
        agent.wait_until_ready();
        Self {
            agent,
            header: format!("Bearer {token}"),
            _tokens: directory,
        }
    }

    fn send(&self, method: &str, path: &str) -> Value {
        let headers = [("authorization", self.header.as_str())];
        self.agent.request(method, path, &headers).json()
    }

    fn info(&self) -> Value {
        self.send("GET", "/gpu/info")
    }

    fn resume(&self) {
        self.send("POST", "/api/v1/admin/resume");
    }

    /// Parks, and returns what is said then.
    #[track_caller]
    fn park(&self) -> String {
        let parked = eventually(
            "the GPUs are let go",
            || self.send("POST", "/api/v1/admin/park"),
            |parked| parked["let_go"] == true,
        );
        parked["message"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn says(&self, message: &str) {
        eventually(message, || self.info(), |info| info["message"] == message);
    }

    #[track_caller]
    fn counts(&self, state: &str, gpus: usize) {
        let count = |info: &Value| {
            let states = info["gpus"].as_array().into_iter().flatten();
            states.filter(|gpu| gpu["state"] == state).count()
        };
        eventually(state, || self.info(), |info| count(info) == gpus);
    }

    fn threads(&self) -> usize {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.agent.pid()));
        tasks.unwrap().count()
    }
}

#[test]
fn a_lost_gpu_can_be_let_go_for_its_reset() {
    let simulator = simulator("a100-pcie-4");
    simulator
        .set_faults(&[Fault::everywhere().gpu(2).lost()])
        .unwrap();
    let agent = Operated::over(&simulator);
    agent.counts("lost", 1);
    // How it is joined to the others is asked again and again, for as long as it does not say.
    eventually(
        "the topology is asked for",
        || simulator.calls_anywhere("nvmlDeviceGetTopologyCommonAncestor"),
        |calls| *calls >= 3,
    );
    assert_eq!(agent.park(), LET_GO);
    assert_eq!(simulator.calls_anywhere("nvmlShutdown"), 1);
}

#[test]
fn a_shutdown_that_hangs_is_not_called_done() {
    let simulator = simulator("t4");
    let agent = Operated::over(&simulator);
    simulator.set_faults(&[Fault::on("nvmlShutdown").hang()]).unwrap();
    assert_eq!(
        agent.park(),
        "the GPUs are let go but for one thread that is stuck inside the driver"
    );
    simulator.clear_faults().unwrap();
    agent.says(LET_GO);
    agent.resume();
    agent.counts("ok", 1);
}

#[test]
fn threads_that_are_stuck_in_one_driver_after_another_are_bounded() {
    /// What is in the agent's source: beyond it nothing is initialised anew.
    const MOST_STUCK: usize = 128;
    /// All that one initialisation over 16 GPUs may leave: three readers and a trial for each, and some for all of them.
    const OF_ONE: usize = 16 * 4 + 8;
    let simulator = simulator("h100-16");
    let agent = Operated::over(&simulator);
    let healthy = agent.threads();
    let shield = Fault::on("nvmlDeviceGetCount*");
    let hang = Fault::on("nvmlDevice*").hang();
    simulator.set_faults(&[shield, hang]).unwrap();
    let mut rounds = 0;
    let refused = loop {
        let seen = eventually(
            "every GPU hangs, or it is enough",
            || agent.info(),
            |info| {
                let gpus = info["gpus"].as_array().unwrap();
                info["reason"] == "timeout"
                    || gpus.len() == 16 && gpus.iter().all(|gpu| gpu["state"] == "hung")
            },
        );
        if seen["reason"] == "timeout" {
            break seen;
        }
        rounds += 1;
        assert!(rounds < 10, "{} threads", agent.threads());
        agent.park();
        agent.resume();
    };
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("threads are stuck inside the driver"),
        "{message}"
    );
    let most = healthy + MOST_STUCK + OF_ONE;
    assert!(agent.threads() <= most, "{} threads", agent.threads());
    assert!(agent.park().ends_with("stuck inside the driver"));
    agent.resume();
    simulator.clear_faults().unwrap();
    agent.counts("ok", 16);
    eventually(
        "the threads have come back",
        || agent.threads(),
        |threads| *threads <= healthy + 1,
    );
}
