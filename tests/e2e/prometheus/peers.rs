//! Dashboards that people have already: what they ask for is there, under the profile that is meant for them.

use std::{collections::BTreeSet, fs};

use tempfile::TempDir;

use super::{
    dashboards::all_have_data,
    engine::{program, prometheus},
};
use crate::support::{Agent, simulator};

/// Grafana's dashboard 12239, for dcgm-exporter, with its variables replaced.
const DCGM: [&str; 8] = [
    "DCGM_FI_DEV_GPU_TEMP{instance=~\".+\", gpu=~\".+\"}",
    "avg(DCGM_FI_DEV_GPU_TEMP{instance=~\".+\", gpu=~\".+\"})",
    "DCGM_FI_DEV_POWER_USAGE{instance=~\".+\", gpu=~\".+\"}",
    "sum(DCGM_FI_DEV_POWER_USAGE{instance=~\".+\", gpu=~\".+\"})",
    "DCGM_FI_DEV_SM_CLOCK{instance=~\".+\", gpu=~\".+\"} * 1000000",
    "DCGM_FI_DEV_GPU_UTIL{instance=~\".+\", gpu=~\".+\"}",
    "DCGM_FI_DEV_FB_USED{instance=~\".+\", gpu=~\".+\"}",
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{instance=~\".+\", gpu=~\".+\"}",
];

/// What Grafana's dashboard 14574, for nvidia_gpu_exporter, is made of: each metric of a GPU, by its UUID. Fans are those of
/// another node.
const NVIDIA_SMI: [&str; 23] = [
    "nvidia_smi_gpu_info",
    "nvidia_smi_utilization_gpu_ratio{uuid=~\".+\"}",
    "nvidia_smi_utilization_memory_ratio{uuid=~\".+\"}",
    "nvidia_smi_utilization_encoder_ratio{uuid=~\".+\"}",
    "nvidia_smi_utilization_decoder_ratio{uuid=~\".+\"}",
    "nvidia_smi_memory_used_bytes{uuid=~\".+\"} / nvidia_smi_memory_total_bytes{uuid=~\".+\"}",
    "nvidia_smi_memory_free_bytes{uuid=~\".+\"}",
    "nvidia_smi_memory_reserved_bytes{uuid=~\".+\"}",
    "nvidia_smi_power_draw_watts{uuid=~\".+\"}",
    "nvidia_smi_power_draw_watts{uuid=~\".+\"} / nvidia_smi_power_default_limit_watts{uuid=~\".+\"}",
    "nvidia_smi_enforced_power_limit_watts{uuid=~\".+\"}",
    "nvidia_smi_temperature_gpu{uuid=~\".+\"}",
    "nvidia_smi_clocks_current_graphics_clock_hz{uuid=~\".+\"}",
    "nvidia_smi_clocks_current_sm_clock_hz{uuid=~\".+\"}",
    "nvidia_smi_clocks_current_memory_clock_hz{uuid=~\".+\"}",
    "nvidia_smi_clocks_current_video_clock_hz{uuid=~\".+\"}",
    "nvidia_smi_clocks_max_graphics_clock_hz{uuid=~\".+\"}",
    "nvidia_smi_clocks_max_memory_clock_hz{uuid=~\".+\"}",
    "nvidia_smi_fan_speed_ratio{uuid=~\".+\"}",
    "nvidia_smi_pstate{uuid=~\".+\"}",
    "nvidia_smi_clocks_event_reasons_gpu_idle{uuid=~\".+\"}",
    "rate(nvidia_smi_energy_joules_total[1m])",
    "nvidia_smi_utilization_gpu_ratio * on (uuid) group_left (name) nvidia_smi_gpu_info",
];

/// What the pipeline of resource-agent queries.
const RESOURCE_AGENT: [&str; 8] = [
    "gpu_utilization_percent",
    "gpu_memory_utilization_percent",
    "gpu_memory_used_bytes",
    "gpu_memory_total_bytes",
    "gpu_temperature_celsius",
    "gpu_power_draw_watts",
    "gpu_exporter_success",
    "avg by (node, gpu_id) (gpu_utilization_percent)",
];

#[test]
fn other_dashboards_have_data_under_their_profile() {
    let Some(program) = program("prometheus") else {
        return;
    };
    let simulators = ["h100-sxm-8", "rtx-4090"].map(simulator);
    let agents: Vec<_> = simulators
        .iter()
        .map(|simulator| Agent::ready(simulator.library_path()))
        .collect();
    let targets: Vec<_> = agents
        .iter()
        .map(|agent| format!("\"{}\"", agent.address()))
        .collect();
    let job = |profile: &str| {
        format!(
            "  - {{job_name: {profile}, params: {{profile: [{profile}]}}, static_configs: [{{targets: [{}]}}]}}\n",
            targets.join(", ")
        )
    };
    let profiles = ["dcgm", "dcgm-4.9", "nvidia_smi", "resource-agent"];
    let text = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{}",
        profiles.map(job).concat()
    );
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("prometheus.yml"), text).unwrap();
    let prometheus = prometheus(&program, directory.path());
    let expressions: BTreeSet<_> = DCGM
        .iter()
        .chain(&NVIDIA_SMI)
        .chain(&RESOURCE_AGENT)
        .map(|&expression| expression.to_owned())
        .collect();
    all_have_data(&prometheus, &expressions, &[]);
    // Each of them as the one of its own, and none was refused for what another has.
    for profile in profiles {
        let up = prometheus.query(&format!("up{{job=\"{profile}\"}} == 1"));
        assert_eq!(up.len(), agents.len(), "{profile}");
    }
}
