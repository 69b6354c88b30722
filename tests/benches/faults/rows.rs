//! The faults that the agent has to survive, each with what is to be seen of it.

use std::time::Duration;

use nvml_sim::faults::{Fault, Incident, Values};

/// The GPU that falls ill.
pub(crate) const SICK: usize = 1;

/// A read of the agent under test takes no longer than this.
pub(crate) const DEADLINE: Duration = Duration::from_millis(500);

/// One fault and what is to be seen of it.
pub(crate) struct Row {
    /// What happens, for a person.
    pub(crate) name: String,
    /// What is planted.
    pub(crate) faults: Vec<Fault>,
    /// What is to be seen.
    pub(crate) seen: Seen,
}

/// What is to be seen of a fault.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// The sick GPU is in this state.
    State(&'static str),
    /// A reading of the sick GPU is absent for this reason.
    Absent(&'static str, &'static str),
    /// A reading of the sick GPU is this, as JSON.
    Reading(&'static str, &'static str),
    /// NVML cannot be used, for this reason.
    Driver(&'static str),
    /// There are so many GPUs.
    Gpus(usize),
    /// The log counts at least so many events of this kind.
    Events(&'static str, u64),
    /// Nothing: what is served stays whole for some ticks.
    Nothing,
}

/// Calls by the group of readings that they are for, and a reading that comes from each.
const GROUPS: [(&str, &str, &str); 15] = [
    ("load", "nvmlDeviceGetUtilizationRates", "load.gpu_percent"),
    (
        "load, interval",
        "nvmlDeviceGetSamples",
        "load.interval.gpu.mean_percent",
    ),
    ("activity", "nvmlGpmSampleGet", "activity.sm_percent"),
    ("memory", "nvmlDeviceGetMemoryInfo*", "memory.total_bytes"),
    ("power", "nvmlDeviceGetPowerUsage", "power.draw_watts"),
    ("fields", "nvmlDeviceGetFieldValues", "power.instant_watts"),
    ("thermal", "nvmlDeviceGetTemperature", "thermal.gpu_celsius"),
    ("clocks", "nvmlDeviceGetClockInfo", "clocks.sm_mhz"),
    ("mig", "nvmlDeviceGetMigMode", "mig.enabled"),
    ("pcie", "nvmlDeviceGetCurrPcieLinkWidth", "pcie.width"),
    ("nvlink", "nvmlDeviceGetNvLinkState", "nvlink.active_links"),
    ("reliability", "nvmlDeviceGetEccMode", "reliability.ecc_enabled"),
    ("modes", "nvmlDeviceGetComputeMode", "modes.compute_mode"),
    ("sessions", "nvmlDeviceGetFBCStats", "sessions.capture_sessions"),
    ("processes", "nvmlDeviceGet*RunningProcesses*", "processes.count"),
];

/// Codes that a call may return, by name, and the reason that they are.
const CODES: [(u32, &str, &str); 7] = [
    (3, "NOT_SUPPORTED", "not_supported"),
    (4, "NO_PERMISSION", "no_permission"),
    (10, "TIMEOUT", "timeout"),
    (13, "FUNCTION_NOT_FOUND", "function_not_found"),
    (16, "RESET_REQUIRED", "error"),
    (27, "NOT_READY", "not_ready"),
    (999, "UNKNOWN", "error"),
];

/// All rows.
pub(crate) fn all() -> Vec<Row> {
    let mut rows = gpus();
    rows.extend(calls());
    rows.extend(numbers());
    rows.extend(library());
    rows
}

fn row(name: &str, faults: impl Into<Vec<Fault>>, seen: Seen) -> Row {
    Row {
        name: name.to_owned(),
        faults: faults.into(),
        seen,
    }
}

/// Each group of calls with each way to fail.
fn calls() -> Vec<Row> {
    let mut rows = Vec::new();
    for (group, call, path) in GROUPS {
        let on = || Fault::on(call).gpu(SICK);
        for (code, name, reason) in CODES {
            rows.push(row(
                &format!("{group}: {name}"),
                [on().returns(code)],
                Seen::Absent(path, reason),
            ));
        }
        rows.push(row(
            &format!("{group}: GPU_IS_LOST"),
            [on().returns(15)],
            Seen::State("lost"),
        ));
        rows.push(row(
            &format!("{group}: never returns"),
            [on().hang()],
            Seen::State("hung"),
        ));
        let slow = on().delay(DEADLINE * 3);
        rows.push(row(
            &format!("{group}: returns too late"),
            [slow],
            Seen::State("hung"),
        ));
    }
    rows
}

/// One GPU as a whole.
fn gpus() -> Vec<Row> {
    let sick = || Fault::everywhere().gpu(SICK);
    vec![
        row(
            "GPU falls off the bus, with XID 79",
            [sick().lost()],
            Seen::State("lost"),
        ),
        row(
            "GPU falls off the bus without a word",
            [sick().lost().silent()],
            Seen::State("lost"),
        ),
        row(
            "every call on the GPU returns UNKNOWN",
            [sick().returns(999)],
            Seen::State("unavailable"),
        ),
        row(
            "every call on the GPU never returns",
            [sick().hang()],
            Seen::State("hung"),
        ),
        row(
            "every second call on the GPU fails",
            [sick().returns(999).probability(0.5)],
            Seen::Nothing,
        ),
        row(
            "calls on the GPU stall now and then",
            [sick().delay(Duration::from_millis(30)).probability(0.2)],
            Seen::Nothing,
        ),
        row("double-bit error and XID 48", ecc(), Seen::Events("xid", 1)),
        row(
            "storm of 1,000 XIDs a second",
            [sick().xid(13).per_second(1_000)],
            Seen::Events("xid", 500),
        ),
        row("GPU is cut into instances", [sick().mig(true)], Seen::Nothing),
    ]
}

fn ecc() -> Vec<Fault> {
    vec![
        Fault::everywhere()
            .gpu(SICK)
            .incident(Incident::EccDoubleBit)
            .xid(48),
    ]
}

/// Numbers that cannot be, or that mean that there is none.
fn numbers() -> Vec<Row> {
    let says = |values: Values| [Fault::everywhere().gpu(SICK).values(values)];
    let values = Values::default;
    vec![
        row(
            "power above its limit",
            says(Values {
                power_mw: Some(705_000),
                ..values()
            }),
            Seen::Reading("power.draw_watts", "705.0"),
        ),
        row(
            "more memory used than there is",
            says(Values {
                memory_used: Some(1 << 40),
                ..values()
            }),
            Seen::Reading("memory.used_bytes", "1099511627776"),
        ),
        row(
            "a total of 0 bytes of memory",
            says(Values {
                memory_total: Some(0),
                ..values()
            }),
            Seen::Absent("memory.total_bytes", "error"),
        ),
        row(
            "a temperature of 255",
            says(Values {
                temperature: Some(255),
                ..values()
            }),
            Seen::Absent("thermal.gpu_celsius", "error"),
        ),
        row(
            "performance state 32",
            says(Values {
                performance_state: Some(32),
                ..values()
            }),
            Seen::Reading("clocks.performance_state", "\"Unknown\""),
        ),
        row(
            "utilisation above 100",
            says(Values {
                gpu_utilization: Some(130),
                ..values()
            }),
            Seen::Reading("load.gpu_percent", "130.0"),
        ),
        row(
            "counters that begin anew",
            says(Values {
                counters_restart: true,
                ..values()
            }),
            Seen::Reading("power.energy_resets_total", "1"),
        ),
        row(
            "process lists that grow between two calls",
            says(Values {
                count_race: true,
                ..values()
            }),
            Seen::Absent("processes.count", "error"),
        ),
        row(
            "100 blank entries in process lists",
            says(Values {
                blank_processes: Some(100),
                ..values()
            }),
            Seen::Reading("processes.count", "0"),
        ),
        row(
            "processes without memory, name or life",
            says(Values {
                pids: Some(vec![4_194_303, 4_194_302]),
                process_memory_unavailable: true,
                process_name_bytes: Some(vec![0xff, 0xfe]),
                process_utilization: Some(200),
                ..values()
            }),
            Seen::Nothing,
        ),
        row(
            "NVLinks that go down",
            says(Values {
                nvlink_down: Some(vec![0, 1]),
                ..values()
            }),
            Seen::Reading("nvlink.active_links", "16"),
        ),
    ]
}

/// The library as a whole, and the roster.
fn library() -> Vec<Row> {
    let all = Fault::everywhere;
    let init = || Fault::on("nvmlInit*");
    let gone = |code: u32| vec![init().returns(code), all().returns(999)];
    vec![
        row(
            "whole library returns UNKNOWN",
            [all().returns(999)],
            Seen::Driver("error"),
        ),
        row("driver is unloaded", gone(9), Seen::Driver("driver_not_loaded")),
        row("driver is upgraded", gone(18), Seen::Driver("version_mismatch")),
        row(
            "library goes missing",
            gone(12),
            Seen::Driver("library_not_found"),
        ),
        row("devices are taken away", gone(4), Seen::Driver("no_permission")),
        row("GPU count shrinks", [all().roster([0, 1, 3])], Seen::Gpus(3)),
        row("indices shift", [all().roster([3, 1, 0])], Seen::Gpus(3)),
        row("no GPU is left", [all().roster([])], Seen::Gpus(0)),
        row("every call never returns", [all().hang()], Seen::State("hung")),
        row(
            "waiting for events fails",
            [Fault::on("nvmlEventSetWait*").returns(999)],
            Seen::Nothing,
        ),
        row(
            "waiting for events never returns",
            [Fault::on("nvmlEventSetWait*").hang()],
            Seen::Nothing,
        ),
        row(
            "every call takes 2 ms",
            [all().delay(Duration::from_millis(2))],
            Seen::Nothing,
        ),
    ]
}
