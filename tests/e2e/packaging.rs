//! What lies in `packaging`: it is what its README says, and the agent works with as few rights as it gives.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use nvml_sim::{
    faults::{Fault, Values},
    testing::Simulator,
};
use tempfile::TempDir;

use crate::support::{AgentBuilder, eventually};

/// The exposure that `systemd-analyze security` may find, of ten: what it was when this was written (1.6), and a tenth for
/// what other versions of systemd count differently.
const MOST_EXPOSURE: f64 = 1.7;

const ANALYZE: &str = "systemd-analyze";

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging")
}

/// Runs `systemd-analyze`, whose absence is no failure.
fn analyze(arguments: &[&str], unit: &Path) -> Option<(bool, String)> {
    let output = Command::new(ANALYZE).args(arguments).arg(unit).output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: the unit is checked with {ANALYZE}, which is not here");
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

fn overall(text: &str) -> Option<&str> {
    text.lines().find(|line| line.contains("Overall exposure level"))
}

#[test]
fn the_unit_is_no_more_exposed_than_its_readme_says() {
    let unit = packaging().join("gpulse.service");
    let Some((_, text)) = analyze(&["security", "--offline=true", "--no-pager"], &unit) else {
        return;
    };
    let Some(line) = overall(&text) else {
        eprintln!("SKIPPED: this {ANALYZE} cannot judge a unit that is not installed: {text}");
        return;
    };
    let exposure = line.split_whitespace().find_map(|word| word.parse::<f64>().ok());
    assert!(
        exposure.is_some_and(|exposure| exposure <= MOST_EXPOSURE),
        "{line}"
    );
    let readme = fs::read_to_string(packaging().join("README.md")).unwrap();
    let printed = overall(&readme).unwrap();
    assert!(
        printed.contains(&format!("{:.1}", MOST_EXPOSURE - 0.1)),
        "{printed}"
    );
}

#[test]
fn systemd_understands_the_units() {
    let directory = TempDir::new().unwrap();
    let text = fs::read_to_string(packaging().join("gpulse.service")).unwrap();
    // The binary is not installed where the tests run.
    let built = env!("CARGO_BIN_EXE_gpulse-under-test");
    let service = directory.path().join("gpulse.service");
    fs::write(&service, text.replace("/usr/bin/gpulse", built)).unwrap();
    fs::copy(
        packaging().join("gpulse.socket"),
        directory.path().join("gpulse.socket"),
    )
    .unwrap();
    for unit in ["gpulse.service", "gpulse.socket"] {
        let Some((understood, said)) = analyze(&["verify"], &directory.path().join(unit)) else {
            return;
        };
        // It also says what it thinks of units that are installed here.
        let about = said.lines().filter(|line| line.contains("gpulse"));
        assert!(understood && about.count() == 0, "{unit}: {said}");
    }
}

#[test]
fn the_configuration_file_says_what_is_the_default() {
    let printed = |file: Option<PathBuf>| {
        let mut command = AgentBuilder::default().command("config");
        if let Some(file) = file {
            command.arg("--config").arg(file);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let values = text.lines().map(|line| line.split(" # ").next().unwrap().trim());
        values.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(
        printed(Some(packaging().join("gpulse.toml"))),
        printed(Some(empty.path().to_owned()))
    );
}

#[test]
fn an_unprivileged_user_sees_gpus_and_why_details_of_others_are_hidden() {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    // A process of somebody else's: this one for `nobody`, the first one for everybody who is not root.
    let stranger = if is_root { std::process::id() } else { 1 };
    let simulator = Simulator::builder("t4").without_counters().start().unwrap();
    let values = Values {
        pids: Some(vec![stranger]),
        ..Values::default()
    };
    let faults = ["nvmlDeviceGet*RunningProcesses*"].map(|call| Fault::on(call).values(values.clone()));
    simulator.set_faults(&faults).unwrap();
    let agent = AgentBuilder::over(simulator.library_path())
        .unprivileged(simulator.dir())
        .variable("GPULSE_SAMPLER__SLOW_INTERVAL", "100ms")
        .start();
    agent.wait_until_ready();
    let status = fs::read_to_string(format!("/proc/{}/status", agent.pid())).unwrap();
    let capabilities = |line: &str| line.starts_with("CapEff:") && line.ends_with("0000000000000000");
    assert!(status.lines().any(capabilities), "it has capabilities: {status}");
    assert_eq!(agent.json("/gpu/metrics")["gpu_count"], 1);
    assert_eq!(agent.json("/gpu/info")["gpus"][0]["state"], "ok");
    let body = eventually(
        "the process is described",
        || agent.json("/api/v1/gpus/0/processes"),
        |body| body["processes"][0]["pid"] == stranger,
    );
    let process = &body["processes"][0];
    assert!(process["executable"].is_null(), "{process}");
    assert_eq!(process["unavailable"]["executable"], "no_permission", "{process}");
    assert_eq!(process["user_id"], 0, "what anybody may know is known: {process}");
    assert!(!process["started_at"].is_null(), "{process}");
    let log = agent.log();
    let complaints = log
        .iter()
        .filter(|line| line.contains("\"ERROR\"") || line.contains("/proc"));
    assert_eq!(complaints.count(), 0, "{log:#?}");
}
