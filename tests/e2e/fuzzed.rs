//! What fits the OpenAPI document, and what just does not, sent to a running agent: every answer is one that the document
//! describes, and none is a failure of the agent's.

use std::{fs, process::Command};

use crate::{
    security::token,
    support::python::python,
    support::{Agent, AgentBuilder, simulator},
};

/// Not asked: it answers without end. What it does with what it is sent is tested by hand (`stream`, and the API's own tests).
const ENDLESS: &str = "/api/v1/stream";

/// Requests made up for each route, beside its examples and the edges of its parameters.
const MADE_UP: &str = "40";

/// Not checked: that everything is taken that fits the document. `fields` knows a few hundred words, which no schema lists.
const EXCEPT: &str = "positive_data_acceptance";

/// A problem of the driver's is answered with 500 or 503, and described. Whatever else is 5xx is found by the status.
const EXCEPT_IN_TROUBLE: &str = "positive_data_acceptance,not_a_server_error";

fn run(python: &str, agent: &Agent, except: &str, header: Option<&str>) {
    // It keeps notes where it runs.
    let notes = tempfile::tempdir().unwrap();
    let document = notes.path().join("openapi.json");
    let printed = AgentBuilder::default().command("openapi").output().unwrap();
    fs::write(&document, printed.stdout).unwrap();
    let mut command = Command::new(python);
    command
        .args(["-m", "schemathesis.cli", "run"])
        .arg(&document)
        .args(["--url", &agent.url("")])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", MADE_UP])
        .args(["--exclude-checks", except])
        .args(["--exclude-path", ENDLESS])
        .args([
            "--generation-deterministic",
            "--no-color",
            "--continue-on-failure",
        ])
        .current_dir(notes.path());
    if let Some(header) = header {
        command.args(["--header", header]);
    }
    let output = command.output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{report}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        report.contains("Tested:") && report.contains(" generated"),
        "{report}"
    );
    let log = agent.log().join("\n");
    assert!(!log.contains("\"level\":\"ERROR\""), "{log}");
}

#[test]
fn no_request_gets_an_answer_that_is_not_described() {
    let Some(python) = python() else { return };
    for profile in ["h100-sxm-8", "a100-mig"] {
        let simulator = simulator(profile);
        run(&python, &Agent::ready(simulator.library_path()), EXCEPT, None);
    }
}

#[test]
fn without_a_driver_neither() {
    let Some(python) = python() else { return };
    let simulator = simulator("no-driver");
    run(
        &python,
        &Agent::ready(simulator.library_path()),
        EXCEPT_IN_TROUBLE,
        None,
    );
}

#[test]
fn nor_where_credentials_are_asked_for() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens");
    let (token, line) = token("fuzzer", "read");
    fs::write(&file, line).unwrap();
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_AUTH__TOKENS_FILE", file.to_str().unwrap())
        .start();
    agent.wait_until_ready();
    run(
        &python,
        &agent,
        EXCEPT,
        Some(&format!("Authorization: Bearer {token}")),
    );
    // And without any.
    run(&python, &agent, EXCEPT, None);
}
