//! Dashboards that people have already: what they ask for is there, under the profile that is meant for them.

use std::{collections::BTreeSet, fs};

use nvml_sim::faults::Fault;
use tempfile::TempDir;

use super::{
    dashboards::all_have_data,
    engine::{program, prometheus},
};
use crate::support::{AgentBuilder, simulator};

/// Grafana's dashboard 12239, for dcgm-exporter, with its variables replaced: by instance as it is published, and by host name and
/// MIG instance as the exporter's own repository has it since.
const DCGM: [&str; 13] = [
    "DCGM_FI_DEV_GPU_TEMP{instance=~\".+\", gpu=~\".+\"}",
    "avg(DCGM_FI_DEV_GPU_TEMP{instance=~\".+\", gpu=~\".+\"})",
    "DCGM_FI_DEV_POWER_USAGE{instance=~\".+\", gpu=~\".+\"}",
    "sum(DCGM_FI_DEV_POWER_USAGE{instance=~\".+\", gpu=~\".+\"})",
    "DCGM_FI_DEV_SM_CLOCK{instance=~\".+\", gpu=~\".+\"} * 1000000",
    "DCGM_FI_DEV_GPU_UTIL{instance=~\".+\", gpu=~\".+\"}",
    "DCGM_FI_DEV_FB_USED{instance=~\".+\", gpu=~\".+\"}",
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{instance=~\".+\", gpu=~\".+\"}",
    "count by (Hostname, gpu) (DCGM_FI_DEV_FB_FREE{Hostname!=\"\", gpu!=\"\"})",
    "max by (Hostname, gpu, UUID) (DCGM_FI_DEV_GPU_TEMP{Hostname=~\".+\", UUID=~\".+\"})",
    "sum(max by (gpu) (DCGM_FI_DEV_POWER_USAGE{Hostname=~\".+\"}))",
    "max by (Hostname, gpu, GPU_I_ID, GPU_I_PROFILE) (DCGM_FI_PROF_GR_ENGINE_ACTIVE{GPU_I_PROFILE=~\".+\"})",
    "max by (Hostname, gpu, GPU_I_ID, GPU_I_PROFILE) (DCGM_FI_DEV_FB_USED{GPU_I_ID=~\".+\"})",
];

/// What Grafana's dashboards 14574 and 25547, for nvidia_gpu_exporter, are made of: each metric of a GPU, by its UUID. Fans are
/// those of one node, MIG instances those of another.
const NVIDIA_SMI: [&str; 47] = [
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
    "nvidia_smi_utilization_gpu_ratio * on (instance, uuid) group_left (index, name) nvidia_smi_gpu_info",
    "count by (job, instance) (nvidia_smi_index)",
    "nvidia_smi_power_draw_watts / nvidia_smi_power_limit_watts",
    "nvidia_smi_clocks_event_reasons_applications_clocks_setting{uuid=~\".+\"}",
    "nvidia_smi_clocks_event_reasons_sw_power_cap{uuid=~\".+\"}",
    "nvidia_smi_clocks_event_reasons_sync_boost{uuid=~\".+\"}",
    "nvidia_smi_clocks_event_reasons_sw_thermal_slowdown{uuid=~\".+\"}",
    "nvidia_smi_clocks_event_reasons_hw_thermal_slowdown{uuid=~\".+\"}",
    "nvidia_smi_clocks_event_reasons_hw_power_brake_slowdown{uuid=~\".+\"}",
    "nvidia_smi_gpu_recovery_action{uuid=~\".+\"} == 0",
    "nvidia_smi_compute_mode{uuid=~\".+\"} == 0",
    "nvidia_smi_fabric_state{uuid=~\".+\"} == 3",
    "nvidia_smi_ecc_errors_uncorrected_aggregate_total{uuid=~\".+\"}",
    "count by (uuid) ({__name__=~\"nvidia_smi_ecc_errors_uncorrected_.+\"})",
    "nvidia_smi_pcie_throughput_rx_bytes_per_second{uuid=~\".+\"}",
    "nvidia_smi_pcie_throughput_tx_bytes_per_second{uuid=~\".+\"}",
    "nvidia_smi_compute_app_used_memory_bytes / on (instance, uuid) group_left () nvidia_smi_memory_total_bytes",
    "nvidia_smi_compute_app_info{process_name!=\"\"}",
    "nvidia_smi_compute_apps_last_collect_success == 1",
    "nvidia_smi_mig_sm_activity_ratio * on (instance, uuid, gpu_instance_id) group_left (profile) nvidia_smi_mig_info",
    "nvidia_smi_mig_tensor_activity_ratio * on (instance, uuid, gpu_instance_id) group_left (profile) nvidia_smi_mig_info",
    "nvidia_smi_mig_memory_used_bytes / nvidia_smi_mig_memory_total_bytes",
    "nvidia_smi_xid_errors_total{uuid=~\".+\", xid=\"48\"}",
    "time() - nvidia_smi_xid_last_timestamp_seconds{xid=\"48\"} < 3600",
    "time() - nvidia_smi_last_collect_success_timestamp_seconds < 60 and nvidia_smi_last_collect_success == 1",
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
    let simulators = ["h100-sxm-8", "rtx-4090", "h100-mig"].map(simulator);
    let agents: Vec<_> = simulators
        .iter()
        .map(|simulator| {
            let agent = AgentBuilder::over(simulator.library_path())
                .variable("GPULSE_METRICS__PER_PROCESS", "true")
                .start();
            agent.wait_until_ready();
            agent
        })
        .collect();
    simulators[0]
        .set_faults(&[Fault::everywhere().gpu(6).xid(48)])
        .unwrap();
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
