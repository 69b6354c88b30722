//! A driver that goes away, changes or breaks down while the agent runs: it is let go, loaded again, and all goes on.

use nvml_sim::faults::Fault;
use serde_json::Value;

use crate::support::{Agent, AgentBuilder, eventually, simulator};

/// An agent that is quick to try again.
fn agent(simulator: &nvml_sim::testing::Simulator) -> Agent {
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_NVML__RETRY_FIRST", "50ms")
        .variable("GPULSE_NVML__RETRY_MAX", "200ms")
        .start();
    all_read(&agent, 4);
    agent
}

/// Waits until so many GPUs are read, and returns them as the native route shows them.
#[track_caller]
fn all_read(agent: &Agent, gpus: usize) -> Value {
    eventually(
        "every GPU is read",
        || {
            let reply = agent.get("/api/v1/gpus");
            if reply.status == 200 {
                reply.json()
            } else {
                Value::Null
            }
        },
        |body| {
            let list = body["gpus"].as_array();
            list.is_some_and(|list| list.len() == gpus && list.iter().all(|gpu| gpu["state"] == "ok"))
        },
    )
}

#[track_caller]
fn absent(agent: &Agent, reason: &str) {
    eventually(
        "the driver's absence is said",
        || agent.json("/gpu/info"),
        |info| info["reason"] == reason,
    );
    assert_eq!(agent.get("/gpu/metrics").status, 503);
}

fn energy(body: &Value, gpu: usize) -> f64 {
    body["gpus"][gpu]["power"]["energy_joules_total"]
        .as_f64()
        .unwrap()
}

/// Lets `faults` hold until the agent says `reason`, ends them, and checks that everything went on.
#[track_caller]
fn goes_and_comes_back(faults: &[Fault], reason: &str) {
    let simulator = simulator("a100-pcie-4");
    let agent = agent(&simulator);
    let before = all_read(&agent, 4);
    simulator.set_faults(faults).unwrap();
    absent(&agent, reason);
    simulator.clear_faults().unwrap();
    let after = all_read(&agent, 4);
    assert!(after["generation"].as_u64() > before["generation"].as_u64());
    for gpu in 0..4 {
        assert_eq!(before["gpus"][gpu]["uuid"], after["gpus"][gpu]["uuid"]);
        assert!(energy(&after, gpu) >= energy(&before, gpu), "GPU {gpu}: {after}");
        let sequence = |body: &Value| body["gpus"][gpu]["sequence"].as_u64().unwrap();
        assert!(sequence(&after) > sequence(&before), "GPU {gpu} counts on");
    }
    let events = agent.json("/api/v1/events?limit=1000");
    let of_the_driver: Vec<_> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["kind"] == "driver")
        .map(|event| event["driver_reason"].clone())
        .collect();
    assert_eq!(of_the_driver.first(), Some(&Value::Null), "it came");
    assert!(of_the_driver.contains(&Value::from(reason)), "{of_the_driver:?}");
    assert_eq!(of_the_driver.last(), Some(&Value::Null), "it came back");
}

#[test]
fn a_library_that_fails_as_a_whole() {
    goes_and_comes_back(&[Fault::everywhere().returns(999)], "error");
}

#[test]
fn a_driver_that_is_unloaded() {
    goes_and_comes_back(&[Fault::everywhere().returns(9)], "driver_not_loaded");
}

#[test]
fn a_driver_that_is_upgraded() {
    let gone = [
        Fault::on("nvmlInit*").returns(18),
        Fault::everywhere().returns(999),
    ];
    goes_and_comes_back(&gone, "version_mismatch");
}

#[test]
fn gpus_that_come_and_go_are_followed() {
    let simulator = simulator("a100-pcie-4");
    let agent = agent(&simulator);
    let before = all_read(&agent, 4);
    simulator
        .set_faults(&[Fault::everywhere().roster([3, 1])])
        .unwrap();
    let fewer = all_read(&agent, 2);
    assert_eq!(fewer["gpus"][0]["uuid"], before["gpus"][3]["uuid"]);
    assert_eq!(fewer["gpus"][1]["uuid"], before["gpus"][1]["uuid"]);
    assert!(
        energy(&fewer, 0) >= energy(&before, 3),
        "the counter goes with the GPU, not with its index"
    );
    simulator.clear_faults().unwrap();
    let again = all_read(&agent, 4);
    assert_eq!(again["gpus"][0]["uuid"], before["gpus"][0]["uuid"]);
}

/// What was counted of events, by UUID: the index, and how often the XID 31 came.
fn xids(agent: &Agent) -> Vec<(Value, Value, Value)> {
    let body = agent.json("/api/v1/events?limit=1");
    let gpus = body["counters"]["gpus"].as_array().unwrap();
    let mut counted: Vec<_> = gpus
        .iter()
        .filter(|gpu| gpu["xids"]["31"].is_number())
        .map(|gpu| {
            (
                gpu["gpu_uuid"].clone(),
                gpu["gpu_id"].clone(),
                gpu["xids"]["31"].clone(),
            )
        })
        .collect();
    counted.sort_by_key(|(uuid, ..)| uuid.to_string());
    counted
}

#[test]
fn events_are_counted_for_the_gpu_wherever_it_is() {
    let simulator = simulator("a100-pcie-4");
    let agent = agent(&simulator);
    let before = all_read(&agent, 4);
    let sick = before["gpus"][3]["uuid"].clone();
    eventually(
        "its events are waited for",
        || agent.json("/api/v1/events?limit=1"),
        |body| body["counters"]["gpus"][3]["unwatched"].is_null(),
    );
    simulator
        .set_faults(&[Fault::everywhere().gpu(3).xid(31)])
        .unwrap();
    let at = |index: u32| vec![(sick.clone(), Value::from(index), Value::from(1))];
    eventually("the XID is counted", || xids(&agent), |counted| *counted == at(3));
    simulator
        .set_faults(&[Fault::everywhere().roster([3, 1])])
        .unwrap();
    all_read(&agent, 2);
    assert_eq!(xids(&agent), at(0));
    // It is gone, and another GPU has its index; what it reported stays to be seen.
    simulator.set_faults(&[Fault::everywhere().roster([1])]).unwrap();
    all_read(&agent, 1);
    assert_eq!(xids(&agent), at(0));
    simulator.clear_faults().unwrap();
    all_read(&agent, 4);
    assert_eq!(xids(&agent), at(3));
}

#[test]
fn a_stuck_gpu_does_not_keep_the_driver_from_being_loaded_again() {
    let simulator = simulator("a100-pcie-4");
    let agent = agent(&simulator);
    let stuck = Fault::on("nvmlDeviceGetPowerUsage").gpu(2).hang();
    simulator.set_faults(std::slice::from_ref(&stuck)).unwrap();
    eventually(
        "the GPU hangs",
        || agent.json("/gpu/info"),
        |info| info["gpus"][2]["state"] == "hung",
    );
    let failing = Fault::on("nvmlDeviceGetCount*").returns(999);
    let refused = Fault::on("nvmlInit*").returns(9);
    simulator.set_faults(&[stuck.clone(), refused, failing]).unwrap();
    absent(&agent, "driver_not_loaded");
    simulator.set_faults(&[stuck]).unwrap();
    eventually(
        "the other GPUs are read again",
        || agent.json("/gpu/info"),
        |info| {
            let states = info["gpus"].as_array();
            states.is_some_and(|gpus| gpus.iter().filter(|gpu| gpu["state"] == "ok").count() == 3)
        },
    );
    simulator.clear_faults().unwrap();
    all_read(&agent, 4);
}

#[test]
fn a_gpu_that_is_found_at_the_index_of_another_is_not_taken_for_it() {
    let simulator = simulator("a100-pcie-4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SAMPLER__DEADLINE", "500ms")
        .variable("GPULSE_NVML__RETRY_FIRST", "50ms")
        .start();
    let before = all_read(&agent, 4);
    let uuid = |body: &Value, gpu: usize| body["gpus"][gpu]["uuid"].clone();
    // The hang has GPU 0 asked for anew, which is at index 1 by then.
    let stuck = Fault::on("nvmlDeviceGetPowerUsage").gpu(0).hang();
    let swapped = Fault::everywhere().roster([1, 0, 2, 3]);
    simulator.set_faults(&[stuck, swapped]).unwrap();
    eventually(
        "each is at its index",
        || agent.json("/api/v1/gpus"),
        |body| {
            body["gpus"][0]["state"] == "ok"
                && uuid(body, 0) == uuid(&before, 1)
                && body["gpus"][1]["state"] == "hung"
        },
    );
    simulator.clear_faults().unwrap();
    let after = eventually(
        "each is at its index again",
        || all_read(&agent, 4),
        |body| (0..4).all(|gpu| uuid(body, gpu) == uuid(&before, gpu)),
    );
    for gpu in 0..4 {
        assert!(energy(&after, gpu) >= energy(&before, gpu), "GPU {gpu}: {after}");
    }
}

#[test]
fn many_reloads_leave_no_threads_and_no_files_behind() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_NVML__RETRY_FIRST", "10ms")
        .variable("GPULSE_NVML__RETRY_MAX", "20ms")
        .start();
    all_read(&agent, 1);
    let mut most = (0, 0);
    for round in 0..8 {
        simulator.set_faults(&[Fault::everywhere().returns(999)]).unwrap();
        absent(&agent, "error");
        simulator.clear_faults().unwrap();
        all_read(&agent, 1);
        let now = (count(&agent, "task"), count(&agent, "fd"));
        if round < 2 {
            most = (most.0.max(now.0), most.1.max(now.1));
        } else {
            // A thread that is on its way out may still be there, and a connection that is being closed.
            assert!(
                now.0 <= most.0 + 3,
                "round {round}: {now:?} after {most:?} threads and files"
            );
            assert!(
                now.1 <= most.1 + 3,
                "round {round}: {now:?} after {most:?} threads and files"
            );
        }
    }
}

/// Entries of a directory of the agent's process.
fn count(agent: &Agent, directory: &str) -> usize {
    std::fs::read_dir(format!("/proc/{}/{directory}", agent.pid()))
        .unwrap()
        .count()
}
