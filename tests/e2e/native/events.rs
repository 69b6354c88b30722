//! Events on the native route: with the instance concerned, of types that came later, and when nobody listens.

use nvml_sim::{
    faults::{Fault, Incident},
    testing::Simulator,
};
use serde_json::{Value, json};

use crate::support::{Agent, AgentBuilder, eventually, simulator};

fn watched(agent: &Agent) -> Vec<Value> {
    let body = agent.json("/api/v1/events?limit=1");
    let gpus = body["counters"]["gpus"].as_array().unwrap().iter();
    gpus.map(|gpu| gpu["unwatched"].clone()).collect()
}

/// An agent that hears of events.
fn watching(simulator: &Simulator) -> Agent {
    let agent = Agent::ready(simulator.library_path());
    eventually(
        "every GPU is watched",
        || watched(&agent),
        |all| !all.is_empty() && all.iter().all(Value::is_null),
    );
    agent
}

fn of_kind(agent: &Agent, kind: &str) -> Vec<Value> {
    let body = agent.json("/api/v1/events?limit=1000");
    let events = body["events"].as_array().unwrap().iter();
    events.filter(|event| event["kind"] == kind).cloned().collect()
}

#[test]
fn an_xid_of_an_instance_names_it() {
    let simulator = simulator("h100-mig");
    let agent = watching(&simulator);
    simulator
        .set_faults(&[
            Fault::everywhere().gpu(0).xid(94).instances(5, 0),
            Fault::everywhere().gpu(0).xid(43),
        ])
        .unwrap();
    let xids = eventually(
        "both are there",
        || of_kind(&agent, "xid"),
        |events| events.len() == 2,
    );
    let of = |code: u64| xids.iter().find(|event| event["xid"]["code"] == code).unwrap();
    let instances = |event: &Value| {
        (
            event["gpu_instance_id"].clone(),
            event["compute_instance_id"].clone(),
        )
    };
    assert_eq!(instances(of(94)), (json!(5), json!(0)));
    assert_eq!(
        instances(of(43)),
        (Value::Null, Value::Null),
        "it concerns the GPU"
    );
    assert_eq!(of(94)["gpu_id"], 0);
}

#[test]
fn a_type_that_came_after_the_bindings_is_heard() {
    let simulator = simulator("t4");
    let agent = watching(&simulator);
    simulator
        .set_faults(&[
            Fault::everywhere().gpu(0).incident(Incident::RecoveryAction),
            Fault::everywhere().gpu(0).incident(Incident::EccDoubleBit),
        ])
        .unwrap();
    eventually(
        "the later one is there",
        || of_kind(&agent, "recovery_action").len(),
        |count| *count == 1,
    );
    eventually(
        "and the one of old",
        || of_kind(&agent, "double_bit_ecc").len(),
        |count| *count == 1,
    );
}

#[test]
fn nobody_listens_where_that_is_turned_off() {
    let simulator = simulator("a100-pcie-4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SAMPLER__EVENTS", "false")
        .start();
    agent.wait_until_ready();
    eventually(
        "each GPU says why",
        || watched(&agent),
        |all| all.len() == 4 && all.iter().all(|reason| reason == "disabled"),
    );
    for call in [
        "nvmlEventSetCreate",
        "nvmlDeviceRegisterEvents",
        "nvmlEventSetWait_v2",
    ] {
        assert_eq!(simulator.calls_anywhere(call), 0, "{call}");
    }
    assert_eq!(
        agent.json("/api/v1/host")["events"]["unwatched"],
        json!({ "0": "disabled", "1": "disabled", "2": "disabled", "3": "disabled" })
    );
}
