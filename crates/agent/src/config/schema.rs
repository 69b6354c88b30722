//! The keys of the configuration, their defaults, and the checks that a type cannot express.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use gpulse_models::CommandLines;
use gpulse_sampler::{MAX_INTERVAL, MAX_PROCESSES, MIN_INTERVAL, ProcessSettings};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    addresses::Addresses,
    dashboard::Dashboard,
    duration,
    groups::Groups,
    history::History,
    kubernetes::Kubernetes,
    metrics::Metrics,
    push::{Otlp, RemoteWrite},
    security::{Auth, Mode, Tls},
    system::{Health, Watchdog},
};

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) bind: Addresses,
    #[serde(deserialize_with = "text")]
    pub(crate) agent_id: String,
    #[serde(with = "duration")]
    pub(crate) shutdown_grace: Duration,
    pub(crate) nvml: Nvml,
    pub(crate) sampler: Sampling,
    pub(crate) health: Health,
    pub(crate) watchdog: Watchdog,
    pub(crate) kubernetes: Kubernetes,
    pub(crate) history: History,
    pub(crate) http: Http,
    pub(crate) dashboard: Dashboard,
    pub(crate) metrics: Metrics,
    pub(crate) otlp: Otlp,
    pub(crate) remote_write: RemoteWrite,
    pub(crate) tls: Tls,
    pub(crate) auth: Auth,
    pub(crate) log: Log,
}

/// How NVML is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nvml {
    pub(crate) library: Option<PathBuf>,
    pub(crate) simulate: Option<String>,
    pub(crate) replay: Option<PathBuf>,
    pub(crate) replay_speed: f64,
    pub(crate) replay_loop: bool,
    #[serde(with = "duration")]
    pub(crate) retry_first: Duration,
    #[serde(with = "duration")]
    pub(crate) retry_max: Duration,
}

/// How often GPUs are read, and when one counts as stuck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sampling {
    #[serde(with = "duration")]
    pub(crate) interval: Duration,
    #[serde(with = "duration")]
    pub(crate) slow_interval: Duration,
    #[serde(with = "duration::optional")]
    pub(crate) deadline: Option<Duration>,
    #[serde(with = "duration::optional")]
    pub(crate) stale_after: Option<Duration>,
    pub(crate) command_lines: CommandLines,
    pub(crate) max_processes: usize,
    pub(crate) events: bool,
    pub(crate) groups: Groups,
}

/// How HTTP is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) workers: usize,
    pub(crate) max_connections: usize,
    #[serde(with = "duration")]
    pub(crate) keep_alive: Duration,
    #[serde(with = "duration")]
    pub(crate) request_timeout: Duration,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) insecure: bool,
    pub(crate) unix_socket: Option<PathBuf>,
    pub(crate) unix_socket_mode: Mode,
    pub(crate) unix_socket_group: Option<String>,
    pub(crate) max_connections_per_client: Option<NonZeroUsize>,
    pub(crate) rate_limit: Option<NonZeroU32>,
    pub(crate) rate_burst: Option<NonZeroU32>,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) level: LogLevel,
    pub(crate) format: LogFormat,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// What log lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Auto,
    Human,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: Addresses(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8003))]),
            agent_id: "resource-agent-001".to_owned(),
            shutdown_grace: Duration::from_secs(5),
            nvml: Nvml {
                library: None,
                simulate: None,
                replay: None,
                replay_speed: 1.0,
                replay_loop: false,
                retry_first: Duration::from_secs(1),
                retry_max: Duration::from_secs(60),
            },
            sampler: Sampling {
                interval: Duration::from_secs(1),
                slow_interval: Duration::from_secs(5),
                deadline: None,
                stale_after: None,
                command_lines: ProcessSettings::default().command_lines,
                max_processes: ProcessSettings::default().max_processes,
                events: true,
                groups: Groups::default(),
            },
            health: Health::default(),
            watchdog: Watchdog::default(),
            kubernetes: Kubernetes::default(),
            history: History::default(),
            http: Http {
                workers: 2,
                max_connections: 1_024,
                keep_alive: Duration::from_secs(75),
                request_timeout: Duration::from_secs(5),
                cors_origins: Vec::new(),
                allowed_hosts: Vec::new(),
                insecure: false,
                unix_socket: None,
                unix_socket_mode: Mode(0o660),
                unix_socket_group: None,
                max_connections_per_client: None,
                rate_limit: None,
                rate_burst: None,
            },
            dashboard: Dashboard::default(),
            metrics: Metrics::default(),
            otlp: Otlp::default(),
            remote_write: RemoteWrite::default(),
            tls: Tls::default(),
            auth: Auth::default(),
            log: Log {
                level: LogLevel::Info,
                format: LogFormat::Auto,
            },
        }
    }
}

/// What a stuck read is given at least and at most, unless the configuration says otherwise.
const DEADLINE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

impl Sampling {
    /// Two intervals, within bounds: a hang shows at the second tick that it costs.
    pub(crate) fn effective_deadline(&self) -> Duration {
        self.deadline
            .unwrap_or_else(|| (self.interval * 2).clamp(DEADLINE.0, DEADLINE.1))
    }

    /// Three intervals, and long enough for a hang to show as such: a GPU whose reads are slow is not silent.
    pub(crate) fn effective_stale_after(&self) -> Duration {
        let longest_read = self.effective_deadline() + self.interval;
        self.stale_after
            .unwrap_or_else(|| longest_read.max(self.interval * 3))
    }
}

/// A value out of its range, or values that exclude each other.
pub(super) struct Violation {
    pub(super) key: &'static str,
    pub(super) problem: String,
}

impl Config {
    /// What a type cannot express.
    pub(super) fn check(&self) -> Result<(), Violation> {
        let day = Duration::from_secs(86_400);
        let millisecond = Duration::from_millis(1);
        within(
            "sampler.interval",
            self.sampler.interval,
            MIN_INTERVAL,
            MAX_INTERVAL,
        )?;
        within(
            "sampler.slow_interval",
            self.sampler.slow_interval,
            MIN_INTERVAL,
            MAX_INTERVAL,
        )?;
        within(
            "sampler.deadline",
            self.sampler.effective_deadline(),
            MIN_INTERVAL,
            MAX_INTERVAL,
        )?;
        within(
            "sampler.stale_after",
            self.sampler.effective_stale_after(),
            MIN_INTERVAL,
            day,
        )?;
        within(
            "nvml.retry_first",
            self.nvml.retry_first,
            Duration::from_millis(10),
            day,
        )?;
        within("nvml.retry_max", self.nvml.retry_max, self.nvml.retry_first, day)?;
        within("http.keep_alive", self.http.keep_alive, millisecond, day)?;
        within(
            "http.request_timeout",
            self.http.request_timeout,
            millisecond,
            day,
        )?;
        within(
            "shutdown_grace",
            self.shutdown_grace,
            millisecond,
            Duration::from_secs(600),
        )?;
        within(
            "sampler.max_processes",
            self.sampler.max_processes,
            1,
            MAX_PROCESSES,
        )?;
        if let Some((key, time)) = self.sampler.groups.out_of_range() {
            within(key, time, MIN_INTERVAL, MAX_INTERVAL)?;
        }
        self.health.check()?;
        self.watchdog.check()?;
        self.kubernetes.check()?;
        self.history.check()?;
        self.dashboard.check()?;
        self.metrics.check()?;
        self.otlp.check()?;
        self.remote_write.check()?;
        within("http.workers", self.http.workers, 1, 64)?;
        within("http.max_connections", self.http.max_connections, 1, 1_000_000)?;
        if self.sampler.effective_stale_after() < self.sampler.interval {
            let problem = format!(
                "it is shorter than sampler.interval ({:?}): every GPU would be stale between two reads",
                self.sampler.interval
            );
            return Err(Violation {
                key: "sampler.stale_after",
                problem,
            });
        }
        if let Err(error) = gpulse_api::check_origins(&self.http.cors_origins) {
            return Err(Violation {
                key: "http.cors_origins",
                problem: error.to_string(),
            });
        }
        self.check_security()?;
        if self.agent_id.is_empty() {
            return Err(Violation {
                key: "agent_id",
                problem: "it is empty".to_owned(),
            });
        }
        within("nvml.replay_speed", self.nvml.replay_speed, 0.01, 1_000.0)?;
        if self.nvml.replay.is_some() && (self.nvml.library.is_some() || self.nvml.simulate.is_some()) {
            let problem =
                "nvml.library or nvml.simulate is set as well, and only one of them can be looked at";
            return Err(Violation {
                key: "nvml.replay",
                problem: problem.to_owned(),
            });
        }
        if self.nvml.library.is_some() && self.nvml.simulate.is_some() {
            let problem = "nvml.library is set as well, and only one of them can be loaded".to_owned();
            return Err(Violation {
                key: "nvml.simulate",
                problem,
            });
        }
        Ok(())
    }
}

pub(super) fn within<T: PartialOrd + Copy + fmt::Debug>(
    key: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<(), Violation> {
    if value < least || value > most {
        return Err(Violation {
            key,
            problem: format!("{value:?} is not from {least:?} to {most:?}"),
        });
    }
    Ok(())
}

/// A text, also where the layer that it came from took it for a number.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Text;
    impl de::Visitor<'_> for Text {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }
    deserializer.deserialize_any(Text)
}

impl<'de> Deserialize<'de> for LogLevel {
    /// Takes any case, and Python's names for the levels.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = text(deserializer)?;
        match name.to_ascii_lowercase().as_str() {
            "off" => Ok(Self::Off),
            "error" | "critical" | "fatal" => Ok(Self::Error),
            "warn" | "warning" => Ok(Self::Warn),
            "info" | "notset" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            "trace" => Ok(Self::Trace),
            _ => Err(de::Error::invalid_value(
                de::Unexpected::Str(&name),
                &"a log level",
            )),
        }
    }
}
