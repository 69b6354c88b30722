//! The agent itself: its calls of the driver, its samplers, its requests, its process.

use std::sync::LazyLock;

use gpulse_models::{
    AgentStats, BuildInfo, CALL_BUCKETS, CallStats, HttpStats, ProcessStats, Reading, StreamStats,
};

use super::{
    super::{View, row::OnFirst},
    host::seconds,
};
use crate::family::{Extra, Family, Histogram, Kind, Labels, Point, Sink};

/// Which of the bounds that the agent counts by are shown: whole steps of ten and the last one. There is a histogram for each
/// of some hundred functions, so that each bound shown is a hundred series of every node.
const SHOWN: [usize; 7] = [2, 4, 6, 8, 10, 12, 14];

/// The bounds that are shown, in seconds.
static BOUNDS: LazyLock<Vec<f64>> =
    LazyLock::new(|| SHOWN.map(|place| CALL_BUCKETS[place].as_secs_f64()).to_vec());

pub(super) fn expose(view: &View<'_>, sink: &mut dyn Sink) {
    let stats = view.stats;
    let mut own = Own { view, sink };
    calls(&stats.calls, &mut own);
    sampling(stats, &mut own);
    http(&stats.http, stats.streams, &mut own);
    process(&stats.process, &mut own);
    build(&stats.build, &mut own);
}

/// Shows families that have no labels but those of each series.
struct Own<'v, 's> {
    view: &'v View<'v>,
    sink: &'s mut dyn Sink,
}

impl Own<'_, '_> {
    /// A family with a value for each of these labels.
    fn each<'l, L: AsRef<[Extra<'l>]>>(
        &mut self,
        (kind, name, help): (Kind, &'static str, &'static str),
        series: impl IntoIterator<Item = (L, f64)>,
    ) {
        let family = Family::new(kind, name, help);
        let mut family = OnFirst::new(&family, self.sink);
        let created = (kind == Kind::Counter).then_some(self.view.started_at);
        for (extra, value) in series {
            let point = Point {
                created,
                ..Point::from(value)
            };
            family.series(&Labels::default(), extra.as_ref(), point);
        }
    }

    /// A family with one series.
    fn one(&mut self, family: (Kind, &'static str, &'static str), value: f64) {
        self.each(family, [([], value)]);
    }

    /// A family with one series, where its value is known.
    fn known(&mut self, family: (Kind, &'static str, &'static str), reading: &Reading<f64>) {
        if let Some(value) = reading.value() {
            self.one(family, *value);
        }
    }
}

fn calls(calls: &[CallStats], own: &mut Own<'_, '_>) {
    let family = Family::new(
        Kind::Histogram,
        "gpulse_nvml_call_duration_seconds",
        "How long calls of the driver took that returned.",
    );
    if !calls.is_empty() {
        own.sink.family(&family);
    }
    for call in calls {
        let histogram = Histogram {
            bounds: &BOUNDS,
            counts: &shown(&call.latency.counts),
            sum: call.latency.sum_seconds,
        };
        own.sink
            .histogram(&Labels::default(), &[("call", call.call)], &histogram);
    }
    let by_call = |value: fn(&CallStats) -> u64| {
        calls
            .iter()
            .map(move |call| ([("call", call.call)], value(call) as f64))
    };
    own.each(
        (
            Kind::Counter,
            "gpulse_nvml_calls_total",
            "Calls of the driver, those that have not returned included.",
        ),
        by_call(|call| call.latency.count() + call.under_way),
    );
    own.each(
        (
            Kind::Gauge,
            "gpulse_nvml_calls_under_way",
            "Calls of the driver that have not returned.",
        ),
        by_call(|call| call.under_way),
    );
    own.each(
        (
            Kind::Counter,
            "gpulse_nvml_call_hangs_total",
            "Times that a call of the driver was given up.",
        ),
        by_call(|call| call.hangs).filter(|(_, hangs)| *hangs > 0.0),
    );
    own.each(
        (
            Kind::Counter,
            "gpulse_nvml_call_errors_total",
            "Calls of the driver that returned with an error, by reason.",
        ),
        calls.iter().flat_map(|call| {
            let labelled = |(reason, count): (gpulse_models::Reason, u64)| {
                ([("call", call.call), ("reason", reason.as_str())], count as f64)
            };
            call.errors.iter().map(labelled)
        }),
    );
}

/// Counts in the buckets that are shown, and at the end those above the last bound.
fn shown(counts: &[u64]) -> Vec<u64> {
    let ends = SHOWN.iter().map(|place| place + 1).chain([counts.len()]);
    let mut begin = 0;
    ends.map(|end| counts[std::mem::replace(&mut begin, end)..end].iter().sum())
        .collect()
}

fn sampling(stats: &AgentStats, own: &mut Own<'_, '_>) {
    let indices: Vec<_> = stats
        .samplers
        .iter()
        .map(|sampler| sampler.index.to_string())
        .collect();
    let mut by_sampler = |name, help, value: fn(&gpulse_models::SamplerStats) -> u64| {
        let series = stats.samplers.iter().zip(&indices);
        let series = series.map(|(sampler, index)| ([("gpu", index.as_str())], value(sampler) as f64));
        own.each((Kind::Counter, name, help), series);
    };
    by_sampler(
        "gpulse_sampler_ticks_total",
        "Times at which a read of the GPU was due.",
        |sampler| sampler.ticks,
    );
    by_sampler(
        "gpulse_sampler_failures_total",
        "Reads of the GPU that failed.",
        |sampler| sampler.failures,
    );
    by_sampler(
        "gpulse_sampler_hangs_total",
        "Reads of the GPU that were given up because a call did not return.",
        |sampler| sampler.hangs,
    );
    by_sampler(
        "gpulse_sampler_readers_replaced_total",
        "Reader threads that were started in the place of one that hung or ended.",
        |sampler| sampler.readers_replaced,
    );
    let aggregator = &stats.aggregator;
    own.one(
        (
            Kind::Counter,
            "gpulse_aggregator_records_total",
            "Outcomes of reads that were taken in.",
        ),
        aggregator.records as f64,
    );
    own.one(
        (
            Kind::Counter,
            "gpulse_aggregator_events_total",
            "Events of the driver that were taken in.",
        ),
        aggregator.events as f64,
    );
    own.one(
        (
            Kind::Counter,
            "gpulse_aggregator_heartbeats_total",
            "Looks at the ages of GPUs, at least one a second for as long as the agent does what it is for.",
        ),
        aggregator.heartbeats as f64,
    );
}

fn http(http: &HttpStats, streams: StreamStats, own: &mut Own<'_, '_>) {
    let statuses: Vec<_> = http
        .requests
        .iter()
        .map(|request| {
            request
                .status
                .map_or_else(|| "other".to_owned(), |status| status.to_string())
        })
        .collect();
    let requests = http.requests.iter().zip(&statuses).map(|(request, status)| {
        let labels = [
            ("route", request.route),
            ("method", request.method.as_str()),
            ("code", status.as_str()),
        ];
        (labels, request.count as f64)
    });
    own.each(
        (
            Kind::Counter,
            "gpulse_http_requests_total",
            "Requests that were answered.",
        ),
        requests,
    );
    let connections = &http.connections;
    let gauges = [
        (
            "gpulse_http_requests_in_flight",
            "Requests that are being answered.",
            http.in_flight,
        ),
        (
            "gpulse_http_connections",
            "Connections that are open.",
            connections.open,
        ),
        (
            "gpulse_streams",
            "Streams of snapshots that are open.",
            streams.open,
        ),
    ];
    for (name, help, value) in gauges {
        own.one((Kind::Gauge, name, help), value as f64);
    }
    let counters = [
        (
            "gpulse_http_requests_abandoned_total",
            "Requests whose client went away before there was an answer.",
            http.abandoned,
        ),
        (
            "gpulse_http_sent_bytes_total",
            "Bytes that were sent, heads included, and within TLS.",
            http.bytes_sent,
        ),
        (
            "gpulse_http_connections_accepted_total",
            "Connections that were taken in.",
            connections.accepted,
        ),
        (
            "gpulse_http_connections_refused_total",
            "Connections that were closed because their client has as many as it may have.",
            connections.refused,
        ),
        (
            "gpulse_http_connections_cut_total",
            "Connections that were cut because their peer did not do its part.",
            connections.cut,
        ),
        (
            "gpulse_http_handshakes_failed_total",
            "Connections whose TLS handshake failed.",
            connections.handshakes_failed,
        ),
        (
            "gpulse_stream_snapshots_total",
            "Snapshots that streams were sent.",
            streams.snapshots,
        ),
        (
            "gpulse_stream_snapshots_skipped_total",
            "Snapshots that streams were not sent because their client did not take them in time.",
            streams.skipped,
        ),
    ];
    for (name, help, value) in counters {
        own.one((Kind::Counter, name, help), value as f64);
    }
}

/// Under the names that every process of the field has.
fn process(process: &ProcessStats, own: &mut Own<'_, '_>) {
    let bytes = |reading: Reading<gpulse_models::Bytes>| reading.map(|bytes| bytes.0 as f64);
    let count = |reading: Reading<u64>| reading.map(|count| count as f64);
    own.known(
        (
            Kind::Counter,
            "process_cpu_seconds_total",
            "Time of processors that the agent has spent.",
        ),
        &process.cpu.map(|time| time.0),
    );
    own.known(
        (
            Kind::Gauge,
            "process_resident_memory_bytes",
            "Memory of the machine's that the agent uses.",
        ),
        &bytes(process.resident_memory),
    );
    own.known(
        (
            Kind::Gauge,
            "process_virtual_memory_bytes",
            "Memory of the agent that has an address.",
        ),
        &bytes(process.virtual_memory),
    );
    own.known(
        (
            Kind::Gauge,
            "process_open_fds",
            "Files and sockets that the agent has open.",
        ),
        &count(process.open_fds),
    );
    own.known(
        (
            Kind::Gauge,
            "process_max_fds",
            "How many of them it may have open.",
        ),
        &count(process.max_fds),
    );
    own.known(
        (
            Kind::Gauge,
            "process_threads",
            "Threads of the agent, those that are stuck included.",
        ),
        &count(process.threads),
    );
    own.known(
        (
            Kind::Gauge,
            "process_start_time_seconds",
            "When the agent was started.",
        ),
        &process.started_at.map(seconds),
    );
}

fn build(build: &BuildInfo, own: &mut Own<'_, '_>) {
    let said = [
        ("version", build.version),
        ("commit", build.commit.unwrap_or("")),
        ("rustc", build.rustc),
        ("target", build.target),
    ];
    let said: Vec<_> = said.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    own.each(
        (Kind::Info, "gpulse_build_info", "What was built."),
        [(said, 1.0)],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_that_are_shown_lose_no_call() {
        let counts: Vec<u64> = (1..=CALL_BUCKETS.len() as u64 + 1).collect();
        let shown = shown(&counts);
        assert_eq!(shown, [6, 9, 13, 17, 21, 25, 29, 16]);
        assert_eq!(shown.iter().sum::<u64>(), counts.iter().sum::<u64>());
        assert_eq!(BOUNDS[0], 1e-4);
        assert_eq!(BOUNDS[6], 60.0);
    }
}
