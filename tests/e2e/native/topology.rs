//! How GPUs are joined, asked by a thread of its own that nobody waits for.

use nvml_sim::faults::Fault;
use serde_json::Value;

use super::{quick, steady};
use crate::support::{Agent, eventually, simulator};

fn topology(agent: &Agent) -> Value {
    agent.json("/api/v1/topology")
}

/// Waits until it was read, and NVLinks were.
#[track_caller]
fn read(agent: &Agent) -> Value {
    eventually(
        "the topology is read",
        || topology(agent),
        |body| {
            let pairs = body["pairs"].as_array();
            let mut pairs = pairs.into_iter().flatten();
            body["read_at"].is_string() && pairs.all(|pair| !pair["nvlinks"].is_null())
        },
    )
}

fn sequences(agent: &Agent) -> Vec<u64> {
    let body = agent.json("/api/v1/gpus");
    let gpus = body["gpus"].as_array().unwrap().iter();
    gpus.map(|gpu| gpu["sequence"].as_u64().unwrap()).collect()
}

#[track_caller]
fn samples_go_on(agent: &Agent, gpus: &[usize]) {
    let before = sequences(agent);
    eventually(
        "all are sampled on",
        || sequences(agent),
        |now| gpus.iter().all(|gpu| now[*gpu] >= before[*gpu] + 5),
    );
}

#[test]
fn gpus_on_switches_and_gpus_on_bridges() {
    // GPUs that bridges join sit on one socket; eight of them share out two.
    for (profile, gpus, on_first, links) in [("h100-sxm-8", 8, 4, 18), ("a100-nvlink-2", 2, 2, 12)] {
        let simulator = simulator(profile);
        let agent = Agent::ready(simulator.library_path());
        let body = read(&agent);
        let is_on_first = |index: &Value| index.as_u64() < Some(on_first);
        let placed = body["gpus"].as_array().unwrap();
        assert_eq!(placed.len(), gpus, "{profile}");
        for gpu in placed {
            let (near, node) = if is_on_first(&gpu["index"]) {
                ("0-63", "0")
            } else {
                ("64-127", "1")
            };
            assert_eq!(gpu["cpu_affinity"], near, "{profile}: {gpu}");
            assert_eq!(gpu["memory_affinity"], node, "{profile}: {gpu}");
        }
        let pairs = body["pairs"].as_array().unwrap();
        assert_eq!(pairs.len(), gpus * (gpus - 1) / 2, "{profile}");
        for pair in pairs {
            let together = is_on_first(&pair["first"]) == is_on_first(&pair["second"]);
            let near = if together { "node" } else { "system" };
            assert_eq!(pair["common_ancestor"], near, "{profile}: {pair}");
            assert!(pair["first"].as_u64() < pair["second"].as_u64(), "{pair}");
            assert_eq!(pair["p2p_nvlink"], "ok", "{profile}: {pair}");
            assert_eq!(pair["nvlinks"], links, "{profile}: {pair}");
        }
    }
}

#[test]
fn a_question_that_hangs_costs_the_topology_and_no_sample() {
    let simulator = steady()
        .faults(&[Fault::on("nvmlDeviceGetTopologyCommonAncestor").hang()])
        .start()
        .unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    eventually(
        "the question is asked",
        || simulator.calls_anywhere("nvmlDeviceGetTopologyCommonAncestor"),
        |calls| *calls > 0,
    );
    samples_go_on(&agent, &[0, 1]);
    let body = topology(&agent);
    for path in [
        "gpus.0.cpu_affinity",
        "pairs.0.common_ancestor",
        "pairs.0.p2p_nvlink",
    ] {
        let reason = &body["unavailable"][path];
        assert_eq!(reason, "not_ready", "{path}: {body}");
    }
    assert_eq!(body["pairs"][0]["second"], 1, "who there is, is known: {body}");
    simulator.clear_faults().unwrap();
    assert_eq!(read(&agent)["pairs"][0]["common_ancestor"], "system");
}

#[test]
fn a_gpu_that_hangs_from_the_start_leaves_the_others_their_samples() {
    let simulator = simulator("a100-pcie-4");
    simulator
        .set_faults(&[Fault::everywhere().gpu(1).hang()])
        .unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    samples_go_on(&agent, &[0, 2, 3]);
    let body = topology(&agent);
    assert_eq!(body["gpus"].as_array().unwrap().len(), 4);
    assert!(body["gpus"][0]["cpu_affinity"].is_null(), "{body}");
    simulator.clear_faults().unwrap();
    let body = read(&agent);
    assert_eq!(body["pairs"].as_array().unwrap().len(), 6);
    assert_eq!(body["gpus"][1]["cpu_affinity"], "0-63", "{body}");
}

#[test]
fn what_fails_has_its_reason_and_is_asked_for_again() {
    let simulator = steady()
        .faults(&[
            Fault::on("nvmlDeviceGetP2PStatus").returns(999),
            Fault::on("nvmlDeviceGetCpuAffinity").gpu(0).returns(3),
        ])
        .start()
        .unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let body = read(&agent);
    assert_eq!(body["unavailable"]["pairs.0.p2p_read"], "error", "{body}");
    assert_eq!(body["unavailable"]["gpus.0.cpu_affinity"], "not_supported");
    assert_eq!(body["gpus"][1]["cpu_affinity"], "64-127");
    assert_eq!(body["pairs"][0]["common_ancestor"], "system");
    simulator.clear_faults().unwrap();
    eventually(
        "it is asked for again",
        || topology(&agent)["pairs"][0]["p2p_read"].clone(),
        |status| status == "ok",
    );
}
