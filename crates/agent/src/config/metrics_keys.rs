//! What the keys of `metrics` mean.

use super::keys::{Key, key};

/// The keys of `metrics`.
pub(super) const METRICS_KEYS: &[Key] = &[
    key(
        "metrics.profiles",
        "a list of `native`, `dcgm`, `dcgm-4.9`, `nvidia_smi` and `resource-agent`, or their names with commas",
        "Under which names `/metrics` shows the readings; `?profile=` asks for others. [EXPORTERS.md](EXPORTERS.md) lists them.",
    ),
    key(
        "metrics.node",
        "a text",
        "Name of this node, for profiles that label series with it. Not set: the host's name.",
    ),
    key(
        "metrics.target",
        "a host with a port, such as `gpu-1.example:8003`",
        "Where scrapers reach this agent, as `gpulse targets` and `/api/v1/targets` tell them. Not set: the first address of \
         `bind` that other hosts reach, or `metrics.node` where that is all addresses.",
    ),
    key(
        "metrics.per_process",
        "`true` or `false`",
        "Whether each process has series of its own, `sampler.max_processes` of a GPU at most. They come and go with the processes.",
    ),
    key(
        "metrics.created",
        "`true` or `false`",
        "Whether counters say in OpenMetrics since when they count, which is one more series for each.",
    ),
];
