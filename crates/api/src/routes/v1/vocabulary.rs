//! The keys that `?fields=` knows on each route, from the tables of readings.

use std::sync::LazyLock;

use gpulse_models::{
    HostTotals, ProcessRow, TopologyOverview,
    catalogue::{Catalogued as _, Group},
};

use super::{pods, selection::Word};

/// Keys of a GPU that are no group of readings.
const ABOUT_GPU: [&str; 9] = [
    "index",
    "uuid",
    "state",
    "state_since",
    "sequence",
    "failures",
    "overruns",
    "dropped",
    "sampled_at",
];

/// Keys of a GPU.
pub(crate) static GPU: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let about = ABOUT_GPU.into_iter().map(Word::leaf);
    let error = parts("last_error", &["reason", "call", "message", "at"]);
    let groups = Group::ALL.into_iter().map(|group| {
        let mut below = Word::all(group.metrics());
        if group.is_configurable() {
            below.insert(0, Word::leaf("read_at"));
        }
        Word::part(group.as_str(), below)
    });
    let pods = Word::list("pods", pods::KEYS.into_iter().map(Word::leaf).collect());
    about.chain([error, pods]).chain(groups).collect()
});

/// Keys of a process.
pub(crate) static PROCESS: LazyLock<Vec<Word>> = LazyLock::new(|| Word::all(ProcessRow::METRICS));

/// Keys of the topology.
pub(crate) static TOPOLOGY: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let mut words = Word::all(TopologyOverview::METRICS);
    words.insert(0, Word::leaf("read_at"));
    words
});

/// Keys of the host.
pub(crate) static HOST: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let mut totals = Word::all(HostTotals::METRICS);
    totals.push(parts(
        "counted",
        &HostTotals::METRICS
            .iter()
            .map(|metric| metric.key)
            .collect::<Vec<_>>(),
    ));
    vec![
        parts("agent", &["id", "version", "started_at", "instance"]),
        parts(
            "driver",
            &[
                "status",
                "reason",
                "message",
                "hint",
                "driver_version",
                "cuda_driver_version",
                "nvml_version",
                "library",
                "simulated",
            ],
        ),
        parts("gpus", &["total", "ok", "stale", "hung", "lost", "unavailable"]),
        parts("expected", &["count", "found", "missing"]),
        parts(
            "kubernetes",
            &["read_at", "reason", "message", "held_devices", "omitted"],
        ),
        Word::part("totals", totals),
        parts("events", &["kinds", "xids", "other_xids", "dropped", "unwatched"]),
    ]
});

fn parts(key: &'static str, below: &[&'static str]) -> Word {
    Word::part(key, below.iter().copied().map(Word::leaf).collect())
}
