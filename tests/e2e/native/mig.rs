//! MIG: the instances, a GPU that is cut anew while it is read, and buffers that do not leak meanwhile.

use std::collections::BTreeSet;

use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::{Value, json};

use super::{absences, gpu, look::at, quick, until};
use crate::support::{Agent, AgentBuilder, eventually};

/// An H100 cut into three, each of them under a load that stays.
#[track_caller]
fn cut() -> Simulator {
    let work = "gpu.work = \"waveform\"\n\
                gpu.waveform = { shape = \"square\", frequency_hz = 1.0, low = 0.4, high = 0.6 }";
    let builder = Simulator::builder("h100-mig").overrides(work).unwrap();
    builder.start().unwrap()
}

#[track_caller]
fn ready(simulator: &Simulator) -> Agent {
    let agent = quick(simulator).start();
    agent.wait_until_ready();
    agent
}

fn profiles(gpu: &Value) -> Vec<&str> {
    let instances = gpu["mig"]["instances"].as_array();
    let instances = instances.into_iter().flatten();
    instances
        .filter_map(|instance| instance["profile"].as_str())
        .collect()
}

const ALL: [&str; 3] = ["3g.40gb", "2g.20gb", "1g.10gb"];

#[test]
fn each_instance_has_its_identity_memory_processes_and_activity() {
    let simulator = cut();
    let agent = ready(&simulator);
    let body = until(&agent, 0, "two ticks", |gpu| {
        at(gpu, "mig.instances.2.activity.graphics_percent").is_number()
    });
    assert_eq!(body["mig"]["enabled"], true);
    assert_eq!(profiles(&body), ALL);
    let expected = [(1, 60, 3, 40_448_u64), (5, 32, 2, 20_096), (13, 16, 1, 9_984)];
    let mut uuids = BTreeSet::new();
    let mut on_instances = BTreeSet::new();
    for (place, (id, multiprocessors, slices, mebibytes)) in expected.into_iter().enumerate() {
        let instance = &body["mig"]["instances"][place];
        assert_eq!(instance["index"], place);
        assert_eq!(instance["gpu_instance_id"], id);
        assert_eq!(instance["compute_instance_id"], 0);
        assert_eq!(instance["multiprocessors"], multiprocessors);
        assert_eq!(
            (&instance["gpu_slices"], &instance["compute_slices"]),
            (&json!(slices), &json!(slices))
        );
        assert_eq!(instance["memory_total_bytes"], json!(mebibytes << 20));
        let memory = |key: &str| instance[key].as_u64().unwrap();
        assert!(
            memory("memory_used_bytes") > 0 && memory("memory_free_bytes") > 0,
            "{instance}"
        );
        let activity = instance["activity"]["graphics_percent"].as_f64().unwrap();
        assert!(
            (39.0..=61.0).contains(&activity),
            "{activity} is none of this load"
        );
        assert!(instance["activity"]["over_seconds"].as_f64() > Some(0.0));
        // What goes over the buses is not told apart.
        assert_eq!(
            body["unavailable"][format!("mig.instances.{place}.activity.pcie_sent_bytes_per_second")],
            "not_supported"
        );
        let uuid = instance["uuid"].as_str().unwrap();
        assert!(uuid.starts_with("MIG-"), "{uuid}");
        uuids.insert(uuid.to_owned());
        let pids = instance["process_ids"].as_array().unwrap();
        assert!(!pids.is_empty(), "{instance}");
        on_instances.extend(pids.iter().map(|pid| (pid.as_u64().unwrap(), id)));
    }
    assert_eq!(uuids.len(), 3);
    let processes = body["processes"]["processes"].as_array().unwrap().iter();
    let listed: BTreeSet<_> = processes
        .map(|of| {
            (
                of["pid"].as_u64().unwrap(),
                i32::try_from(of["gpu_instance_id"].as_u64().unwrap()).unwrap(),
            )
        })
        .collect();
    assert_eq!(on_instances, listed, "the GPU's list and those of its instances");
}

#[test]
fn instances_are_parts_of_their_gpu_and_not_counted_beside_it() {
    let simulator = cut();
    let agent = ready(&simulator);
    let total = simulator.truth(0).unwrap().memory_total;
    let host = agent.json("/api/v1/host");
    assert_eq!(host["totals"]["memory_total_bytes"], json!(total));
    assert_eq!(host["gpus"]["total"], 1);
    assert_eq!(host["totals"]["counted"]["power_draw_watts"], 1);
    assert_eq!(
        host["unavailable"]["totals.mean_gpu_percent"], "not_supported",
        "{host}"
    );
    let metrics = agent.json("/gpu/metrics");
    assert_eq!(metrics["gpu_count"], 1);
    assert_eq!(metrics["gpus"].as_array().unwrap().len(), 1);
    let mebibytes = metrics["total_memory_total_mb"].as_f64().unwrap();
    assert!(
        (mebibytes - total as f64 / 1_048_576.0).abs() < 1.0,
        "{mebibytes}"
    );
}

#[test]
fn a_gpu_that_is_cut_anew_is_followed() {
    let simulator = cut();
    let agent = ready(&simulator);
    let whole = until(&agent, 0, "three instances", |gpu| profiles(gpu) == ALL);
    assert_eq!(absences(&whole)["load.gpu_percent"], "not_supported");
    simulator
        .set_faults(&[Fault::everywhere().mig_instances([1])])
        .unwrap();
    let one = until(&agent, 0, "one instance", |gpu| {
        profiles(gpu) == ["2g.20gb"] && at(gpu, "mig.instances.0.activity.sm_percent").is_number()
    });
    assert_eq!(one["mig"]["instances"][0]["gpu_instance_id"], 5);
    assert_eq!(
        one["mig"]["instances"][0]["memory_total_bytes"],
        json!(20_096_u64 << 20)
    );
    assert_eq!(
        one["mig"]["instances"][0]["uuid"], whole["mig"]["instances"][1]["uuid"],
        "it is the same one"
    );
    simulator.set_faults(&[Fault::everywhere().mig(false)]).unwrap();
    let off = until(&agent, 0, "the GPU is whole, and says how busy it is", |gpu| {
        gpu["mig"]["enabled"] == false
            && at(gpu, "load.gpu_percent").is_number()
            && at(gpu, "activity.sm_percent").is_number()
    });
    assert_eq!(off["mig"]["instances"], json!([]));
    assert!(!absences(&off).contains_key("load.memory_percent"));
    simulator.clear_faults().unwrap();
    let again = until(&agent, 0, "it is cut again", |gpu| profiles(gpu) == ALL);
    assert_eq!(absences(&again)["load.gpu_percent"], "not_supported");
}

#[test]
fn what_an_instance_is_is_asked_for_again_where_the_call_failed() {
    let simulator = cut();
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetAttributes_v2").returns(999)])
        .unwrap();
    let agent = ready(&simulator);
    let failing = until(&agent, 0, "three instances", |gpu| profiles(gpu) == ALL);
    for key in ["multiprocessors", "gpu_slices", "compute_slices"] {
        assert_eq!(failing["unavailable"][format!("mig.instances.1.{key}")], "error");
    }
    simulator.clear_faults().unwrap();
    until(&agent, 0, "it is there", |gpu| {
        at(gpu, "mig.instances.1.multiprocessors") == &json!(32)
    });
}

#[test]
fn a_part_of_the_instances_does_not_pass_for_all() {
    let simulator = cut();
    let agent = ready(&simulator);
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetMigDeviceHandleByIndex")
            .probability(0.3)
            .returns(999)])
        .unwrap();
    let (mut listed, mut failed) = (0, 0);
    eventually(
        "lists that are whole and some that fail",
        || {
            let now = gpu(&agent, 0);
            if now["unavailable"]["mig.instances"] == "error" {
                failed += 1;
            } else {
                assert_eq!(profiles(&now), ALL, "{}", now["unavailable"]);
                listed += 1;
            }
            (listed, failed)
        },
        |(listed, failed)| *listed >= 3 && *failed >= 5,
    );
}

#[test]
fn buffers_of_the_performance_monitor_do_not_leak() {
    let simulator = cut();
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("20ms")
        .start();
    agent.wait_until_ready();
    let taken = || simulator.calls_anywhere("nvmlGpmSampleAlloc");
    let held = || taken().saturating_sub(simulator.calls_anywhere("nvmlGpmSampleFree"));
    let courses = [
        (vec![Fault::everywhere().mig_instances([0, 2])], 2),
        (vec![Fault::everywhere().mig_instances([1])], 1),
        (vec![Fault::everywhere().mig(false)], 0),
        (
            vec![
                Fault::on("nvmlGpmMigSampleGet").probability(0.5).returns(999),
                Fault::on("nvmlGpmMetricsGet").probability(0.5).returns(999),
            ],
            3,
        ),
        (Vec::new(), 3),
    ];
    for round in 0..8 {
        for (faults, instances) in &courses {
            simulator.set_faults(faults).unwrap();
            let seen = until(&agent, 0, "the instances", |gpu| {
                profiles(gpu).len() == *instances
            });
            until(&agent, 0, "some ticks", |gpu| {
                gpu["sequence"].as_u64() >= seen["sequence"].as_u64().map(|sequence| sequence + 4)
            });
            // Two for each instance and for the GPU, and one that is just being taken.
            assert!(held() <= 9, "round {round}: {} buffers are held", held());
        }
    }
    assert!(taken() > 60, "only {} were taken", taken());
}
