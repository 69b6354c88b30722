//! What each key means: for the reference, for error messages and for the origin of a value.

use std::fmt::Write;

use figment::value::Value;

use super::{
    dashboard::DASHBOARD_KEYS, history_keys::HISTORY_KEYS, metrics_keys::METRICS_KEYS, push_keys::PUSH_KEYS,
    schema::Config, security_keys::SECURITY_KEYS,
};

/// One key of the configuration.
pub(super) struct Key {
    pub(super) path: &'static str,
    pub(super) flag: Option<&'static str>,
    pub(super) permitted: &'static str,
    pub(super) meaning: &'static str,
}

pub(super) const fn key(path: &'static str, permitted: &'static str, meaning: &'static str) -> Key {
    Key {
        path,
        flag: None,
        permitted,
        meaning,
    }
}

/// When a group of readings is read.
const fn group(path: &'static str, meaning: &'static str) -> Key {
    key(
        path,
        "`tick` (with every `sampler.interval`), `slow` (every `sampler.slow_interval`), `off`, or a duration from `10ms` to `1h`",
        meaning,
    )
}

pub(super) const fn flagged(
    path: &'static str,
    flag: &'static str,
    permitted: &'static str,
    meaning: &'static str,
) -> Key {
    Key {
        path,
        flag: Some(flag),
        permitted,
        meaning,
    }
}

/// All keys, in the order of the reference.
pub(super) fn all() -> impl Iterator<Item = &'static Key> {
    KEYS.iter()
        .chain(HISTORY_KEYS)
        .chain(DASHBOARD_KEYS)
        .chain(METRICS_KEYS)
        .chain(PUSH_KEYS)
        .chain(SECURITY_KEYS)
}

/// All keys but those with a file of their own.
const KEYS: &[Key] = &[
    flagged(
        "bind",
        "--bind",
        "`IP:PORT`, such as `127.0.0.1:8003` or `[::1]:8003`, or a list of these; port 0 takes any free one",
        "Addresses to serve on. Those that other hosts reach ask for `auth.…`, `tls.client_ca` or `http.insecure`.",
    ),
    flagged(
        "agent_id",
        "--agent-id",
        "a text that is not empty",
        "Name of this agent: `instance_id` in `/gpu/metrics`, `agent_id` in `/health/`.",
    ),
    key(
        "shutdown_grace",
        "a duration from `1ms` to `10m`",
        "How long requests in flight may take after SIGTERM or SIGINT before the process ends.",
    ),
    flagged(
        "nvml.library",
        "--nvml-library",
        "a path",
        "The NVML library to load. Not set: it is searched for where drivers put it.",
    ),
    flagged(
        "nvml.simulate",
        "--simulate",
        "a name that `gpulse profiles` lists, or the path of a profile file",
        "Serve simulated GPUs by the library that lies beside the binary. Excludes `nvml.library`.",
    ),
    flagged(
        "nvml.replay",
        "--replay",
        "the path of a file that `gpulse record` wrote",
        "Play a recording in place of reading GPUs, with its times moved to now ([HISTORY.md](HISTORY.md)). Excludes `nvml.library` \
         and `nvml.simulate`.",
    ),
    flagged(
        "nvml.replay_speed",
        "--replay-speed",
        "a number from 0.01 to 1000",
        "How many seconds of the recording are played in a second.",
    ),
    flagged(
        "nvml.replay_loop",
        "--loop",
        "`true` or `false`",
        "Whether the recording begins anew at its end. Otherwise its GPUs turn stale then.",
    ),
    key(
        "nvml.retry_first",
        "a duration from `10ms` to `1day`",
        "Pause after the first failed attempt to initialise NVML; it doubles from there, give or take a fifth.",
    ),
    key(
        "nvml.retry_max",
        "a duration from `nvml.retry_first` to `1day`",
        "The longest such pause.",
    ),
    flagged(
        "sampler.interval",
        "--interval",
        "a duration from `10ms` to `1h`",
        "From one read of a GPU to the next.",
    ),
    key(
        "sampler.slow_interval",
        "a duration from `10ms` to `1h`",
        "From one read of what is `slow` to the next; it is read together with the tick that follows.",
    ),
    key(
        "sampler.deadline",
        "a duration from `10ms` to `1h`",
        "A read that takes longer makes the GPU `hung`. Not set: two intervals, at least `1s` and at most `10s`.",
    ),
    key(
        "sampler.stale_after",
        "a duration from `sampler.interval` to `1day`",
        "A last sample that is older makes the GPU `stale`. Not set: three intervals, and at least `sampler.deadline` with one interval.",
    ),
    key(
        "sampler.command_lines",
        "`off`, `executable` or `full`",
        "What is kept of the command lines of processes on GPUs. `executable`: the program without its arguments, which may be secrets. `off`: they are not even read.",
    ),
    key(
        "sampler.max_processes",
        "a number from 1 to 1024",
        "How many processes of a GPU are described, those with the most memory first; the others are summed.",
    ),
    key(
        "sampler.events",
        "`true` or `false`",
        "Whether to wait for what the driver reports by itself, such as XIDs.",
    ),
    group("sampler.groups.load", "When it is read how busy the engines are."),
    group(
        "sampler.groups.activity",
        "When the performance monitor (GPM) is read, on Hopper and later.",
    ),
    group("sampler.groups.memory", "When device memory is read."),
    group("sampler.groups.power", "When draw, limits and energy are read."),
    group("sampler.groups.thermal", "When temperatures and fans are read."),
    group(
        "sampler.groups.clocks",
        "When clocks are read, and why they are lower than they could be.",
    ),
    group(
        "sampler.groups.mig",
        "When it is read into which MIG instances a GPU is cut, and what each of them does.",
    ),
    group(
        "sampler.groups.pcie",
        "When the PCIe link is read. Where a GPU does not count bytes this takes 40 ms.",
    ),
    group("sampler.groups.nvlink", "When NVLinks are read."),
    group(
        "sampler.groups.reliability",
        "When ECC counts, retired pages, remapped rows and the fabric's state are read.",
    ),
    group("sampler.groups.modes", "When it is read what is switched on."),
    group(
        "sampler.groups.sessions",
        "When sessions of encoding and capture, vGPUs and accounts are read.",
    ),
    group(
        "sampler.groups.processes",
        "When it is read who is on a GPU, which costs milliseconds on real drivers.",
    ),
    key(
        "health.expected_gpus",
        "`auto`, `off`, or a number from 0 to 1024",
        "How many GPUs the machine should have; one that NVML does not know is missing in `/health/detailed` and \
         `/api/v1/host`. `auto`: NVIDIA's GPUs among the PCI devices, unless they are bound to another driver than \
         `nvidia`. A container that is given some of the GPUs only needs a number.",
    ),
    key(
        "health.sysfs_root",
        "a path",
        "Where the kernel shows its devices. Simulated GPUs are compared with those of another place than `/sys` only.",
    ),
    key(
        "health.interval",
        "a duration from `10ms` to `1day`",
        "From one look at the PCI devices to the next. When the roster of GPUs changes, there is one more.",
    ),
    key(
        "watchdog.on_total_hang",
        "`wait` or `restart`",
        "What happens once nothing of NVML returns any more: every GPU is `hung`, or NVML's initialisation is stuck. \
         `restart`: the service manager is told that the watchdog has run out (`WATCHDOG=trigger`), and starts the \
         agent anew. Not while the GPUs are parked. Without systemd this does nothing.",
    ),
    key(
        "watchdog.total_hang_after",
        "a duration from `10ms` to `1day`",
        "How long that has to last without a break.",
    ),
    key(
        "kubernetes.pod_resources_socket",
        "an absolute path, or `\"\"` or `false` to ask nobody",
        "The socket at which the kubelet says which pods hold which GPUs (PodResources API). Where there is none, that is \
         not known, and nothing else changes.",
    ),
    key(
        "kubernetes.interval",
        "a duration from `100ms` to `1h`",
        "From one question to the kubelet to the next. The pause grows while it does not answer; what it said last is \
         believed for six intervals.",
    ),
    key(
        "kubernetes.resource_names",
        "a list of names such as `[\"example.com/gpu\"]`; one that ends in `*` is what names begin with",
        "Resources whose devices are GPUs, beside `nvidia.com/gpu`, `nvidia.com/gpu.shared` and `nvidia.com/mig-*`.",
    ),
    key(
        "http.workers",
        "a number from 1 to 64",
        "Threads that answer requests.",
    ),
    key(
        "http.max_connections",
        "a number from 1 to 1000000",
        "Connections that are kept open at a time; further ones wait.",
    ),
    key(
        "http.keep_alive",
        "a duration from `1ms` to `1day`",
        "How long an idle connection is kept open.",
    ),
    key(
        "http.request_timeout",
        "a duration from `1ms` to `1day`",
        "How long a client may take to send a request once it has begun, and for the TLS handshake. It is cut after at most twice that.",
    ),
    key(
        "http.cors_origins",
        "a list of origins such as `[\"https://grafana.example\"]`, or `[\"*\"]`",
        "Web pages of these origins may read the answers. Empty: CORS is off. Credentials are never allowed.",
    ),
    flagged(
        "log.level",
        "--log-level",
        "`off`, `error`, `warn`, `info`, `debug` or `trace`",
        "How much is logged. Each request is a line at `debug`.",
    ),
    flagged(
        "log.format",
        "--log-format",
        "`auto`, `human` or `json`",
        "What log lines look like. `auto`: human-readable on a terminal, JSON otherwise.",
    ),
];

/// What may be written for `path`.
pub(super) fn permitted(path: &str) -> Option<&'static str> {
    all().find(|key| key.path == path).map(|key| key.permitted)
}

/// The value at `path`, written as TOML; nothing if it is not set.
pub(super) fn literal(config: &Config, path: &str) -> Option<String> {
    let value = Value::serialize(config).ok()?.find(path)?;
    match value {
        Value::Empty(..) => None,
        value => serde_json::to_string(&value).ok(),
    }
}

/// The environment variable of `path`.
pub(super) fn variable(path: &str) -> String {
    format!("GPULSE_{}", path.to_ascii_uppercase().replace('.', "__"))
}

/// The reference of all keys, as Markdown.
pub(crate) fn reference() -> String {
    let mut text = String::from(INTRODUCTION);
    let defaults = Config::default();
    for key in all() {
        let default =
            literal(&defaults, key.path).map_or_else(|| "not set".to_owned(), |value| format!("`{value}`"));
        let flag = key
            .flag
            .map_or_else(String::new, |flag| format!(" · flag `{flag}`"));
        let variable = variable(key.path);
        let _ = write!(
            text,
            "\n### `{}`\n\n{}\n\nDefault {default} · permitted: {} · environment `{variable}`{flag}\n",
            key.path, key.meaning, key.permitted
        );
    }
    text
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from crates/agent/src/config by `cargo xtask codegen`. -->

Each value comes from the topmost layer that gives it:

1. flags of `gpulse serve`
2. environment variables `GPULSE_…`, with `__` between section and key
3. the environment variables `OTEL_…` that OpenTelemetry gives exporters of metrics, as [EXPORTERS.md](EXPORTERS.md#pushing) lists them
4. the environment variables `AGENT_ID`, `PORT` and `LOG_LEVEL`, for those who come from the Python agent
5. the file named by `--config` or `GPULSE_CONFIG`, or else `/etc/gpulse/gpulse.toml` if there is one
6. the default

`gpulse config` prints what came out, with the origin of each value; what it prints is a valid configuration file.
An unknown key or a value that is not permitted ends the program with the key, where it was set, and what is
permitted. Durations are written with their unit: `250ms`, `1s`, `5m`.

```toml
# gpulse.toml
bind = \"127.0.0.1:8003\"

[sampler]
interval = \"1s\"
```

## Keys
";

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths of all leaves of a serialised configuration.
    fn leaves(prefix: &str, value: &Value, found: &mut Vec<String>) {
        match value.as_dict() {
            Some(dict) => {
                for (name, value) in dict {
                    let path = if prefix.is_empty() {
                        name.clone()
                    } else {
                        format!("{prefix}.{name}")
                    };
                    leaves(&path, value, found);
                }
            }
            None => found.push(prefix.to_owned()),
        }
    }

    #[test]
    fn every_key_is_described_and_no_other() {
        let mut existing = Vec::new();
        leaves("", &Value::serialize(Config::default()).unwrap(), &mut existing);
        let mut described: Vec<_> = all().map(|key| key.path.to_owned()).collect();
        existing.sort();
        described.sort();
        assert_eq!(described, existing);
    }

    #[test]
    fn every_flag_is_one_of_the_command_line() {
        use clap::CommandFactory;
        let cli = crate::cli::Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        for flag in all().filter_map(|key| key.flag) {
            let name = flag.trim_start_matches("--");
            assert!(
                serve
                    .get_arguments()
                    .any(|argument| argument.get_long() == Some(name)),
                "{flag}"
            );
        }
    }
}
