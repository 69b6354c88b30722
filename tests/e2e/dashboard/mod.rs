//! The dashboard of the real agent in a real browser. The scenarios lie in `tests/dashboard`; here are their worlds.

mod scraped;
mod stage;

use std::{fs, process::Command};

use nvml_sim::{
    faults::{Fault, Values},
    testing::Simulator,
};
use rustix::process::Signal;
use serde_json::json;

use crate::{
    security::token,
    support::{Agent, AgentBuilder, eventually, simulator, skipped},
};
use stage::{Stage, nothing};

/// A name that would be an element if it were taken for markup.
const HOSTILE: &str = "<img src=x onerror=globalThis.injected=1>";

/// The bcrypt hash of `secret-password`, of the lowest cost.
const HASH: &str = "$2b$04$QhCmc9bjijXggtPcX8uz9eVIuhIvvfFUW20cRozMXhaoEQxu6acy6";

/// An agent as it is by default, but for its address.
fn usual(simulator: &Simulator) -> AgentBuilder {
    AgentBuilder::default()
        .argument("--nvml-library")
        .argument(&simulator.library_path().display().to_string())
        .interval("1s")
        .variable("GPULSE_KUBERNETES__POD_RESOURCES_SOCKET", "")
}

fn ready(builder: &AgentBuilder) -> Agent {
    let agent = builder.start();
    agent.wait_until_ready();
    agent
}

#[test]
fn the_modules_of_the_page_do_what_they_say() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboard/unit");
    let tests = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let Ok(output) = Command::new("node").arg("--test").args(tests).output() else {
        assert!(std::env::var_os("CI").is_none(), "there is no node");
        skipped("the unit tests of the dashboard need node");
        return;
    };
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_view_shows_what_it_is_for_to_everybody() {
    let Some(stage) = Stage::free() else { return };
    let simulator = simulator("h100-sxm-8");
    let agent = ready(&usual(&simulator));
    stage.play("views", json!({"url": agent.url("")}), nothing);
}

#[test]
fn a_page_that_was_just_opened_shows_what_was_before() {
    let Some(stage) = Stage::free() else { return };
    let simulator = simulator("h100-sxm-8");
    let agent = ready(&usual(&simulator));
    stage.play("lately", json!({"url": agent.url("")}), nothing);
}

#[test]
fn tabs_that_nobody_sees_starve_nobody() {
    let Some(stage) = Stage::free() else { return };
    let simulator = simulator("h100-sxm-8");
    let agent = ready(&usual(&simulator));
    stage.play("tabs", json!({"url": agent.url("")}), nothing);
}

#[test]
fn a_hung_gpu_appears_and_goes() {
    let Some(stage) = Stage::free() else { return };
    let simulator = simulator("h100-sxm-8");
    let agent = ready(&usual(&simulator).variable("GPULSE_SAMPLER__DEADLINE", "1s"));
    let hang = Fault::on("nvmlDeviceGetPowerUsage").gpu(3).hang();
    stage.play("hung", json!({"url": agent.url("")}), |question| match question {
        "hang" => {
            simulator.set_faults(std::slice::from_ref(&hang)).unwrap();
            String::new()
        }
        "known" => {
            let known = eventually(
                "the agent knows that the GPU hangs",
                || agent.json("/api/v1/gpus?fields=state_since"),
                |body| body["gpus"][3]["state"] == "hung",
            );
            known["generation"].to_string()
        }
        "recover" => {
            simulator.clear_faults().unwrap();
            String::new()
        }
        other => nothing(other),
    });
}

#[test]
fn the_page_outlives_the_agent() {
    let Some(stage) = Stage::free() else { return };
    let simulator = simulator("h100-sxm-8");
    let agent = ready(&usual(&simulator));
    let (url, address) = (agent.url(""), agent.address().to_string());
    let mut running = Some(agent);
    stage.play("restart", json!({"url": url}), |question| {
        match question {
            "stop" => drop(running.take().map(|agent| agent.end(Signal::TERM))),
            "start" => running = Some(usual(&simulator).bind(&address).start()),
            other => drop(nothing(other)),
        }
        String::new()
    });
}

#[test]
fn names_are_text_whatever_they_say() {
    let Some(stage) = Stage::free() else { return };
    let name = Values {
        process_name: Some(HOSTILE.to_owned()),
        ..Values::default()
    };
    let simulator = Simulator::builder("h100-sxm-8")
        .overrides(&format!("gpu.name = \"{HOSTILE}\""))
        .unwrap()
        .faults(&[Fault::everywhere().values(name)])
        .start()
        .unwrap();
    let agent = ready(&usual(&simulator));
    stage.play("hostile", json!({"url": agent.url("")}), nothing);
}

#[test]
fn who_reads_is_asked_by_the_page() {
    let Some(stage) = Stage::free() else { return };
    let directory = tempfile::tempdir().unwrap();
    let (tokens, users) = (directory.path().join("tokens"), directory.path().join("users"));
    let (token, line) = token("reader", "read");
    fs::write(&tokens, line).unwrap();
    let simulator = simulator("h100-sxm-8");
    let by_token = usual(&simulator).variable("GPULSE_AUTH__TOKENS_FILE", tokens.to_str().unwrap());
    let agent = ready(&by_token);
    let world = json!({"url": agent.url(""), "token": token});
    stage.play("token", world, nothing);
    drop(agent);

    fs::write(&users, format!("ann:{HASH}:read\n")).unwrap();
    let agent = ready(&by_token.variable("GPULSE_AUTH__USERS_FILE", users.to_str().unwrap()));
    let world = json!({"url": agent.url(""), "user": "ann", "password": "secret-password"});
    stage.play("password", world, nothing);
}

#[test]
fn what_is_absent_has_its_reason() {
    let Some(stage) = Stage::free() else { return };
    let worlds = ["no-driver", "no-gpu", "gb10", "h100-mig"].map(simulator);
    let [driverless, empty, unified, mig] = &worlds;
    let agents = [driverless, empty, unified, mig].map(|simulator| ready(&usual(simulator)));
    let [driverless, empty, unified, mig] = agents.each_ref().map(|agent| agent.url(""));
    let world = json!({"driverless": driverless, "empty": empty, "unified": unified, "mig": mig});
    stage.play("absent", world, nothing);
}

#[test]
fn sixty_four_gpus_fit_on_a_wall_and_on_a_phone() {
    let Some(stage) = Stage::free() else { return };
    let simulator = Simulator::builder("h100-16")
        .overrides("count = 64")
        .unwrap()
        .start()
        .unwrap();
    let agent = ready(&usual(&simulator));
    stage.play("many", json!({"url": agent.url("")}), nothing);
}

#[test]
fn a_fleet_is_several_agents_in_one_page() {
    let Some(stage) = Stage::free() else { return };
    let worlds = ["a100-pcie-4", "t4", "h100-sxm-8"].map(simulator);
    let [other, added, own] = &worlds;
    let readable = |simulator| ready(&usual(simulator).variable("GPULSE_HTTP__CORS_ORIGINS", "[\"*\"]"));
    let (other, added) = (readable(other), readable(added));
    // A port that nobody serves once this agent is gone.
    let down = readable(own).url("");
    let listed = format!("[\"{}\", \"{down}\"]", other.url(""));
    let agent = ready(
        &usual(own).variable("GPULSE_DASHBOARD__AGENTS", &listed).variable(
            "GPULSE_DASHBOARD__ALLOWED_AGENTS",
            &format!("[\"{}\"]", added.url("")),
        ),
    );
    let world = json!({"url": agent.url(""), "other": other.url(""), "down": down, "added": added.url("")});
    stage.play("fleet", world, nothing);
}

#[test]
fn the_past_is_chosen_with_a_brush() {
    let Some(stage) = Stage::free() else { return };
    let simulator = simulator("h100-sxm-8");
    let agent = ready(&AgentBuilder::over(simulator.library_path()));
    // What is read seldom comes last, and is joined once it is known how seldom.
    eventually(
        "there is a past",
        || agent.json("/api/v1/history?metric=pcie.received_bytes_per_second&gpu=2&from=-1m&step=1s"),
        |body| {
            let points = body["series"][0]["mean"].as_array();
            points.is_some_and(|points| points.iter().filter(|point| point.is_number()).count() > 2)
        },
    );
    stage.play("history", json!({"url": agent.url("")}), nothing);
}

#[test]
fn the_past_of_a_gpu_in_parts_is_chosen_by_finger() {
    let Some(stage) = Stage::free() else { return };
    let simulator = simulator("h100-mig");
    let agent = ready(&AgentBuilder::over(simulator.library_path()));
    stage.play("mig", json!({"url": agent.url("")}), nothing);
}

#[test]
fn a_list_that_cannot_be_read_is_not_an_empty_one() {
    let Some(stage) = Stage::free() else { return };
    let simulator = simulator("h100-sxm-8");
    let agent = ready(&usual(&simulator));
    stage.play("unread", json!({"url": agent.url("")}), nothing);
}

#[test]
fn without_a_past_the_charts_begin_with_the_page() {
    let Some(stage) = Stage::free() else { return };
    let simulator = simulator("h100-sxm-8");
    let agent = ready(&usual(&simulator).variable("GPULSE_HISTORY__ENABLED", "false"));
    stage.play("no-history", json!({"url": agent.url("")}), nothing);
}
