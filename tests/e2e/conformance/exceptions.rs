//! What is not compared by its value, each with the reason.

/// What holds instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    /// Where NVML has something to take the value from, it is absent and not ready; where it refuses, so does the agent.
    NotReady,
    /// Where NVML counts, the counter stands still: a rate of zero, or none yet; where it refuses, so does the agent.
    Still,
    /// Nothing that NVML could be asked for in this world.
    Anything,
}

/// A path, with `*` for any one part of it and `**` at the end for all that is below.
type Exception = (&'static str, Instead, &'static str);

/// All of them. A path that is served and neither compared nor here fails the test, and so does an entry that nothing
/// served falls under.
pub(super) const EXCEPTIONS: &[Exception] = &[
    (
        "state",
        Instead::Anything,
        "how the GPU is doing is the agent's own judgement",
    ),
    ("state_since", Instead::Anything, "of the agent's clock"),
    ("sequence", Instead::Anything, "counts the agent's samples"),
    ("failures", Instead::Anything, "counts the agent's samples"),
    ("overruns", Instead::Anything, "counts the agent's ticks"),
    ("dropped", Instead::Anything, "counts the agent's messages"),
    ("sampled_at", Instead::Anything, "of the agent's clock"),
    ("last_error", Instead::Anything, "what the agent met with"),
    ("pods", Instead::Anything, "what the kubelet says"),
    ("*.read_at", Instead::Anything, "of the agent's clock"),
    (
        "load.interval.**",
        Instead::NotReady,
        "statistics of what the driver sampled between two ticks: in a world that stands still, nothing",
    ),
    (
        "power.interval.**",
        Instead::NotReady,
        "statistics of what the driver sampled between two ticks: in a world that stands still, nothing",
    ),
    (
        "power.mean_watts",
        Instead::Still,
        "by how much energy grew between two ticks",
    ),
    (
        "pcie.sent_bytes_per_second",
        Instead::Still,
        "by how much a counter grew; compared where it is a reading",
    ),
    (
        "pcie.received_bytes_per_second",
        Instead::Still,
        "by how much a counter grew; compared where it is a reading",
    ),
    (
        "nvlink.sent_bytes_per_second",
        Instead::Still,
        "by how much counters grew between two reads",
    ),
    (
        "nvlink.received_bytes_per_second",
        Instead::Still,
        "by how much counters grew between two reads",
    ),
    (
        "nvlink.links.*.sent_bytes_per_second",
        Instead::Still,
        "by how much a counter grew between two reads",
    ),
    (
        "nvlink.links.*.received_bytes_per_second",
        Instead::Still,
        "by how much a counter grew between two reads",
    ),
    (
        "activity.over_seconds",
        Instead::Anything,
        "time between two samples, by the agent's clock",
    ),
    (
        "mig.instances.*.activity.over_seconds",
        Instead::Anything,
        "time between two samples, by the agent's clock",
    ),
    (
        "memory.unified",
        Instead::Anything,
        "a conclusion from several answers, which tests of the sampler draw",
    ),
    (
        "sessions.accounts.*.active_seconds",
        Instead::Anything,
        "time since its start while a process runs, by the agent's clock; compared once it has ended",
    ),
    ("processes.processes.*.identity", Instead::Anything, "of /proc"),
    ("processes.processes.*.started_at", Instead::Anything, "of /proc"),
    ("processes.processes.*.user", Instead::Anything, "of /proc"),
    ("processes.processes.*.user_id", Instead::Anything, "of /proc"),
    ("processes.processes.*.executable", Instead::Anything, "of /proc"),
    ("processes.processes.*.command", Instead::Anything, "of /proc"),
    (
        "processes.processes.*.command_truncated",
        Instead::Anything,
        "of /proc",
    ),
    (
        "processes.processes.*.container_id",
        Instead::Anything,
        "of /proc",
    ),
    (
        "processes.processes.*.container_runtime",
        Instead::Anything,
        "of /proc",
    ),
    ("processes.processes.*.pod_uid", Instead::Anything, "of /proc"),
    (
        "processes.processes.*.slurm_job_id",
        Instead::Anything,
        "of /proc",
    ),
    ("processes.processes.*.slurm_step", Instead::Anything, "of /proc"),
    (
        "processes.processes.*.pid_namespace",
        Instead::Anything,
        "of /proc",
    ),
];

/// The exception that a path falls under, by its place in the table.
pub(super) fn exception(path: &str) -> Option<usize> {
    EXCEPTIONS.iter().position(|(pattern, ..)| matches(pattern, path))
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('.');
    for wanted in pattern.split('.') {
        match (wanted, parts.next()) {
            ("**", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

#[test]
fn a_pattern_is_matched_part_by_part() {
    assert!(matches("*.read_at", "power.read_at"));
    assert!(!matches("*.read_at", "read_at"));
    assert!(!matches("power.mean_watts", "power.mean_watts.more"));
    assert!(matches("power.interval.**", "power.interval.samples"));
    assert!(!matches("power.interval.**", "power.interval"));
    assert!(matches("a.*.c", "a.17.c"));
}
