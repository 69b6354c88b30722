//! The command line: what a person types first, and what comes back when it is wrong.

use std::{
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Command, Output},
};

use nvml_sim::testing::Simulator;
use serde_json::Value;

use crate::support::AgentBuilder;

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn gpulse(arguments: &[&str]) -> (Option<i32>, String, String) {
    let (subcommand, rest) = arguments.split_first().unwrap();
    run(AgentBuilder::default().command(subcommand).args(rest))
}

#[test]
fn a_wrong_value_is_refused_with_key_origin_and_what_is_permitted() {
    let (code, _, error) = gpulse(&["serve", "--interval", "5ms"]);
    assert_eq!(code, Some(2), "{error}");
    assert!(
        error.contains("`sampler.interval` (set by flag --interval)"),
        "{error}"
    );
    assert!(
        error.contains("permitted: a duration from `10ms` to `1h`"),
        "{error}"
    );
}

#[test]
fn a_wrong_address_is_refused_the_same_way() {
    for address in ["nonsense", "localhost:8003", "127.0.0.1", "127.0.0.1:99999"] {
        let (code, _, error) = gpulse(&["serve", "--bind", address]);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains("`bind` (set by flag --bind)"), "{error}");
        assert!(error.contains("permitted: `IP:PORT`"), "{error}");
    }
}

#[test]
fn a_wrong_variable_is_refused_with_its_name() {
    let (code, _, error) = run(&mut AgentBuilder::default()
        .variable("GPULSE_HTTP__WORKERS", "many")
        .command("serve"));
    assert_eq!(code, Some(2), "{error}");
    assert!(
        error.contains("environment variable GPULSE_HTTP__WORKERS"),
        "{error}"
    );
    let (code, _, error) = run(&mut AgentBuilder::default()
        .variable("GPULSE_BINDD", "x")
        .command("serve"));
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("`bindd`") && error.contains("bind"), "{error}");
}

#[test]
fn a_wrong_origin_is_refused_with_what_to_write() {
    let builder = AgentBuilder::default().variable("GPULSE_HTTP__CORS_ORIGINS", r#"["https://a.example/"]"#);
    for subcommand in ["serve", "config"] {
        let (code, _, error) = run(&mut builder.command(subcommand));
        assert_eq!(code, Some(2), "{error}");
        assert!(
            error.contains("`http.cors_origins`") && error.contains("without a slash"),
            "{error}"
        );
    }
}

#[test]
fn the_effective_configuration_names_the_origin_of_each_value() {
    let builder = AgentBuilder::default()
        .variable("AGENT_ID", "node-7")
        .interval("2s");
    let (code, text, _) = run(&mut builder.command("config"));
    assert_eq!(code, Some(0));
    let line = |key: &str| {
        text.lines()
            .find(|line| line.starts_with(key))
            .unwrap_or_else(|| panic!("no {key} in {text}"))
    };
    assert!(
        line("agent_id").contains("\"node-7\"") && line("agent_id").contains("environment variable AGENT_ID")
    );
    assert!(
        line("sampler.interval").contains("\"2s\"") && line("sampler.interval").contains("flag --interval")
    );
    assert!(line("bind").contains("127.0.0.1:8003") && line("bind").contains("default"));
}

#[test]
fn profiles_are_listed_and_all_of_them_can_be_simulated() {
    let (code, text, _) = gpulse(&["profiles"]);
    assert_eq!(code, Some(0));
    assert!(text.lines().count() >= 9, "{text}");
    for line in text.lines() {
        let name = line.split_whitespace().next().unwrap();
        assert!(
            Simulator::start(name).is_ok(),
            "{name} is listed and cannot be simulated"
        );
    }
    let (code, _, error) = gpulse(&["serve", "--simulate", "h1000"]);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("h1000") && error.contains("h100-sxm-8"), "{error}");
}

/// A directory as an installation makes it: the binary, and the simulator's library beside it.
fn installation() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let binary = directory.path().join("gpulse");
    fs::copy(env!("CARGO_BIN_EXE_gpulse-under-test"), &binary).unwrap();
    let simulator = Simulator::start("t4").unwrap();
    fs::copy(simulator.library_path(), directory.path().join("libnvml_sim.so")).unwrap();
    (directory, binary)
}

#[test]
fn an_installed_gpulse_can_be_tried_on_any_machine_and_says_that_it_simulates() {
    let (directory, binary) = installation();
    let link = directory.path().join("on-the-path");
    symlink(&binary, &link).unwrap();
    for binary in [&binary, &link] {
        let agent = AgentBuilder::default()
            .binary(binary)
            .argument("--simulate")
            .argument("a100-pcie-4")
            .start();
        agent.wait_until_ready();
        let info = agent.json("/gpu/info");
        assert_eq!(
            (&info["simulated"], &info["gpu_count"]),
            (&Value::from(true), &Value::from(4))
        );
        assert!(agent.log().join("\n").contains("SIMULATED"), "{:?}", agent.log());
    }
}

#[test]
fn without_the_simulators_library_it_is_said_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let binary = directory.path().join("gpulse");
    fs::copy(env!("CARGO_BIN_EXE_gpulse-under-test"), &binary).unwrap();
    let (code, _, error) = run(&mut AgentBuilder::default()
        .binary(&binary)
        .argument("--simulate")
        .command("serve"));
    assert_eq!(code, Some(2), "{error}");
    assert!(
        error.contains("libnvml_sim.so") && error.contains("cargo build"),
        "{error}"
    );
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, error) = gpulse(&["serve", "--bind", &address]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains(&address) && error.contains("--bind"), "{error}");
}

#[test]
fn the_openapi_document_is_printed() {
    let (code, text, _) = gpulse(&["openapi"]);
    assert_eq!(code, Some(0));
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["paths"]["/gpu/metrics"].is_object());
}
