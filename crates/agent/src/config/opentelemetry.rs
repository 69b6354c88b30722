//! The variables that OpenTelemetry gives every exporter of metrics, for platforms that set them in all their pods.
//!
//! Each goes by its name for metrics (`OTEL_EXPORTER_OTLP_METRICS_…`) or else by the one for all signals
//! (`OTEL_EXPORTER_OTLP_…`), as OpenTelemetry's specification has it.

use figment::value::Value;
use gpulse_exporters::{Headers, listed};

use super::{
    ConfigError,
    layers::{Layer, variable},
};

/// The name of this layer.
pub(super) const NAME: &str = "OpenTelemetry";

const OF_METRICS: &str = "OTEL_EXPORTER_OTLP_METRICS_";
const OF_ALL: &str = "OTEL_EXPORTER_OTLP_";
const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const SERVICE: &str = "OTEL_SERVICE_NAME";
const SERVICE_ATTRIBUTE: &str = "service.name";

/// Where metrics go below an address that is that of all signals.
const PATH: &str = "/v1/metrics";

/// Keys whose values are taken over, with the end of their variable's name.
const SIMPLE: [(&str, &str); 4] = [
    ("otlp.compression", "COMPRESSION"),
    ("otlp.ca", "CERTIFICATE"),
    ("otlp.certificate", "CLIENT_CERTIFICATE"),
    ("otlp.key", "CLIENT_KEY"),
];

/// What the variables say; nothing where they say that metrics are not to be exported by OTLP.
pub(super) fn layer() -> Layer {
    let mut layer = Layer::named(NAME);
    if is_off() {
        return layer;
    }
    if let Some(endpoint) = exporter("ENDPOINT") {
        let protocol = exporter("PROTOCOL").map_or("http/protobuf".to_owned(), |(_, protocol)| protocol);
        layer.set("otlp.endpoint", Value::from(address(endpoint, &protocol)));
        layer.set("otlp.protocol", Value::from(protocol_named(&protocol)));
    } else if let Some((_, protocol)) = exporter("PROTOCOL") {
        layer.set("otlp.protocol", Value::from(protocol_named(&protocol)));
    }
    for (key, end) in SIMPLE {
        if let Some((_, value)) = exporter(end) {
            layer.set(key, Value::from(value));
        }
    }
    let times = [
        ("otlp.timeout", exporter("TIMEOUT").map(|(_, time)| time)),
        ("otlp.interval", variable(INTERVAL)),
    ];
    for (key, time) in times {
        if let Some(time) = time {
            layer.set(key, Value::from(in_milliseconds(time)));
        }
    }
    if let Some(resource) = resource() {
        layer.set("otlp.resource", resource);
    }
    layer
}

/// The headers to send.
///
/// # Errors
///
/// If the variable is no list of headers. Its value is not repeated.
pub(super) fn headers() -> Result<Headers, ConfigError> {
    let Some((name, list)) = exporter("HEADERS").filter(|_| !is_off()) else {
        return Ok(Headers::default());
    };
    Headers::listed(&list).map_err(|error| ConfigError::in_variable(&name, &error.to_string()))
}

/// The variable that `key` comes from.
pub(super) fn variable_of(key: &str) -> String {
    let simple = SIMPLE
        .iter()
        .find(|(simple, _)| *simple == key)
        .map(|(_, end)| *end);
    let end = match key {
        "otlp.endpoint" => Some("ENDPOINT"),
        "otlp.protocol" => Some("PROTOCOL"),
        "otlp.timeout" => Some("TIMEOUT"),
        _ => simple,
    };
    let found = end.map(|end| exporter(end).map_or_else(|| format!("{OF_ALL}{end}"), |(name, _)| name));
    found.unwrap_or_else(|| match key {
        "otlp.interval" => INTERVAL.to_owned(),
        _ if variable(RESOURCE).is_some() => RESOURCE.to_owned(),
        _ => SERVICE.to_owned(),
    })
}

fn is_off() -> bool {
    let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let elsewhere = variable("OTEL_METRICS_EXPORTER")
        .is_some_and(|list| list.split(',').all(|exporter| exporter.trim() != "otlp"));
    disabled || elsewhere
}

/// The variable of metrics or else that of all signals, with its value.
fn exporter(end: &str) -> Option<(String, String)> {
    [OF_METRICS, OF_ALL].into_iter().find_map(|prefix| {
        let name = format!("{prefix}{end}");
        variable(&name).map(|value| (name, value))
    })
}

/// Over HTTP the address of all signals is where their paths begin, and that of metrics is where they go.
fn address((name, address): (String, String), protocol: &str) -> String {
    if protocol == "grpc" || name.starts_with(OF_METRICS) {
        return address;
    }
    format!("{}{PATH}", address.trim_end_matches('/'))
}

/// What is not known here is left as it is, to be refused.
fn protocol_named(protocol: &str) -> String {
    match protocol {
        "http/protobuf" => "http".to_owned(),
        other => other.to_owned(),
    }
}

fn in_milliseconds(time: String) -> String {
    match time.parse::<u64>() {
        Ok(milliseconds) => format!("{milliseconds}ms"),
        Err(_) => time,
    }
}

/// The attributes, as a list of texts. One that is not understood is left as it is, to be refused.
fn resource() -> Option<Value> {
    let service = variable(SERVICE);
    let listed = match variable(RESOURCE).map(|text| (listed(&text), text)) {
        Some((Err(_), text)) => return Some(Value::from(text)),
        Some((Ok(pairs), _)) => pairs,
        None => Vec::new(),
    };
    let others = listed
        .into_iter()
        .filter(|(name, _)| service.is_none() || name != SERVICE_ATTRIBUTE);
    let named = service
        .iter()
        .map(|name| (SERVICE_ATTRIBUTE.to_owned(), name.clone()));
    let texts: Vec<_> = others
        .chain(named)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (!texts.is_empty()).then(|| Value::from(texts))
}
