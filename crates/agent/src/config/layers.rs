//! Puts the layers together: defaults < file < the Python agent's variables < OpenTelemetry's < `GPULSE_…` < flags.

use std::path::Path;

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Env, Format, Serialized, Toml},
    value::{Dict, Map, Value},
};

use super::{
    Config, ConfigError, Loaded, addresses::Addresses, keys, opentelemetry, push_keys::PUSH_TEXT_KEYS,
};
use crate::cli::Settings;

/// The file that is read if no other is named, and if it exists.
const DEFAULT_FILE: &str = "/etc/gpulse/gpulse.toml";

const PREFIX: &str = "GPULSE_";
const FLAGS: &str = "command line";
const DEFAULTS: &str = "default";
const TEXTS: &str = "environment";
const SEED_VARIABLES: &str = "AGENT_ID, PORT, LOG_LEVEL";

/// Loads and checks the configuration.
pub(crate) fn load(flags: &Settings) -> Result<Loaded, ConfigError> {
    let mut layers = Figment::from(Layer::of(DEFAULTS, &Config::default()));
    layers = match &flags.config {
        Some(file) => layers.merge(Toml::file_exact(file)),
        None if Path::new(DEFAULT_FILE).exists() => layers.merge(Toml::file_exact(DEFAULT_FILE)),
        None => layers,
    };
    let seed = seed_variables(&layers)?;
    layers = layers
        .merge(seed)
        .merge(opentelemetry::layer())
        .merge(environment())
        .merge(texts())
        .merge(flag_layer(flags));
    let mut config: Config = layers
        .extract()
        .map_err(|error| ConfigError::from_figment(&error))?;
    config.otlp.headers = opentelemetry::headers()?;
    config
        .check()
        .map_err(|violation| ConfigError::from_violation(violation, &layers))?;
    Ok(Loaded { config, layers })
}

/// Keys whose values are texts: what looks like a number in the environment is the name that it is.
const TEXT_KEYS: [&str; 19] = [
    "agent_id",
    "metrics.node",
    "metrics.target",
    "metrics.profiles",
    "http.unix_socket",
    "http.unix_socket_mode",
    "http.unix_socket_group",
    "tls.certificate",
    "tls.key",
    "tls.client_ca",
    "auth.tokens_file",
    "auth.users_file",
    "nvml.library",
    "nvml.simulate",
    "nvml.replay",
    "health.sysfs_root",
    "history.directory",
    "log.level",
    "log.format",
];

/// `GPULSE_…`, but for the configuration file's own path, the token of commands that ask an agent, and for what Kubernetes sets in every pod.
fn environment() -> Env {
    Env::prefixed(PREFIX)
        .filter(|name| {
            name != "config" && name != "token" && !is_kubernetes(name.as_str()) && !is_plain(name.as_str())
        })
        .split("__")
}

/// Whether the variable of this name is to be taken as the text that it is. figment unescapes what has a backslash, and
/// panics at one that comes after a character of several bytes.
fn is_plain(name: &str) -> bool {
    variable(&format!("{PREFIX}{}", name.to_ascii_uppercase()))
        .is_some_and(|value| value.contains('\\') && !value.is_ascii())
}

/// Kubernetes describes each service to its pods: beside one named `gpulse` there is `GPULSE_SERVICE_HOST`,
/// `GPULSE_PORT=tcp://…` and `GPULSE_PORT_8003_TCP_ADDR`, beside `gpulse-agent` the same with `GPULSE_AGENT_`.
fn is_kubernetes(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let service = ["service_host", "service_port"]
        .iter()
        .any(|part| name.ends_with(part));
    let port_of_service = name.contains("service_port_");
    let protocol = ["tcp", "udp", "sctp"].iter().any(|protocol| {
        let part = format!("_{protocol}");
        name.contains("port_") && (name.ends_with(&part) || name.contains(&format!("{part}_")))
    });
    let value = variable(&format!("{PREFIX}{}", name.to_ascii_uppercase())).unwrap_or_default();
    let link = name.ends_with("port")
        && ["tcp://", "udp://", "sctp://"]
            .iter()
            .any(|scheme| value.starts_with(scheme));
    service || port_of_service || protocol || link
}

/// The variables of [`TEXT_KEYS`] and those that figment cannot read, as they are.
fn texts() -> Layer {
    let mut layer = Layer::named(TEXTS);
    for key in keys::all().map(|key| key.path) {
        let name = keys::variable(key);
        let text = TEXT_KEYS.contains(&key) || PUSH_TEXT_KEYS.contains(&key);
        let wanted = text || name.strip_prefix(PREFIX).is_some_and(is_plain);
        if let Some(value) = variable(&name).filter(|_| wanted) {
            layer.set(key, Value::from(value));
        }
    }
    layer
}

/// The variables of the Python agent. `PORT` changes the port of the address that the layers below gave.
fn seed_variables(below: &Figment) -> Result<Layer, ConfigError> {
    let mut layer = Layer::named(SEED_VARIABLES);
    if let Some(name) = variable("AGENT_ID") {
        layer.set("agent_id", Value::from(name));
    }
    if let Some(level) = variable("LOG_LEVEL") {
        layer.set("log.level", Value::from(level));
    }
    if let Some(port) = variable("PORT") {
        let bind: Addresses = below
            .extract_inner("bind")
            .map_err(|error| ConfigError::from_figment(&error))?;
        let bind = match port.parse() {
            Ok(port) => Value::serialize(bind.with_port(port)).unwrap_or_else(|_| Value::from(port)),
            // Not a port: the check of `bind` refuses it, with its origin.
            Err(_) => Value::from(port),
        };
        layer.set("bind", bind);
    }
    Ok(layer)
}

/// The value of an environment variable, if it has one that is not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn flag_layer(flags: &Settings) -> Layer {
    let mut layer = Layer::named(FLAGS);
    let path = |path: &std::path::PathBuf| path.display().to_string();
    let given = [
        ("agent_id", flags.agent_id.clone()),
        ("sampler.interval", flags.interval.clone()),
        ("nvml.library", flags.nvml_library.as_ref().map(path)),
        ("nvml.simulate", flags.simulate.clone()),
        ("nvml.replay", flags.replay.as_ref().map(path)),
        ("log.level", flags.log_level.clone()),
        ("log.format", flags.log_format.clone()),
    ];
    match flags.bind.as_slice() {
        [] => {}
        [one] => layer.set("bind", Value::from(one.clone())),
        several => layer.set("bind", Value::from(several.to_vec())),
    }
    if let Some(speed) = &flags.replay_speed {
        let number = speed.parse::<f64>().map(Value::from);
        layer.set(
            "nvml.replay_speed",
            number.unwrap_or_else(|_| Value::from(speed.clone())),
        );
    }
    if flags.replay_loop {
        layer.set("nvml.replay_loop", Value::from(true));
    }
    if flags.insecure {
        layer.set("http.insecure", Value::from(true));
    }
    for (key, value) in given {
        if let Some(value) = value {
            layer.set(key, Value::from(value));
        }
    }
    layer
}

/// Where a value came from, for a person.
pub(super) fn origin(metadata: &Metadata, key: &str) -> String {
    match metadata.name.as_ref() {
        DEFAULTS => DEFAULTS.to_owned(),
        TEXTS => format!("environment variable {}", keys::variable(key)),
        FLAGS => {
            let flag = keys::all()
                .find(|known| known.path == key)
                .and_then(|known| known.flag);
            flag.map_or_else(|| FLAGS.to_owned(), |flag| format!("flag {flag}"))
        }
        opentelemetry::NAME => format!("environment variable {}", opentelemetry::variable_of(key)),
        SEED_VARIABLES => {
            let name = match key {
                "bind" => "PORT",
                "log.level" => "LOG_LEVEL",
                _ => "AGENT_ID",
            };
            format!("environment variable {name}")
        }
        _ => match &metadata.source {
            Some(source) => format!("{source}"),
            None => format!("environment variable {}", keys::variable(key)),
        },
    }
}

/// A layer with a name of ours.
pub(super) struct Layer {
    name: &'static str,
    values: Dict,
}

impl Layer {
    /// One without values.
    pub(super) fn named(name: &'static str) -> Self {
        Self {
            name,
            values: Dict::new(),
        }
    }

    fn of(name: &'static str, config: &Config) -> Self {
        let values = Serialized::defaults(config).data().ok();
        let values = values
            .and_then(|mut profiles| profiles.remove(&Profile::Default))
            .unwrap_or_default();
        Self { name, values }
    }

    /// Sets `section.key`.
    pub(super) fn set(&mut self, path: &str, value: Value) {
        match path.split_once('.') {
            None => {
                self.values.insert(path.to_owned(), value);
            }
            Some((section, key)) => {
                let section = self
                    .values
                    .entry(section.to_owned())
                    .or_insert_with(|| Value::from(Dict::new()));
                if let Value::Dict(_, dict) = section {
                    dict.insert(key.to_owned(), value);
                }
            }
        }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

#[cfg(test)]
#[path = "push_tests.rs"]
mod push_tests;
#[cfg(test)]
#[path = "security_tests.rs"]
mod security_tests;
#[cfg(test)]
#[path = "tests.rs"]
mod tests;
