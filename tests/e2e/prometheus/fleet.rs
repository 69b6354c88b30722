//! Agents over simulated nodes that differ, and on which as much as possible is wrong at once, so that expressions about
//! trouble have something to show.

use std::{fs, net::TcpListener, path::Path, time::Duration};

use nvml_sim::{
    faults::{Fault, Incident, Values},
    testing::Simulator,
};
use tempfile::TempDir;

use super::{
    engine::{Engine, prometheus},
    shipped::shipped,
};
use crate::{
    security::credentials::token,
    support::{Agent, AgentBuilder, eventually},
};

/// NVML's bits for clocks that the hardware lowers because of heat, and because of the power supply.
const HOT_AND_BRAKED: u64 = 0x40 | 0x80;

/// Which agent has a GPU that answers slowly, and is patient.
const SLOW: usize = 5;

/// Which agent is told to let its GPU go.
const PARKED: usize = 6;

/// How long a call takes: longer than a sample stays fresh, and shorter than the agent waits.
const LONG: Duration = Duration::from_secs(20);

/// NVML's code for what a GPU does not have.
const NOT_SUPPORTED: u32 = 3;

/// NVML's code for an unknown error.
const UNKNOWN: u32 = 999;

/// Agents, and Prometheus over them with what `deploy` ships.
pub(super) struct Fleet {
    pub(super) prometheus: Engine,
    pub(super) agents: Vec<Agent>,
    _simulators: Vec<Simulator>,
    /// Where the configuration lies.
    pub(super) directory: TempDir,
}

impl Fleet {
    /// Starts everything, and breaks what has to be seen well before.
    #[track_caller]
    pub(super) fn start(program: &Path) -> Self {
        let directory = TempDir::new().unwrap();
        let tokens = directory.path().join("tokens");
        let (token, line) = token("fleet", "metrics,admin");
        fs::write(&tokens, line).unwrap();
        let sick = Simulator::builder("h100-sxm-8").faults(&from_the_start());
        let sick = sick.start().unwrap();
        let others = ["h100-mig", "rtx-4090", "t4", "no-driver", "t4", "t4"];
        let mut simulators = vec![sick];
        simulators.extend(others.map(|profile| Simulator::start(profile).unwrap()));
        let agents: Vec<_> = simulators
            .iter()
            .enumerate()
            .map(|(place, simulator)| {
                let agent = AgentBuilder::over(simulator.library_path())
                    .interval("500ms")
                    .variable("GPULSE_SAMPLER__SLOW_INTERVAL", "1s")
                    .variable("GPULSE_METRICS__PER_PROCESS", "true");
                let agent = match place {
                    // One GPU more than there are.
                    0 => agent.variable("GPULSE_HEALTH__EXPECTED_GPUS", "9"),
                    // Nobody listens there.
                    1 => agent
                        .variable("GPULSE_REMOTE_WRITE__ENDPOINT", "http://127.0.0.1:9/api/v1/write")
                        .variable("GPULSE_REMOTE_WRITE__INTERVAL", "1s"),
                    SLOW => agent
                        .variable("GPULSE_SAMPLER__STALE_AFTER", "1s")
                        .variable("GPULSE_SAMPLER__DEADLINE", "60s"),
                    PARKED => agent.variable("GPULSE_AUTH__TOKENS_FILE", tokens.to_str().unwrap()),
                    _ => agent,
                };
                agent.start()
            })
            .collect();
        for agent in &agents {
            agent.wait_until_ready();
        }
        // Of page retirement only the oldest of them has any.
        let retiring = Fault::everywhere().values(Values {
            retirement_pending: Some(true),
            ..Values::default()
        });
        simulators[3].set_faults(&[retiring]).unwrap();

        let addresses: Vec<_> = agents.iter().map(|agent| agent.address().to_string()).collect();
        configure(directory.path(), &addresses, &token);
        let prometheus = prometheus(program, directory.path());
        eventually(
            "Prometheus has seen the node while it was well, and noted how many links there were",
            || {
                prometheus
                    .query("gpu:gpulse_nvlink_active_links:most{gpu=\"7\"}")
                    .len()
                    + prometheus.query("up{job=\"gpulse\"} == 1").len()
            },
            |seen| *seen == 1 + agents.len(),
        );
        let mut faults = from_the_start();
        faults.extend(later());
        simulators[0].set_faults(&faults).unwrap();
        let slow = Fault::on("nvmlDeviceGetPowerUsage").delay(LONG);
        simulators[SLOW].set_faults(&[slow]).unwrap();
        let header = format!("Bearer {token}");
        let parked = agents[PARKED].request(
            "POST",
            "/api/v1/admin/park",
            &[("authorization", header.as_str())],
        );
        assert_eq!(parked.status, 202);
        Self {
            prometheus,
            agents,
            _simulators: simulators,
            directory,
        }
    }
}

/// GPU 1 gives no data, and GPU 2 is held by a process and has never done anything.
fn from_the_start() -> Vec<Fault> {
    vec![
        Fault::everywhere().gpu(1).returns(UNKNOWN),
        Fault::everywhere().gpu(2).values(Values {
            gpu_utilization: Some(0),
            ..Values::default()
        }),
    ]
}

/// What breaks while Prometheus looks.
fn later() -> Vec<Fault> {
    let wrong = |gpu, values| Fault::everywhere().gpu(gpu).values(values);
    vec![
        Fault::everywhere().gpu(3).lost(),
        Fault::on("nvmlDeviceGetPowerUsage").gpu(4).hang(),
        Fault::everywhere()
            .gpu(5)
            .incident(Incident::EccDoubleBit)
            .xid(48),
        Fault::everywhere().gpu(5).xid(31).per_second(5),
        wrong(
            0,
            Values {
                temperature: Some(88),
                memory_used: Some(85 << 30),
                ..Values::default()
            },
        ),
        // It does not count for how long clocks are lowered, so that heat shows by the reasons alone.
        Fault::on("nvmlDeviceGetFieldValues")
            .gpu(6)
            .returns(NOT_SUPPORTED),
        wrong(
            6,
            Values {
                event_reasons: Some(HOT_AND_BRAKED),
                remapping_failed: Some(true),
                banks_without_spare: Some(1),
                pcie_width: Some(8),
                sram_threshold_exceeded: Some(true),
                ..Values::default()
            },
        ),
        wrong(
            7,
            Values {
                nvlink_down: Some(vec![0]),
                ..Values::default()
            },
        ),
    ]
}

/// A configuration that scrapes the agents, and one address at which nobody answers, often.
fn configure(directory: &Path, addresses: &[String], token: &str) {
    // Held by nobody once this function has ended; whoever takes it meanwhile does not speak this protocol.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let targets: Vec<_> = addresses
        .iter()
        .cloned()
        .chain([nobody.to_string()])
        .map(|address| format!("\"{address}\""))
        .collect();
    let rules =
        ["recording.yml", "alerts.yml"].map(|name| shipped("prometheus").join(name).display().to_string());
    let text = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: [\"{}\"]\n\
         scrape_configs: [{{job_name: gpulse, authorization: {{credentials: {token}}}, static_configs: [{{targets: [{}]}}]}}]\n",
        rules.join("\", \""),
        targets.join(", ")
    );
    fs::write(directory.join("prometheus.yml"), text).unwrap();
}
