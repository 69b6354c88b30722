//! What `deploy` holds for containers and Kubernetes: real tools render it, it fits Kubernetes' schemas, and the agent takes the
//! configuration that it is given there.

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    prometheus::engine,
    support::{
        AgentBuilder,
        python::{python, script},
    },
};

#[test]
fn manifests_render_and_fit_and_the_agent_takes_its_configuration() {
    let Some(python) = python() else { return };
    let (Some(helm), Some(kubectl)) = (engine::program("helm"), engine::program("kubectl")) else {
        return;
    };
    let scratch = TempDir::new().unwrap();
    let deploy = format!("{}/../deploy", env!("CARGO_MANIFEST_DIR"));
    let output = engine::run(
        Command::new(python)
            .arg(script("manifests.py"))
            .args([helm, kubectl])
            .args([deploy.as_str().as_ref(), scratch.path()]),
    );
    assert!(output.status.success(), "{}", engine::said(&output));
    let configurations: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(configurations.len() > 3, "{configurations:?}");
    for configuration in configurations {
        let file = scratch.path().join("gpulse.toml");
        fs::write(&file, configuration["toml"].as_str().unwrap()).unwrap();
        let environment = configuration["environment"].as_object().unwrap().iter();
        let agent = environment.fold(AgentBuilder::default(), |agent, (name, value)| {
            agent.variable(name, value.as_str().unwrap())
        });
        let mut command = agent
            .argument("--config")
            .argument(&file.display().to_string())
            .command("config");
        let Output {
            status,
            stdout,
            stderr,
        } = engine::run(&mut command);
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "{configuration}: {stderr}");
        assert!(stdout.contains("node-1"), "{stdout}");
    }
}
