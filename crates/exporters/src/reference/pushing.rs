//! What the reference says of pushing: the rules, and the table of OpenTelemetry.

use crate::otlp::METRICS;

/// The part about pushing.
pub(super) fn pushing() -> String {
    let mut text = PUSHING.to_owned();
    for metric in METRICS {
        for series in metric.series {
            let attribute = |(name, value): &(&str, &str)| format!("`{name}={value}`");
            let attributes: Vec<_> = series.attributes.iter().map(attribute).collect();
            text += &format!(
                "| `{}` | {} | `{}` | {} | {} | {} |\n",
                metric.name,
                metric.instrument.as_str(),
                metric.unit,
                attributes.join(", "),
                series.source,
                metric.help
            );
        }
    }
    text
}

/// How the same is pushed, up to the rows of the table of OpenTelemetry.
const PUSHING: &str = "
## Pushing

The agent can also push: by OTLP to a collector of OpenTelemetry (`otlp.endpoint`), and by Prometheus remote write 1.0
(`remote_write.endpoint`). Both are off unless their endpoint is set; [CONFIG.md](CONFIG.md) has the keys.

Each exporter is a thread of its own with a bounded buffer. At its `interval` it encodes the latest snapshot into one batch,
and it sends batches in the order in which they were made. A receiver that is down, slow or refuses costs the sampling of
GPUs and the HTTP routes nothing.

- **Tried again**, after pauses that double from 1 s to 60 s with a part left to chance, and not before the time that the
  receiver asks for (`Retry-After`, or `RetryInfo` over gRPC; 10 min at most): what finds no receiver or no answer within
  `timeout`; by OTLP the statuses 429, 502, 503, 504 and their equivalents of gRPC; by remote write 429 and all from 500 on.
- **Dropped**, and counted by reason: what the receiver refuses in any other way (`rejected`, `unauthorized`, `too_large`); the
  oldest batches if more than `buffer_bytes` wait (`buffer_full`); what has waited for an hour (`expired`).
- **At the end** of the agent one last batch is made and what waits is sent, within `shutdown_grace`.
- **Nothing is pushed** while no part of the agent confirms what the snapshot says: old values never get a new time.

`gpulse_push_…` of the profile `native` tell how it goes.

Secrets are in files (`headers_file`, `token_file`, `password_file`), which are read for each batch, as are certificates: what
is renewed there holds from the next batch on. A proxy is used for HTTP, not for gRPC, if the environment names one
(`HTTPS_PROXY`). Redirects are not followed.

### Remote write

The profiles of `remote_write.profiles`, under the names above. Each series has the labels of `remote_write.labels` that it
does not have itself, `job=\"gpulse\"` and `instance`, which is `agent_id` or, where that is not set, `metrics.node`, unless they say otherwise. All samples of a batch have
the time at which it was made, as those of a scrape do. A series that ends, because its GPU is lost for example, is marked
as stale in the next batch, so that queries see it at once and not after five minutes.

### OTLP

The names of the semantic conventions for hardware, version 1.44, which are in development; `otlp.profiles` adds naming
profiles in a scope of their own. Each point has the time at which its reading was read; the status, limits and the points of
profiles have that of the batch. Sums are cumulative. Those of the agent's own work
begin when it started; when the driver began to count is not known, so that a stream of it begins with its first point, as the data
model has it: what was counted before is not taken for new. Where such a sum falls, it begins anew.

The variables that OpenTelemetry gives exporters are honoured, below `GPULSE_…` and above the configuration file:
`OTEL_EXPORTER_OTLP_ENDPOINT` (to which `/v1/metrics` is added over HTTP), `…_PROTOCOL` (`http/protobuf`, which is the default beside that
endpoint, or `grpc`), `…_HEADERS`, `…_TIMEOUT`, `…_COMPRESSION`, `…_CERTIFICATE`, `…_CLIENT_CERTIFICATE` and `…_CLIENT_KEY`, each also
as `OTEL_EXPORTER_OTLP_METRICS_…`, where the endpoint is taken as it is; `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_SERVICE_NAME` and
`OTEL_RESOURCE_ATTRIBUTES`. `OTEL_SDK_DISABLED=true`, or `OTEL_METRICS_EXPORTER` without `otlp`, has them ignored. A header that
`otlp.headers_file` has as well is sent as that says.

The resource has `service.name`, `service.version`, `service.instance.id` (as `instance` above) and `host.name`, and the attributes
of `otlp.resource`. Each point has `hw.id` (the UUID), `hw.name` (`gpu0`), `hw.type` (`gpu`), `hw.vendor`, `hw.model`,
`hw.serial_number`, `hw.firmware_version` (that of the video BIOS) and `hw.driver_version`, as far as they are known, and those of
the table. A MIG instance has its own `hw.id` and `hw.name`, and `hw.parent`. Where Kubernetes assigned a GPU or instance to one
container alone, its points have `k8s.namespace.name`, `k8s.pod.name` and `k8s.container.name`.

`hw.status` is `ok`, or `predicted_failure` if rows of memory could not be replaced; `degraded` of a GPU that is `stale`; `failed` of
one that is `hung`, `lost` or `unavailable`.

| Metric | Instrument | Unit | Attributes | From | Meaning |
|---|---|---|---|---|---|
";
