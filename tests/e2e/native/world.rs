//! A host for these tests, and the groups.

use nvml_sim::testing::{Builder, Simulator};

use crate::support::AgentBuilder;

/// The groups whose clocks can be set, each with a call that only it makes.
pub(super) const GROUPS: [(&str, &str); 13] = [
    ("load", "nvmlDeviceGetUtilizationRates"),
    ("activity", "nvmlGpmSampleGet"),
    ("memory", "nvmlDeviceGetBAR1MemoryInfo"),
    ("power", "nvmlDeviceGetPowerUsage"),
    ("thermal", "nvmlDeviceGetTemperature"),
    ("clocks", "nvmlDeviceGetClockInfo"),
    ("mig", "nvmlDeviceGetMigMode"),
    ("pcie", "nvmlDeviceGetPcieReplayCounter"),
    ("nvlink", "nvmlDeviceGetNvLinkState"),
    ("reliability", "nvmlDeviceGetEccMode"),
    ("modes", "nvmlDeviceGetComputeMode"),
    ("sessions", "nvmlDeviceGetFBCStats"),
    ("processes", "nvmlDeviceGetComputeRunningProcesses_v3"),
];

/// Two GPUs that have nearly everything, under a load that no process comes or goes with.
const STEADY: &str = r#"
count = 2
[gpu]
work = "waveform"
sampling_period_ms = 20
licensable = [
    { code = "vgpu", product = "vCS", enabled = true, licensed = true, expires = "2030-01-31T11:32:22Z" },
]
[gpu.waveform]
shape = "square"
frequency_hz = 1.0
low = 0.4
high = 0.6
"#;

/// A host of two H100 under a steady load.
#[track_caller]
pub(super) fn steady() -> Builder {
    match Simulator::builder("h100-sxm-8").overrides(STEADY) {
        Ok(builder) => builder,
        Err(error) => panic!("{error}"),
    }
}

/// An agent whose clocks all beat every 40 ms.
pub(super) fn quick(simulator: &Simulator) -> AgentBuilder {
    AgentBuilder::over(simulator.library_path())
        .interval("40ms")
        .variable("GPULSE_SAMPLER__SLOW_INTERVAL", "40ms")
}
