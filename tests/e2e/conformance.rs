//! Everything that the agent serves equals what NVML says, by NVIDIA's own binding.
//!
//! The world stands still, so that both see the same values. `tests/python/catalogue.py` reads by a table of its own, path by
//! path; what cannot be compared is in `exceptions.rs`. A reading that is added to the agent and to neither of them fails here.

mod compare;
mod exceptions;

use std::{collections::BTreeSet, time::Duration};

use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::Value;

use self::{
    compare::{Outcome, Served, reason_of},
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

/// A host that is compared.
struct Host {
    /// What it is called in messages.
    name: String,
    profile: &'static str,
    /// Laid over the profile.
    overrides: &'static str,
    /// What calls return instead of an answer.
    refusals: &'static [(&'static str, u32)],
    /// How many values are compared at least.
    least: usize,
}

impl Host {
    fn plain(profile: &'static str) -> Self {
        Self {
            name: profile.to_owned(),
            profile,
            overrides: "",
            refusals: &[],
            least: least(profile),
        }
    }

    fn with(what: &str, profile: &'static str, overrides: &'static str) -> Self {
        Self {
            name: format!("{profile} with {what}"),
            overrides,
            ..Self::plain(profile)
        }
    }

    fn start(&self) -> Simulator {
        let refusals = self.refusals.iter();
        let faults: Vec<_> = refusals
            .map(|(call, code)| Fault::on(*call).returns(*code))
            .collect();
        let builder = Simulator::builder(self.profile)
            .age(AGE)
            .frozen_at(AGE)
            .faults(&faults);
        builder.overrides(self.overrides).unwrap().start().unwrap()
    }
}

/// All hosts: the profiles that are built in, those with what can be switched on, and one with errors of all kinds.
fn hosts() -> impl Iterator<Item = Host> {
    let more = [
        Host::with(
            "confidential computing",
            "h100-sxm-8",
            "driver.confidential_compute = true",
        ),
        Host::with(
            "accounting and licences",
            "l40s-4",
            "gpu.accounting = true\n\
            gpu.virtualization = \"passthrough\"\n\
            gpu.licensable = [\
            { code = \"nvidia-rtx\", product = \"NVIDIA RTX Virtual Workstation\", enabled = true, licensed = true },\
            { code = \"compute\", product = \"NVIDIA Virtual Compute Server\" }]",
        ),
        Host::with(
            "vGPUs",
            "l40s-4",
            "gpu.vgpu = { name = \"NVIDIA L40S-12Q\", type_id = 1151, memory_mib = 12288, most = 4, active = 2 }",
        ),
        Host {
            refusals: &REFUSALS,
            ..Host::with("errors", "rtx-4090", "")
        },
    ];
    PROFILES_WITH_GPUS
        .into_iter()
        .map(|(profile, _)| Host::plain(profile))
        .chain(more)
}

/// An error for each reason that the agent knows, but for a lost GPU, of which nothing is served.
const REFUSALS: [(&str, u32); 7] = [
    ("nvmlDeviceGetEncoderUtilization", 3),
    ("nvmlDeviceGetPersistenceMode", 4),
    ("nvmlDeviceGetBAR1MemoryInfo", 10),
    ("nvmlDeviceGetTotalEnergyConsumption", 13),
    ("nvmlDeviceGetMarginTemperature", 25),
    ("nvmlDeviceGetPowerManagementLimit", 27),
    ("nvmlDeviceGetUtilizationRates", 999),
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
        "a100-vgpu" => 100,
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
            gpus.is_some_and(|gpus| {
                gpus.iter()
                    .all(|gpu| gpu["sequence"].as_u64() >= Some(2) && !awaits_activity(gpu))
            })
        },
    );
    eventually(
        "the topology is read",
        || agent.json("/api/v1/topology"),
        |body| body["read_at"].is_string(),
    );
    agent
}

/// Whether the performance monitor has not been read twice: it is left out in ticks that follow too soon.
fn awaits_activity(gpu: &Value) -> bool {
    let gaps = gpu["unavailable"].as_object();
    gaps.is_some_and(|gaps| {
        gaps.iter()
            .any(|(path, reason)| path.contains("activity") && reason == "not_ready")
    })
}

/// Compares all of one host, and adds it to what was found of the others.
fn compare(host: &Host, python: &str, outcome: &mut Outcome) {
    let (name, simulator, before) = (&host.name, host.start(), outcome.values);
    let agent = agent(&simulator);
    let read: Value = serde_json::from_str(&run(&simulator, python, &[&script("catalogue.py")])).unwrap();
    let (body, topology) = (agent.json("/api/v1/gpus"), agent.json("/api/v1/topology"));
    let (read_gpus, gpus) = (read["gpus"].as_array().unwrap(), body["gpus"].as_array().unwrap());
    assert_eq!(
        read_gpus.len(),
        gpus.len(),
        "{name}: NVML and the agent see another number of GPUs"
    );
    for (index, (answers, body)) in read_gpus.iter().zip(gpus).enumerate() {
        let served = Served {
            what: format!("{name} GPU {index}"),
            body,
            own: &["unavailable"],
        };
        outcome.compare(&served, answers.as_object().unwrap());
    }
    let served = Served {
        what: format!("{name} topology"),
        body: &topology,
        own: &["unavailable", "generation", "published_at", "read_at"],
    };
    outcome.compare(&served, read["topology"].as_object().unwrap());
    let values = outcome.values - before;
    eprintln!("{name}: {values} values");
    assert!(
        values >= host.least,
        "{name}: only {values} values were compared, of {} or more",
        host.least
    );
}

#[test]
fn all_that_is_served_is_what_nvml_says() {
    let Some(python) = python() else { return };
    let mut total = Outcome::default();
    for host in hosts() {
        compare(&host, &python, &mut total);
    }
    let shown = total.mistakes.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    assert!(
        total.mistakes.is_empty(),
        "{} mistakes:\n{}",
        total.mistakes.len(),
        shown.join("\n")
    );
    let expected = REFUSALS.map(|(_, code)| reason_of(code.into()));
    let missing: Vec<_> = expected
        .iter()
        .filter(|reason| !total.reasons.contains(*reason))
        .collect();
    assert!(
        missing.is_empty(),
        "nothing was absent for these reasons: {missing:?}"
    );
    let empty: Vec<_> = total.lists.iter().filter(|(_, most)| **most == 0).collect();
    assert!(
        empty.is_empty(),
        "no host has anything in these lists, so that nothing of it is compared: {empty:?}"
    );
    let all: BTreeSet<_> = (0..EXCEPTIONS.len()).collect();
    let unused = all
        .difference(&total.exceptions)
        .map(|place| EXCEPTIONS[*place].0);
    let unused: Vec<_> = unused.collect();
    assert!(
        unused.is_empty(),
        "nothing that is served falls under these exceptions: {unused:?}"
    );
}
