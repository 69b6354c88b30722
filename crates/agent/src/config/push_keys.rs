//! What the keys of `otlp` and `remote_write` mean.

use super::keys::{Key, key};

/// Keys whose values are texts in the environment.
pub(super) const PUSH_TEXT_KEYS: [&str; 22] = [
    "otlp.endpoint",
    "otlp.protocol",
    "otlp.compression",
    "otlp.profiles",
    "otlp.resource",
    "otlp.headers_file",
    "otlp.token_file",
    "otlp.username",
    "otlp.password_file",
    "otlp.ca",
    "otlp.certificate",
    "otlp.key",
    "remote_write.endpoint",
    "remote_write.profiles",
    "remote_write.labels",
    "remote_write.headers_file",
    "remote_write.token_file",
    "remote_write.username",
    "remote_write.password_file",
    "remote_write.ca",
    "remote_write.certificate",
    "remote_write.key",
];

const INTERVAL: &str = "a duration from `1s` to `1h`";
const TIMEOUT: &str = "a duration from `100ms` to `5m`";
const BUFFER: &str = "a number from 1048576 to 1073741824";

/// All of them, in the order of the reference.
pub(super) const PUSH_KEYS: &[Key] = &[
    key(
        "otlp.endpoint",
        "a URL such as `http://collector.example:4317`, without credentials",
        "Push to this receiver by OTLP. Not set: OTLP is off. Over HTTP a URL without a path gets `/v1/metrics`. [EXPORTERS.md](EXPORTERS.md#pushing) says what is pushed, and what happens while the receiver is away.",
    ),
    key(
        "otlp.protocol",
        "`grpc` or `http`",
        "How the receiver is spoken to: gRPC, or HTTP with binary messages.",
    ),
    key("otlp.interval", INTERVAL, "How often is pushed."),
    key("otlp.timeout", TIMEOUT, "How long an attempt may take."),
    key(
        "otlp.compression",
        "`gzip` or `none`",
        "How messages are compressed.",
    ),
    key(
        "otlp.profiles",
        "a list of `native`, `dcgm`, `dcgm-4.9`, `nvidia_smi` and `resource-agent`, or their names with commas",
        "Naming profiles that are pushed beside the names of OpenTelemetry.",
    ),
    key(
        "otlp.resource",
        "a list of texts `name=value`, or one text with commas",
        "Attributes of the resource, beside `service.name`, `service.version`, `service.instance.id` and `host.name`, which they can replace. One with an empty value is left out.",
    ),
    key(
        "otlp.headers_file",
        "a path",
        "File with headers to send, a line `Name: value` each. It is read for each batch.",
    ),
    key(
        "otlp.token_file",
        "a path",
        "File with a bearer token. It is read for each batch.",
    ),
    key(
        "otlp.username",
        "a text, with `otlp.password_file`",
        "Name of the user to be.",
    ),
    key(
        "otlp.password_file",
        "a path, with `otlp.username`",
        "File with the password of that user. It is read for each batch.",
    ),
    key(
        "otlp.ca",
        "a path",
        "PEM file with the authorities of the receiver's certificate. Not set: those of the system. It is read for each batch.",
    ),
    key(
        "otlp.certificate",
        "a path, with `otlp.key`",
        "PEM file with a certificate to show. It is read for each batch.",
    ),
    key(
        "otlp.key",
        "a path, with `otlp.certificate`",
        "PEM file with the private key of that certificate. It is read for each batch.",
    ),
    key(
        "otlp.buffer_bytes",
        BUFFER,
        "How much may wait for the receiver, compressed; beyond that the oldest batches are dropped.",
    ),
    key(
        "remote_write.endpoint",
        "a URL such as `http://prometheus.example:9090/api/v1/write`, without credentials",
        "Push to this receiver by Prometheus remote write. Not set: it is off. [EXPORTERS.md](EXPORTERS.md#pushing) says what is pushed, and what happens while the receiver is away.",
    ),
    key("remote_write.interval", INTERVAL, "How often is pushed."),
    key("remote_write.timeout", TIMEOUT, "How long an attempt may take."),
    key(
        "remote_write.profiles",
        "a list of `native`, `dcgm`, `dcgm-4.9`, `nvidia_smi` and `resource-agent`, or their names with commas",
        "Under which names is pushed.",
    ),
    key(
        "remote_write.labels",
        "a list of texts `name=value`, or one text with commas",
        "Labels of all series that do not have them themselves, beside `job=gpulse` and `instance`, the `agent_id` or where that is not set the `metrics.node`, which they can replace. One with an empty value is left out.",
    ),
    key(
        "remote_write.headers_file",
        "a path",
        "File with headers to send, a line `Name: value` each, such as `X-Scope-OrgID`. It is read for each batch.",
    ),
    key(
        "remote_write.token_file",
        "a path",
        "File with a bearer token. It is read for each batch.",
    ),
    key(
        "remote_write.username",
        "a text, with `remote_write.password_file`",
        "Name of the user to be.",
    ),
    key(
        "remote_write.password_file",
        "a path, with `remote_write.username`",
        "File with the password of that user. It is read for each batch.",
    ),
    key(
        "remote_write.ca",
        "a path",
        "PEM file with the authorities of the receiver's certificate. Not set: those of the system. It is read for each batch.",
    ),
    key(
        "remote_write.certificate",
        "a path, with `remote_write.key`",
        "PEM file with a certificate to show. It is read for each batch.",
    ),
    key(
        "remote_write.key",
        "a path, with `remote_write.certificate`",
        "PEM file with the private key of that certificate. It is read for each batch.",
    ),
    key(
        "remote_write.buffer_bytes",
        BUFFER,
        "How much may wait for the receiver, compressed; beyond that the oldest batches are dropped.",
    ),
];
