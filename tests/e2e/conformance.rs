//! Everything that the agent serves equals what NVML says, by NVIDIA's own binding.
//!
//! The world stands still, so that both see the same values. `tests/python/catalogue.py` reads by a table of its own, path by
//! path; what cannot be compared is in `exceptions.rs`. A reading that is added to the agent and to neither of them fails here.

mod compare;
mod exceptions;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use nvml_sim::testing::Simulator;
use serde_json::Value;

use self::{
    compare::{Outcome, Served},
    exceptions::EXCEPTIONS,
};
use crate::{
    contract::PROFILES_WITH_GPUS,
    support::{
        Agent, AgentBuilder, eventually,
        python::{python, run, script},
    },
};

/// An age of the world at which its GPUs are at work.
const AGE: Duration = Duration::from_secs(600);

/// So many mistakes are shown: one wrong table makes hundreds.
const SHOWN: usize = 60;

/// Hosts of which more can be read than of those that are built in: profile, what is laid over it, values.
const MORE: [(&str, &str, usize); 2] = [
    ("h100-sxm-8", "driver.confidential_compute = true", 3_000),
    (
        "l40s-4",
        "gpu.accounting = true\n\
         gpu.vgpu = { name = \"NVIDIA L40S-12Q\", type_id = 1151, memory_mib = 12288, most = 4, active = 2 }",
        850,
    ),
];

/// How many values are compared at least, of each profile: nine tenths of what it was when this was written.
fn least(profile: &str) -> usize {
    match profile {
        "h100-16" => 6_000,
        "h200-8" | "b200-8" | "h100-sxm-8" => 2_800,
        "a100-pcie-4" => 650,
        "l40s-4" => 560,
        "a100-nvlink-2" => 520,
        "h100-mig" => 380,
        "a100-mig" => 300,
        "rtx-4090" => 120,
        "t4" => 110,
        "gb10" => 88,
        profile => panic!("nobody has measured how much can be compared of {profile}"),
    }
}

/// An agent that has read the fast groups twice and the others once: counters are the driver's own.
fn agent(simulator: &Simulator) -> Agent {
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SAMPLER__SLOW_INTERVAL", "1h")
        .start();
    eventually(
        "every GPU is read twice",
        || agent.json("/api/v1/gpus"),
        |body| {
            let gpus = body["gpus"].as_array();
            gpus.is_some_and(|gpus| gpus.iter().all(|gpu| gpu["sequence"].as_u64() >= Some(2)))
        },
    );
    eventually(
        "the topology is read",
        || agent.json("/api/v1/topology"),
        |body| body["read_at"].is_string(),
    );
    agent
}

/// Compares all of one host, and adds it to what was found of the others.
fn compare(host: &str, simulator: &Simulator, python: &str, outcome: &mut Outcome) {
    let agent = agent(simulator);
    let read: Value = serde_json::from_str(&run(simulator, python, &[&script("catalogue.py")])).unwrap();
    let (body, topology) = (agent.json("/api/v1/gpus"), agent.json("/api/v1/topology"));
    let (read_gpus, gpus) = (read["gpus"].as_array().unwrap(), body["gpus"].as_array().unwrap());
    assert_eq!(read_gpus.len(), gpus.len(), "{host}: NVML and the agent see another number of GPUs");
    for (index, (answers, body)) in read_gpus.iter().zip(gpus).enumerate() {
        let served = Served {
            what: format!("{host} GPU {index}"),
            body,
            own: &["unavailable"],
        };
        outcome.compare(&served, answers.as_object().unwrap());
    }
    let served = Served {
        what: format!("{host} topology"),
        body: &topology,
        own: &["unavailable", "generation", "published_at", "read_at"],
    };
    outcome.compare(&served, read["topology"].as_object().unwrap());
}

#[test]
fn all_that_is_served_is_what_nvml_says() {
    let Some(python) = python() else { return };
    let usual = PROFILES_WITH_GPUS.map(|(profile, _)| (profile, "", least(profile)));
    let mut total = Outcome::default();
    let mut counts = BTreeMap::new();
    for (profile, overrides, least) in usual.into_iter().chain(MORE) {
        let builder = Simulator::builder(profile).age(AGE).frozen_at(AGE);
        let simulator = builder.overrides(overrides).unwrap().start().unwrap();
        let before = total.values;
        compare(profile, &simulator, &python, &mut total);
        let values = total.values - before;
        counts.insert((profile, overrides), values);
        assert!(
            values >= least,
            "{profile}: only {values} values were compared, of {least} or more"
        );
    }
    eprintln!("values compared: {counts:#?}, reasons: {}", total.reasons);
    let shown = total.mistakes.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    assert!(
        total.mistakes.is_empty(),
        "{} mistakes:\n{}",
        total.mistakes.len(),
        shown.join("\n")
    );
    let empty: Vec<_> = total.lists.iter().filter(|(_, most)| **most == 0).collect();
    assert!(empty.is_empty(), "no host has anything in these lists, so that nothing of it is compared: {empty:?}");
    let all: BTreeSet<_> = (0..EXCEPTIONS.len()).collect();
    let unused: Vec<_> = all.difference(&total.exceptions).map(|place| EXCEPTIONS[*place].0).collect();
    assert!(unused.is_empty(), "nothing that is served falls under these exceptions: {unused:?}");
}
