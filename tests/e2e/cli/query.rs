//! `gpulse query`: by paths, and as nvidia-smi prints it.

use std::{fs, time::Duration};

use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::Value;

use super::{Gpulse, gpulse, interrupt};
use crate::support::{AgentBuilder, eventually, simulator};

#[test]
fn paths_give_csv_without_units_since_their_names_have_them() {
    let simulator = simulator("a100-pcie-4");
    let run = |arguments: &[&str]| Gpulse::over(simulator.library_path(), arguments).run();
    let ran = run(&[
        "query",
        "index",
        "identity.name",
        "thermal.margin_celsius",
        "-i",
        "1,2",
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines[0], "index,identity.name,thermal.margin_celsius");
    assert!(
        lines.len() == 3 && lines[1].starts_with("1,NVIDIA A100") && lines[2].starts_with("2,"),
        "{lines:?}"
    );
    let ran = run(&["query", "power.draw_watts", "--format=csv,noheader"]);
    assert!(
        ran.out.lines().count() == 4 && ran.out.lines().all(|line| line.parse::<f64>().is_ok()),
        "{ran:?}"
    );
    let ran = run(&["query", "power.draw_watts", "--format=json"]);
    let body: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(body["gpus"].as_array().map(Vec::len), Some(4));
}

/// A world that stands still, so that two looks see the same.
fn still(profile: &str) -> Simulator {
    Simulator::builder(profile)
        .frozen_at(Duration::from_secs(3_600))
        .start()
        .unwrap()
}

#[test]
fn names_of_nvidia_smi_are_headed_and_written_as_that_program_does() {
    let simulator = still("t4");
    let run = |arguments: &[&str]| Gpulse::over(simulator.library_path(), arguments).run();
    let names = "index,gpu_name,utilization.gpu,memory.used,memory.total,power.draw,clocks.sm,pstate,fan.speed,\
                 persistence_mode,mig.mode.current,pci.bus,temperature.gpu,driver_version,count";
    let body: Value = serde_json::from_str(&run(&["snapshot", "--json"]).out).unwrap();
    let gpu = &body["gpus"][0];
    let ran = run(&["query", &format!("--query-gpu={names}"), "--format=csv"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mebibytes = |key: &str| gpu["memory"][key].as_u64().unwrap() >> 20;
    let whole = |group: &str, key: &str| gpu[group][key].as_f64().unwrap().round();
    let expected = format!(
        "index, name, utilization.gpu [%], memory.used [MiB], memory.total [MiB], power.draw [W], clocks.current.sm [MHz], \
         pstate, fan.speed [%], persistence_mode, mig.mode.current, pci.bus, temperature.gpu, driver_version, count\n\
         0, Tesla T4, {} %, {} MiB, {} MiB, {:.2} W, {} MHz, {}, [N/A], Enabled, [N/A], 0x{}, {}, 580.95.05, 1\n",
        whole("load", "gpu_percent"),
        mebibytes("used_bytes"),
        mebibytes("total_bytes"),
        gpu["power"]["draw_watts"].as_f64().unwrap(),
        whole("clocks", "sm_mhz"),
        gpu["clocks"]["performance_state"].as_str().unwrap(),
        gpu["identity"]["pci_bus_id"].as_str().unwrap()[9..11].to_uppercase(),
        whole("thermal", "gpu_celsius"),
    );
    assert_eq!(ran.out, expected);
    let ran = run(&[
        "query",
        "--query-gpu=memory.total,pstate",
        "--format=csv,noheader,nounits",
    ]);
    assert_eq!(ran.out, format!("{}, P0\n", mebibytes("total_bytes")));
    let ran = run(&["query", "--query-gpu=timestamp", "--format=csv,noheader"]);
    assert!(
        ran.out.len() == "2026/03/01 12:00:00.123\n".len() && ran.out.as_bytes()[4] == b'/',
        "{ran:?}"
    );
}

#[test]
fn processes_that_compute_are_listed_as_nvidia_smi_does() {
    let simulator = still("a100-mig");
    let run = |arguments: &[&str]| Gpulse::over(simulator.library_path(), arguments).run();
    let body: Value = serde_json::from_str(&run(&["snapshot", "--json"]).out).unwrap();
    let processes = body["gpus"][0]["processes"]["processes"].as_array().unwrap();
    let expected: String = processes
        .iter()
        .filter(|process| process["kinds"].as_array().unwrap().contains(&"compute".into()))
        .map(|process| {
            let used = process["memory_used_bytes"].as_u64().unwrap() >> 20;
            format!(
                "{}, {}, {used} MiB\n",
                process["pid"],
                process["name"].as_str().unwrap()
            )
        })
        .collect();
    assert!(!expected.is_empty());
    let ran = run(&[
        "query",
        "--query-compute-apps=pid,name,used_memory",
        "--format=csv",
    ]);
    assert_eq!(
        ran.out,
        format!("pid, process_name, used_gpu_memory [MiB]\n{expected}")
    );
}

#[test]
fn what_is_absent_stands_in_brackets_and_a_lost_gpu_gives_code_4() {
    let cut = simulator("a100-mig");
    let names = "--query-gpu=utilization.gpu,mig.mode.current";
    let ran = Gpulse::over(cut.library_path(), &["query", names, "--format=csv,noheader"]).run();
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "[N/A], Enabled\n"),
        "{ran:?}"
    );
    let simulator = simulator("a100-pcie-4");
    simulator
        .set_faults(&[Fault::everywhere().gpu(1).lost()])
        .unwrap();
    let ran = Gpulse::over(
        simulator.library_path(),
        &[
            "query",
            "--query-gpu=index,power.draw,pstate",
            "--format=csv,noheader",
        ],
    )
    .run();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert_eq!(
        ran.out.lines().nth(1),
        Some("1, [GPU is lost], [GPU is lost]"),
        "{ran:?}"
    );
    assert_eq!(ran.out.lines().count(), 4);
}

#[test]
fn mistakes_give_code_2_and_the_names_are_listed() {
    let simulator = simulator("t4");
    for (arguments, says) in [
        (&["query", "--query-gpu=utilisation.gpu"][..], "`utilization.gpu`"),
        (
            &["query", "--query-gpu=inforom.imgg"],
            "there is no `inforom.imgg`",
        ),
        (&["query", "--query-gpu=index", "--loop-ms=0"], "shorter than"),
        (&["query", "--query-gpu=index", "-lms", "0"], "shorter than"),
        (&["query", "--query-gpu=index", "--format=xml"], "csv,noheader"),
        (&["query", "--query-gpu=index", "--format=json"], "paths"),
        (&["query", "power.drow_watts"], "draw_watts"),
        (&["query"], "--help-query-gpu"),
        (&["query", "index", "--query-gpu=index"], "cannot be used with"),
    ] {
        let ran = match arguments.len() {
            1 => gpulse(arguments),
            _ => Gpulse::over(simulator.library_path(), arguments).run(),
        };
        assert!(
            ran.code == Some(2) && ran.err.contains(says),
            "{arguments:?}: {ran:?}"
        );
    }
    let listed = gpulse(&["query", "--help-query-gpu"]);
    assert!(
        listed.out.contains("memory.used [MiB]\n    memory.used_bytes\n"),
        "{}",
        listed.out
    );
    let listed = gpulse(&["query", "--help-query-compute-apps"]);
    assert!(
        listed.out.contains("used_gpu_memory or used_memory [MiB]"),
        "{}",
        listed.out
    );
    let down = crate::support::simulator("no-driver");
    let ran = Gpulse::over(down.library_path(), &["query", "--query-gpu=index"]).run();
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{ran:?}");
}

#[test]
fn a_name_without_a_reading_leaves_the_others_in_place() {
    let simulator = still("t4");
    let run = |names: &str| {
        let query = format!("--query-gpu={names}");
        Gpulse::over(simulator.library_path(), &["query", &query, "--format=csv"]).run()
    };
    let ran = run("index,inforom.image,gpu_operation_mode.current,inforom.pwr,name");
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (
            Some(0),
            "index, inforom.img, gom.current, inforom.pwr, name\n0, G183.0200.00.02, [N/A], [N/A], Tesla T4\n"
        ),
        "{ran:?}"
    );
    assert!(
        ran.err.lines().count() == 1 && ran.err.contains("`gpu_operation_mode.current` is not read"),
        "{ran:?}"
    );
    let ran = run("gpu_recovery_action,clocks_event_reasons_counters.sw_power_cap");
    assert!(ran.err.is_empty() && ran.out.contains(" us\n"), "{ran:?}");
}

#[test]
fn answers_go_into_a_file_by_the_spellings_of_nvidia_smi() {
    let simulator = still("t4");
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("answers.csv");
    let name = format!("--filename={}", file.display());
    let names = ["query", "--query-gpu=index", "--format=csv,noheader", &name];
    let ran = Gpulse::over(simulator.library_path(), &names).run();
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "0\n");
    let short = [
        "query",
        "--query-gpu=index",
        "--format=csv,noheader",
        "-lms",
        "20",
        "-f",
        file.to_str().unwrap(),
    ];
    let mut gpulse = Gpulse::over(simulator.library_path(), &short);
    let mut child = gpulse.spawn();
    eventually(
        "it is asked again and again",
        || fs::read_to_string(&file).unwrap().lines().count(),
        |lines| *lines > 2,
    );
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    gpulse.assert_clean();
    let nowhere = ["query", "--query-gpu=index", "-f", "/nowhere/answers"];
    let ran = Gpulse::over(simulator.library_path(), &nowhere).run();
    assert!(
        ran.code == Some(1) && ran.err.contains("/nowhere/answers cannot be written"),
        "{ran:?}"
    );
}

#[test]
fn a_hung_gpu_is_complained_of_beside_its_old_values() {
    let simulator = simulator("a100-pcie-4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SAMPLER__DEADLINE", "500ms")
        .start();
    agent.wait_until_ready();
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetPowerUsage").gpu(1).hang()])
        .unwrap();
    eventually(
        "the agent knows",
        || agent.json("/api/v1/gpus/1")["state"].clone(),
        |state| *state == "hung",
    );
    let url = agent.url("");
    let ran = gpulse(&[
        "query",
        "--query-gpu=index,power.draw",
        "--format=csv,noheader",
        "--connect",
        &url,
    ]);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(4), 4), "{ran:?}");
    assert!(
        ran.err.contains("! GPU 1 is hung since") && ran.err.contains("nvmlDeviceGetPowerUsage"),
        "{ran:?}"
    );
    simulator.clear_faults().unwrap();
}
