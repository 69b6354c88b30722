//! `gpulse query`: by paths, and as nvidia-smi prints it.

use std::time::Duration;

use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::Value;

use super::{Gpulse, gpulse};
use crate::support::simulator;

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
            &["query", "--query-gpu=inforom.img"],
            "does not read `inforom.img`",
        ),
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
