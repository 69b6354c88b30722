//! `gpulse doctor`: what it finds in worlds with something wrong, and what its exit code says.

use std::fs;

use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::Value;

use super::{Gpulse, gpulse};
use crate::{
    security::small,
    support::{eventually, simulator},
};

/// A report as JSON, with the exit code.
#[track_caller]
fn report(gpulse: Gpulse) -> (Option<i32>, Value) {
    let ran = gpulse.run();
    match serde_json::from_str(&ran.out) {
        Ok(report) => (ran.code, report),
        Err(error) => panic!("{error}: {ran:?}"),
    }
}

#[track_caller]
fn check<'r>(report: &'r Value, name: &str) -> &'r Value {
    let groups = report["groups"].as_array().into_iter().flatten();
    let mut checks = groups.flat_map(|group| group["checks"].as_array().into_iter().flatten());
    checks
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {report}"))
}

#[track_caller]
fn assert_says(report: &Value, name: &str, status: &str, word: &str) {
    let check = check(report, name);
    assert!(
        check["status"] == status && check.to_string().contains(word),
        "{check:#}"
    );
}

/// The arguments that keep the machine of the tests out of the report as far as they can.
const JSON: [&str; 2] = ["doctor", "--json"];

fn over(simulator: &Simulator) -> Gpulse {
    Gpulse::over(simulator.library_path(), &JSON).variable("GPULSE_BIND", "127.0.0.1:0")
}

#[test]
fn a_healthy_world_has_nothing_wrong() {
    let simulator = simulator("h100-sxm-8");
    let (code, report) = report(over(&simulator));
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["counts"]["fail"], 0);
    assert_says(&report, "nvml", "ok", "SIMULATED");
    assert_says(&report, "library", "ok", "-sim");
    assert_says(&report, "modules", "skipped", "simulated");
    assert_says(&report, "states", "ok", "8 GPUs");
    assert_says(&report, "persistence", "ok", "on");
    assert_says(&report, "configuration", "ok", "resource-agent-001");
    assert_says(&report, "port", "ok", "free");
    assert_says(&report, "kubelet", "skipped", "off");
}

#[test]
fn what_is_wrong_is_found_with_what_mends_it() {
    let simulator = simulator("a100-pcie-4");
    for (fault, name, word) in [
        (Fault::everywhere().gpu(2).lost(), "states", "GPU 2 is lost"),
        (Fault::on("nvmlInit*").returns(9), "nvml", "driver_not_loaded"),
        (Fault::on("nvmlInit*").returns(18), "nvml", "version_mismatch"),
        (Fault::on("nvmlInit*").returns(4), "nvml", "no_permission"),
    ] {
        simulator.set_faults(&[fault]).unwrap();
        let (code, report) = report(over(&simulator));
        assert_eq!((code, &report["status"]), (Some(1), &"fail".into()), "{word}");
        assert_says(&report, name, "fail", word);
        assert!(
            check(&report, name)["fix"]
                .as_str()
                .is_some_and(|fix| !fix.is_empty()),
            "{report:#}"
        );
    }
}

#[test]
fn a_library_that_is_none_is_found_below_another_root() {
    let root = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("proc/modules", "nouveau 1 0 - Live\n");
    put("opt/nvml.so", "no library");
    let arguments = [
        "doctor",
        "--json",
        "--nvml-library",
        "/opt/nvml.so",
        "--root",
        root.path().to_str().unwrap(),
    ];
    let (code, report) = report(Gpulse::new(&arguments).variable("GPULSE_BIND", "127.0.0.1:0"));
    assert_eq!(code, Some(1));
    assert_says(&report, "library", "fail", "no ELF");
    assert_says(&report, "modules", "fail", "blacklist nouveau");
    assert_says(&report, "container", "ok", "machine itself");
    let people = Gpulse::new(&["doctor", "--nvml-library", "/opt/nvml.so"])
        .variable("LC_ALL", "C")
        .run();
    assert!(people.code == Some(1) && people.out.is_ascii(), "{people:?}");
    assert!(
        people.out.contains("  x library") && people.out.contains("fix: "),
        "{}",
        people.out
    );
}

#[test]
fn a_wrong_configuration_is_a_finding_and_the_rest_is_looked_at() {
    let (code, report) = report(Gpulse::new(&JSON).variable("GPULSE_SAMPLER__INTERVAL", "soon"));
    assert_eq!(code, Some(1), "{report:#}");
    assert_says(&report, "configuration", "fail", "GPULSE_SAMPLER__INTERVAL");
    assert_says(&report, "configuration", "fail", "to what is permitted: ");
    assert_says(&report, "history", "skipped", "configuration");
    assert_says(&report, "nvml", "skipped", "configuration");
    assert_says(&report, "port", "skipped", "configuration");
    assert_eq!(gpulse(&["doctor", "--simulate", "h1000"]).code, Some(2));
}

#[test]
fn an_agent_that_serves_already_is_no_fault() {
    let (simulator, builder) = small();
    let agent = builder.start();
    let (_, report) = report(
        Gpulse::over(simulator.library_path(), &JSON).variable("GPULSE_BIND", &agent.address().to_string()),
    );
    assert_says(&report, "port", "ok", "the agent resource-agent-001");
}

#[test]
fn xids_that_an_agent_heard_of_are_found_by_its_clients() {
    let (simulator, builder) = small();
    let agent = builder.start();
    agent.wait_until_ready();
    simulator
        .set_faults(&[Fault::everywhere().gpu(0).xid(79).times(1)])
        .unwrap();
    eventually(
        "the agent has heard of it",
        || agent.json("/api/v1/host")["events"]["xids"].clone(),
        |xids| xids["79"].is_u64(),
    );
    let (code, report) = report(
        Gpulse::new(&["doctor", "--json", "--connect", &agent.url("")])
            .variable("GPULSE_BIND", "127.0.0.1:0"),
    );
    assert_eq!(code, Some(1), "{report:#}");
    assert_says(&report, "xids", "fail", "XID 79");
}

#[test]
fn an_agent_that_cannot_be_asked_leaves_what_it_would_say_undone() {
    let (code, report) = report(
        Gpulse::new(&["doctor", "--json", "--connect", "unix:/nowhere"])
            .variable("GPULSE_BIND", "127.0.0.1:0"),
    );
    assert_eq!((code, &report["status"]), (Some(1), &"fail".into()));
    assert_says(&report, "connection", "fail", "http.unix_socket");
    assert_says(&report, "nvml", "skipped", "no agent could be asked");
    assert_says(&report, "states", "skipped", "/nowhere");
}

#[test]
fn an_agent_elsewhere_that_does_not_answer_is_wrong_and_this_machine_is_left_out() {
    let simulator = simulator("t4");
    let library = simulator.library_path().display().to_string();
    let url = "http://agent.invalid:8003";
    for (variable, value) in [
        ("GPULSE_NVML__LIBRARY", library.as_str()),
        ("GPULSE_NVML__LIBRARY", "/nowhere"),
        ("GPULSE_BIND", "127.0.0.1:0"),
    ] {
        let (code, report) =
            report(Gpulse::new(&["doctor", "--json", "--connect", url]).variable(variable, value));
        assert_eq!((code, &report["status"]), (Some(1), &"fail".into()), "{report:#}");
        assert_says(&report, "connection", "fail", "agent.invalid");
        assert!(check(&report, "connection")["fix"].is_string(), "{report:#}");
        for name in ["library", "devices", "port", "configuration", "clock"] {
            assert_says(&report, name, "skipped", "another machine");
        }
        assert_eq!(report["counts"]["fail"], 1, "{report:#}");
    }
}
