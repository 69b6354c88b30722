//! Each group, for each reason: a call of it that fails on one GPU costs what comes from that call, and nothing else.

use std::collections::BTreeMap;

use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::Value;

use super::{absences, gpu, quick, steady, until};
use crate::support::Agent;

/// A call, and all that comes from it.
const CALLS: [(&str, &[&str]); 27] = [
    (
        "nvmlDeviceGetUtilizationRates",
        &["load.gpu_percent", "load.memory_percent"],
    ),
    ("nvmlDeviceGetDecoderUtilization", &["load.decoder_percent"]),
    ("nvmlDeviceGetJpgUtilization", &["load.jpeg_percent"]),
    ("nvmlDeviceGetSamples", &["load.interval", "power.interval"]),
    ("nvmlGpmQueryDeviceSupport", &["activity"]),
    ("nvmlGpmSampleGet", &["activity"]),
    ("nvmlGpmMetricsGet", &["activity"]),
    (
        // Which also tells whether it is the host's.
        "nvmlDeviceGetMemoryInfo*",
        &[
            "memory.total_bytes",
            "memory.used_bytes",
            "memory.free_bytes",
            "memory.reserved_bytes",
            "memory.unified",
        ],
    ),
    ("nvmlDeviceGetBAR1MemoryInfo", &["memory.bar1_"]),
    ("nvmlDeviceGetPowerUsage", &["power.draw_watts"]),
    (
        "nvmlDeviceGetTotalEnergyConsumption",
        &["power.driver_energy_joules", "power.energy_", "power.mean_watts"],
    ),
    ("nvmlDeviceGetTemperature", &["thermal.gpu_celsius"]),
    ("nvmlDeviceGetMarginTemperature", &["thermal.margin_celsius"]),
    (
        "nvmlDeviceGetClockInfo",
        &[
            "clocks.graphics_mhz",
            "clocks.sm_mhz",
            "clocks.memory_mhz",
            "clocks.video_mhz",
        ],
    ),
    ("nvmlDeviceGetCurrentClocks*Reasons", &["clocks.event_reasons"]),
    ("nvmlDeviceGetMigMode", &["mig.enabled", "mig.instances"]),
    ("nvmlDeviceGetMaxMigDeviceCount", &["mig.max_instances"]),
    ("nvmlDeviceGetCurrPcieLinkWidth", &["pcie.width"]),
    ("nvmlDeviceGetPcieReplayCounter", &["pcie.replays_total"]),
    ("nvmlDeviceGetNvLinkState", &["nvlink"]),
    ("nvmlDeviceGetEccMode", &["reliability.ecc_enabled"]),
    ("nvmlDeviceGetSramEccErrorStatus", &["reliability.sram"]),
    ("nvmlDeviceGetGpuFabricInfoV", &["reliability.fabric"]),
    ("nvmlDeviceGetComputeMode", &["modes.compute_mode"]),
    (
        "nvmlDeviceGetGridLicensableFeatures_v4",
        &["modes.vgpu_licens", "modes.license_features"],
    ),
    ("nvmlDeviceGetFBCStats", &["sessions.capture_"]),
    ("nvmlDeviceGet*RunningProcesses*", &["processes"]),
];

/// The sick GPU and the well one.
const SICK: usize = 1;
const WELL: usize = 0;

type Absences = BTreeMap<String, String>;

/// What is absent, and stays so: where a rate needs a second reading, that one comes.
fn lasting(gpu: &Value) -> Absences {
    let mut found = absences(gpu);
    found.retain(|_, reason| reason != "not_ready");
    found
}

fn is_below(path: &str, paths: &[&str]) -> bool {
    paths.iter().any(|above| path.starts_with(above))
}

/// Lets each call fail in turn, and looks at what that costs.
fn each_call_costs_its_own(fail: impl Fn(Fault) -> Fault, reason: &str) {
    let simulator = steady().start().unwrap();
    let agent = quick(&simulator).start();
    let whole = wait_for_the_whole(&agent);
    for (call, paths) in &CALLS {
        check(&simulator, &agent, (call, paths), &fail, reason, &whole);
    }
}

/// Waits until all is read that can be, and says what cannot.
fn wait_for_the_whole(agent: &Agent) -> [Absences; 2] {
    agent.wait_until_ready();
    [WELL, SICK].map(|index| {
        let body = until(agent, index, "two readings of everything", |gpu| {
            gpu["power"]["mean_watts"].is_number() && gpu["nvlink"]["sent_bytes_per_second"].is_number()
        });
        lasting(&body)
    })
}

fn check(
    simulator: &Simulator,
    agent: &Agent,
    (call, paths): (&str, &[&str]),
    fail: impl Fn(Fault) -> Fault,
    reason: &str,
    whole: &[Absences; 2],
) {
    let what = format!("{call}: {reason}");
    simulator.set_faults(&[fail(Fault::on(call).gpu(SICK))]).unwrap();
    let concerned = |gpu: &Value| -> Absences {
        let mut found = absences(gpu);
        found.retain(|path, _| is_below(path, paths) && !whole[SICK].contains_key(path));
        found
    };
    // Which is on each path once the fault is in force everywhere.
    let sick = until(agent, SICK, &what, |gpu| {
        let found = concerned(gpu);
        paths.iter().all(|above| {
            let mut below = found
                .iter()
                .filter(|(path, _)| path.starts_with(above))
                .peekable();
            // Memory that there is none of is not the host's for that alone: that is a value.
            let is_told = *above == "memory.unified" && gpu["memory"]["unified"] == false;
            is_told || below.peek().is_some() && below.all(|(_, given)| given == reason)
        })
    });
    assert_eq!(sick["state"], "ok", "{what}");
    let mut others = lasting(&sick);
    others.retain(|path, _| !is_below(path, paths) || whole[SICK].contains_key(path));
    assert_eq!(others, whole[SICK], "{what}: it costs other readings");
    assert_eq!(
        lasting(&gpu(agent, WELL)),
        whole[WELL],
        "{what}: it costs another GPU"
    );
    simulator.clear_faults().unwrap();
    until(agent, SICK, &format!("{what}: it comes back"), |gpu| {
        lasting(gpu) == whole[SICK] && concerned(gpu).is_empty()
    });
}

#[test]
fn not_supported() {
    each_call_costs_its_own(|fault| fault.returns(3), "not_supported");
}

#[test]
fn no_permission() {
    each_call_costs_its_own(|fault| fault.returns(4), "no_permission");
}

#[test]
fn function_not_found() {
    each_call_costs_its_own(Fault::missing_symbol, "function_not_found");
}

#[test]
fn timeout() {
    each_call_costs_its_own(|fault| fault.returns(10), "timeout");
}

#[test]
fn not_ready() {
    each_call_costs_its_own(|fault| fault.returns(27), "not_ready");
}

#[test]
fn error() {
    each_call_costs_its_own(|fault| fault.returns(999), "error");
}
