//! A recording of one agent, played by another: the same GPUs, the same numbers, at times of now.

use nvml_sim::faults::Fault;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{AgentBuilder, eventually, simulator};

#[test]
fn an_incident_is_seen_again_from_its_recording() {
    let simulator = simulator("h100-sxm-8");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("incident");
    simulator
        .set_faults(&[Fault::everywhere().gpu(3).lost()])
        .unwrap();
    let mut recording = AgentBuilder::over(simulator.library_path())
        .command("record")
        .arg(&file)
        .spawn()
        .unwrap();
    // Every GPU was read again and again, and frames were written.
    eventually(
        "it is recorded",
        || simulator.calls("nvmlDeviceGetPowerUsage", Some(0)),
        |calls| *calls > 40,
    );
    kill_process(Pid::from_child(&recording), Signal::TERM).unwrap();
    assert!(recording.wait().unwrap().success());
    drop(simulator);
    let agent = AgentBuilder::default()
        .argument("--replay")
        .argument(file.to_str().unwrap())
        .argument("--loop")
        .variable("GPULSE_SAMPLER__STALE_AFTER", "2h")
        .start();
    let states = || {
        let body = agent.json("/api/v1/gpus?fields=load.gpu_percent,power.draw_watts");
        let gpus = body["gpus"].as_array().cloned().unwrap_or_default();
        let state = |gpu: &serde_json::Value| gpu["state"].as_str().map(ToOwned::to_owned);
        (gpus.iter().filter_map(state).collect::<Vec<_>>(), body)
    };
    let is_the_same = |(states, _): &(Vec<String>, serde_json::Value)| {
        let expected = |index| if index == 3 { "lost" } else { "ok" };
        states.len() == 8
            && states
                .iter()
                .enumerate()
                .all(|(index, state)| state == expected(index))
    };
    let (_, body) = eventually("the GPUs of the recording", states, is_the_same);
    assert!(
        body["gpus"][0]["power"]["draw_watts"]
            .as_f64()
            .is_some_and(|draw| draw > 50.0),
        "{body}"
    );
}

#[test]
fn what_is_no_recording_ends_the_agent_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("text");
    std::fs::write(&file, "no recording").unwrap();
    let output = AgentBuilder::default()
        .argument("--replay")
        .argument(file.to_str().unwrap())
        .command("serve")
        .args(["--bind", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("no recording of this version"), "{text}");
}
