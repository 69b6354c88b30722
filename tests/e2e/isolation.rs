//! One sick GPU delays nobody: not its neighbours, not HTTP, not itself once it is well again.

use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::Value;

use crate::support::{Agent, eventually, simulator};

/// The GPU that is made sick, and how many there are.
const SICK: u64 = 3;
const GPUS: u64 = 8;

/// Good samples of every GPU so far.
fn sequences(agent: &Agent) -> Vec<u64> {
    let detailed = agent.json("/health/detailed");
    let gpus = detailed["components"]["gpus"].as_array().unwrap().clone();
    gpus.iter().map(|gpu| gpu["sequence"].as_u64().unwrap()).collect()
}

fn state(agent: &Agent, gpu: u64) -> Value {
    agent.json("/gpu/info")["gpus"][usize::try_from(gpu).unwrap()]["state"].clone()
}

fn hang_one() -> (Simulator, Agent) {
    let simulator = simulator("h100-sxm-8");
    let agent = Agent::ready(simulator.library_path());
    simulator
        .set_faults(&[Fault::everywhere().gpu(3).hang()])
        .unwrap();
    eventually(
        "the sick GPU is hung",
        || state(&agent, SICK),
        |state| state == "hung",
    );
    (simulator, agent)
}

#[test]
fn the_other_seven_keep_their_pace() {
    let (_simulator, agent) = hang_one();
    // A sampler reports a hang at every tick: the sick GPU itself counts the time. Ticks in which it tries another
    // reader are not reported, hence the factor.
    let ticks = |agent: &Agent| {
        agent.json("/health/detailed")["components"]["gpus"][3]["failures"]
            .as_u64()
            .unwrap()
    };
    let (first_tick, before) = (ticks(&agent), sequences(&agent));
    eventually(
        "forty ticks pass",
        || ticks(&agent),
        |now| *now >= first_tick + 40,
    );
    let after = sequences(&agent);
    for gpu in (0..8).filter(|gpu| *gpu != 3) {
        assert!(
            after[gpu] >= before[gpu] + 20,
            "GPU {gpu} gave {} samples in 40 ticks",
            after[gpu] - before[gpu]
        );
        assert_eq!(state(&agent, gpu as u64), "ok", "GPU {gpu}");
    }
    assert_eq!(after[3], before[3], "the sick GPU gave a sample");
}

#[test]
fn every_route_answers_as_before_and_the_sick_gpu_is_visible() {
    let (_simulator, agent) = hang_one();
    for path in [
        "/gpu/metrics",
        "/gpu/metrics/0",
        "/gpu/metrics/3",
        "/gpu/info",
        "/health/",
        "/health/ready",
    ] {
        assert_eq!(agent.get(path).status, 200, "{path}");
    }
    let body = agent.json("/gpu/metrics");
    assert_eq!(
        body["gpu_count"], GPUS,
        "a GPU that was read once keeps its last sample"
    );
    assert_eq!(body["gpus"][3]["state"], "hung");
    assert_eq!(agent.json("/gpu/info")["available"], true);
    let info = agent.json("/gpu/info");
    let error = info["gpus"][3]["last_error"].as_str().unwrap();
    assert!(
        error.contains("nvml") && error.contains("has not returned for"),
        "{error}"
    );
    assert_eq!(agent.json("/health/")["status"], "degraded");
}

#[test]
fn threads_stay_few_and_recovery_needs_no_restart() {
    let (simulator, agent) = hang_one();
    let threads = |agent: &Agent| {
        std::fs::read_dir(format!("/proc/{}/task", agent.pid()))
            .unwrap()
            .count()
    };
    let healthy = threads(&agent);
    let failures = |agent: &Agent| {
        agent.json("/health/detailed")["components"]["gpus"][3]["failures"]
            .as_u64()
            .unwrap()
    };
    eventually(
        "the hang lasts for many ticks",
        || failures(&agent),
        |failures| *failures > 50,
    );
    assert!(
        threads(&agent) <= healthy + 3,
        "{} threads, {healthy} before",
        threads(&agent)
    );
    simulator.clear_faults().unwrap();
    eventually(
        "the GPU is read again",
        || state(&agent, SICK),
        |state| state == "ok",
    );
    eventually(
        "the stuck readers have ended",
        || threads(&agent),
        |threads| *threads <= healthy,
    );
}

#[test]
fn a_gpu_that_hangs_from_the_start_is_missing_by_name_and_holds_nobody_back() {
    let simulator = simulator("a100-pcie-4");
    simulator
        .set_faults(&[Fault::everywhere().gpu(2).hang()])
        .unwrap();
    let agent = Agent::ready(simulator.library_path());
    let body = eventually(
        "the others are served",
        || agent.json("/gpu/metrics"),
        |body| body["gpu_count"] == 3 && body["missing_gpus"][0]["reason"] == "timeout",
    );
    assert_eq!(body["missing_gpus"][0]["gpu_id"], 2);
    assert_eq!(body["missing_gpus"][0]["state"], "hung");
    let single = agent.get("/gpu/metrics/2");
    assert_eq!(
        (single.status, &single.json()["detail"]),
        (500, &Value::from("Failed to collect metrics for GPU 2"))
    );
    simulator.clear_faults().unwrap();
    eventually(
        "it is served as well",
        || agent.json("/gpu/metrics")["gpu_count"].clone(),
        |count| *count == 4,
    );
}
