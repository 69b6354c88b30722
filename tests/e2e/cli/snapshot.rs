//! `gpulse snapshot`: what it prints, and what its exit code says.

use std::io::{BufRead as _, BufReader};

use nvml_sim::faults::Fault;
use serde_json::Value;

use super::{Gpulse, gpulse, interrupt};
use crate::support::simulator;

#[test]
fn a_table_has_a_line_for_each_gpu_and_says_what_is_missing() {
    let simulator = simulator("a100-pcie-4");
    let ran = Gpulse::over(simulator.library_path(), &["snapshot"]).run();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(
        lines[0].contains("SIMULATED") && lines[0].contains("driver"),
        "{}",
        ran.out
    );
    for index in 0..4 {
        let line = lines[3 + index];
        assert!(
            line.trim_start().starts_with(&format!("{index}  NVIDIA A100")),
            "{}",
            ran.out
        );
        assert!(
            line.contains(" ok ") && line.contains(" GiB") && line.contains(" W"),
            "{}",
            ran.out
        );
    }
    assert!(ran.err.is_empty(), "{}", ran.err);

    let cut = crate::support::simulator("a100-mig");
    let ran = Gpulse::over(cut.library_path(), &["snapshot"]).run();
    assert!(
        ran.out.contains("- load.gpu_percent: not_supported (all GPUs)"),
        "{}",
        ran.out
    );
}

#[test]
fn json_is_the_body_of_the_route_and_csv_has_the_paths_above() {
    let simulator = simulator("t4");
    let run = |arguments: &[&str]| Gpulse::over(simulator.library_path(), arguments).run();
    let body: Value = serde_json::from_str(&run(&["snapshot", "--json"]).out).unwrap();
    assert_eq!(body["gpus"][0]["identity"]["name"], "Tesla T4");
    assert!(
        body["generation"].is_u64() && body["gpus"][0]["unavailable"].is_object(),
        "{body}"
    );

    let body = run(&["snapshot", "--json", "--fields", "power.draw_watts", "--gpu", "0"]).out;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(
        body["gpus"][0]["power"]["draw_watts"].is_f64() && body["gpus"][0].get("memory").is_none(),
        "{body}"
    );

    let csv = run(&[
        "snapshot",
        "--csv",
        "--fields",
        "index,identity.name,thermal.fans",
    ])
    .out;
    let lines: Vec<_> = csv.lines().collect();
    assert!(
        lines[0].starts_with("index,identity.name,thermal.fans.index,"),
        "{csv}"
    );
    assert_eq!(lines[1], "0,Tesla T4,,,,,", "what is absent is empty: {csv}");
}

#[test]
fn a_sick_gpu_leaves_the_others_shown_and_gives_code_4() {
    let simulator = simulator("a100-pcie-4");
    for (fault, state) in [
        (Fault::everywhere().gpu(1).lost(), "lost"),
        (Fault::everywhere().gpu(1).hang(), "hung"),
    ] {
        simulator.set_faults(&[fault]).unwrap();
        let ran = Gpulse::over(simulator.library_path(), &["snapshot"])
            .variable("GPULSE_SAMPLER__DEADLINE", "1s")
            .run();
        assert_eq!(ran.code, Some(4), "{state}: {ran:?}");
        assert!(ran.out.contains(&format!("! GPU 1 is {state}")), "{}", ran.out);
        assert_eq!(ran.out.matches("  ok  ").count(), 3, "{}", ran.out);
        let healthy = Gpulse::over(simulator.library_path(), &["snapshot", "--gpu", "0,2", "--csv"])
            .variable("GPULSE_SAMPLER__DEADLINE", "1s")
            .run();
        assert_eq!(
            (healthy.code, healthy.out.lines().count()),
            (Some(0), 3),
            "{healthy:?}"
        );
    }
}

#[test]
fn without_a_driver_the_code_is_3_and_it_is_said_what_to_do() {
    let simulator = simulator("no-driver");
    let ran = Gpulse::over(simulator.library_path(), &["snapshot"]).run();
    assert!(
        ran.code == Some(3)
            && ran.out.is_empty()
            && ran.err.contains("modprobe")
            && ran.err.contains("gpulse doctor"),
        "{ran:?}"
    );
    let ran = Gpulse::over(simulator.library_path(), &["snapshot", "--json"]).run();
    let problem: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &problem["reason"]),
        (Some(3), &"driver_not_loaded".into()),
        "{problem}"
    );
    let ran = Gpulse::over(std::path::Path::new("/nowhere/libnvidia-ml.so"), &["snapshot"]).run();
    assert!(ran.code == Some(3) && ran.err.contains("/nowhere"), "{ran:?}");
}

#[test]
fn without_a_gpu_it_is_said_beside_what_is_shown() {
    let simulator = simulator("no-gpu");
    let shown = [
        (["snapshot", "--table"], "There is no GPU."),
        (["snapshot", "--csv"], "index,uuid"),
        (["snapshot", "--json"], "\"gpus\":[]"),
        (["query", "index"], "index\n"),
        (["query", "--query-gpu=index"], "index\n"),
        (["query", "--query-compute-apps=pid"], "pid\n"),
    ];
    for (arguments, expected) in shown {
        let ran = Gpulse::over(simulator.library_path(), &arguments).run();
        assert!(
            ran.code == Some(0) && ran.out.contains(expected) && !ran.out.contains("doctor"),
            "{ran:?}"
        );
        assert_eq!(ran.err.matches("gpulse doctor").count(), 1, "{ran:?}");
    }
}

#[test]
fn mistakes_give_code_2_and_name_what_is_near() {
    let simulator = simulator("t4");
    let library = simulator.library_path().to_str().unwrap();
    for (arguments, says) in [
        (
            &["snapshot", "--nvml-library", library, "--fields", "loaf"][..],
            "`load`",
        ),
        (
            &["snapshot", "--nvml-library", library, "--gpu", "7"],
            "there are: 0",
        ),
        (
            &["snapshot", "--nvml-library", library, "--gpu", "first"],
            "`first`",
        ),
        (&["snapshot", "--simulate", "h1000"], "h100-sxm-8"),
        (&["snapshot", "--json", "--csv"], "cannot be used with"),
        (
            &["snapshot", "--simulate", "--connect", "http://x"],
            "cannot be used with",
        ),
        (&["snapshot", "--watch=soon"], "soon"),
        (&["snapshot", "--token-file", "x"], "--connect"),
    ] {
        let ran = gpulse(arguments);
        assert!(
            ran.code == Some(2) && ran.err.contains(says),
            "{arguments:?}: {ran:?}"
        );
    }
}

#[test]
fn a_watch_goes_on_until_a_signal_and_leaves_nothing_behind() {
    let simulator = simulator("t4");
    let mut gpulse = Gpulse::over(
        simulator.library_path(),
        &["snapshot", "--watch", "0.05", "--csv", "--fields", "sampled_at"],
    );
    let mut child = gpulse.spawn();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("sampled_at"));
    let mut times: Vec<_> = lines.by_ref().take(20).collect();
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    gpulse.assert_clean();
    assert!(times.is_sorted(), "{times:?}");
    times.dedup();
    assert!(
        times.len() > 1,
        "an agent of its own samples as often as is looked: {times:?}"
    );
    assert!(lines.all(|line| line != "sampled_at"), "headed once");
}

#[test]
fn a_watch_ends_when_nobody_reads_any_more() {
    let simulator = simulator("t4");
    let mut gpulse = Gpulse::over(simulator.library_path(), &["snapshot", "--watch=0.02", "--json"]);
    let mut child = gpulse.spawn();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert!(first["gpus"].is_array());
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    gpulse.assert_clean();
}
