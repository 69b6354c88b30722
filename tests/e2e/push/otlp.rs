//! OTLP: every metric of the conventions arrives with its unit and attributes, over gRPC and over HTTP.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, NumberDataPoint, metric::Data},
};
use prost::Message as _;
use rcgen::ExtendedKeyUsagePurpose;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use tempfile::TempDir;
use tonic::Status;

use super::{
    batches,
    collector::{Collector, CollectorTls},
    counted, generation,
    receiver::Receiver,
};
use crate::support::{Agent, AgentBuilder, Authority, eventually, simulator};

/// What the conventions say: unit, instrument, and the values of the attribute that tells series apart.
const CONVENTIONS: [(&str, &str, &str, &str, &[&str]); 13] = [
    (
        "hw.gpu.utilization",
        "1",
        "gauge",
        "hw.gpu.task",
        &["general", "encoder", "decoder"],
    ),
    ("hw.gpu.memory.usage", "By", "updowncounter", "", &[]),
    ("hw.gpu.memory.limit", "By", "updowncounter", "", &[]),
    ("hw.gpu.memory.utilization", "1", "gauge", "", &[]),
    (
        "hw.gpu.io",
        "By",
        "counter",
        "network.io.direction",
        &["receive", "transmit"],
    ),
    ("hw.energy", "J", "counter", "", &[]),
    ("hw.power", "W", "gauge", "", &[]),
    ("hw.temperature", "Cel", "gauge", "hw.sensor_location", &["gpu"]),
    (
        "hw.temperature.limit",
        "Cel",
        "gauge",
        "hw.limit_type",
        &["high.degraded", "high.critical"],
    ),
    (
        "hw.fan.speed_ratio",
        "1",
        "gauge",
        "hw.sensor_location",
        &["fan0"],
    ),
    ("hw.fan.speed", "rpm", "gauge", "hw.sensor_location", &["fan0"]),
    (
        "hw.errors",
        "{error}",
        "counter",
        "error.type",
        &["corrected", "uncorrected"],
    ),
    (
        "hw.status",
        "1",
        "updowncounter",
        "hw.state",
        &["ok", "degraded", "failed", "predicted_failure"],
    ),
];

/// Two boards that have all of it between them.
const PROFILES: [&str; 2] = ["h100-sxm-8", "rtx-4090"];

fn texts(attributes: &[KeyValue]) -> BTreeMap<&str, &str> {
    attributes
        .iter()
        .map(
            |attribute| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Value::StringValue(text)) => (attribute.key.as_str(), text.as_str()),
                other => panic!("{}: {other:?}", attribute.key),
            },
        )
        .collect()
}

fn metrics(message: &ExportMetricsServiceRequest) -> Vec<&Metric> {
    let resources = message.resource_metrics.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics).collect()
}

fn points(metric: &Metric) -> (&'static str, &[NumberDataPoint]) {
    match metric.data.as_ref().unwrap() {
        Data::Gauge(gauge) => ("gauge", &gauge.data_points),
        Data::Sum(sum) if sum.is_monotonic => ("counter", &sum.data_points),
        Data::Sum(sum) => ("updowncounter", &sum.data_points),
        other => panic!("{other:?}"),
    }
}

/// The latest time of a request.
fn time(message: &ExportMetricsServiceRequest) -> u64 {
    let points = metrics(message).into_iter().flat_map(|metric| points(metric).1);
    points.map(|point| point.time_unix_nano).max().unwrap()
}

/// Starts an agent that pushes to `endpoint` every second.
fn pushing(library: &std::path::Path, endpoint: &str, protocol: &str) -> AgentBuilder {
    AgentBuilder::over(library)
        .variable("GPULSE_OTLP__ENDPOINT", endpoint)
        .variable("GPULSE_OTLP__PROTOCOL", protocol)
        .variable("GPULSE_OTLP__INTERVAL", "1s")
        .variable("GPULSE_OTLP__TIMEOUT", "5s")
        .argument("--agent-id")
        .argument("agent-7")
}

fn unpacked(body: &[u8]) -> ExportMetricsServiceRequest {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body)
        .read_to_end(&mut plain)
        .unwrap();
    ExportMetricsServiceRequest::decode(plain.as_slice()).unwrap()
}

/// Whether every GPU of the agent is told of, with its state and its draw.
fn is_complete(message: &ExportMetricsServiceRequest, gpus: usize) -> bool {
    let of = |name: &str| {
        let found = metrics(message).into_iter().find(|metric| metric.name == name);
        found.map_or(0, |metric| points(metric).1.len())
    };
    of("hw.status") == 4 * gpus && of("hw.power") == gpus && of("hw.errors") % gpus == 0
}

/// Checks all that arrived of one agent, and returns the names.
fn check(message: &ExportMetricsServiceRequest, agent: &Agent) -> BTreeSet<String> {
    let [resource] = &message.resource_metrics[..] else {
        panic!("{message:?}")
    };
    let of_resource = texts(&resource.resource.as_ref().unwrap().attributes);
    assert_eq!(of_resource["service.name"], "gpulse");
    assert_eq!(of_resource["service.instance.id"], "agent-7");
    assert!(!of_resource["host.name"].is_empty());
    let body = agent.json("/api/v1/gpus?fields=uuid,identity.name");
    let name = |gpu: &'_ serde_json::Value| gpu["identity"]["name"].as_str().unwrap().to_owned();
    let gpus = body["gpus"].as_array().unwrap().iter();
    let gpus: BTreeMap<_, _> = gpus
        .map(|gpu| (gpu["uuid"].as_str().unwrap(), name(gpu)))
        .collect();
    let mut names = BTreeSet::new();
    for metric in metrics(message) {
        let found = CONVENTIONS.iter().find(|(name, ..)| *name == metric.name);
        let (_, unit, instrument, attribute, values) = found.unwrap_or_else(|| panic!("{}", metric.name));
        let (is, points) = points(metric);
        assert_eq!(
            (metric.unit.as_str(), is),
            (*unit, *instrument),
            "{}",
            metric.name
        );
        for point in points {
            let all = texts(&point.attributes);
            assert_eq!(all["hw.type"], "gpu");
            assert_eq!(all["hw.vendor"], "NVIDIA");
            assert_eq!(
                Some(all["hw.model"]),
                gpus.get(all["hw.id"]).map(String::as_str),
                "{all:?}"
            );
            assert!(point.time_unix_nano >= point.start_time_unix_nano);
            assert_eq!(point.start_time_unix_nano == 0, is == "gauge", "{}", metric.name);
        }
        let told: BTreeSet<_> = points
            .iter()
            .filter_map(|point| texts(&point.attributes).get(attribute).copied())
            .collect();
        for value in *values {
            assert!(told.contains(value), "{}: {told:?}", metric.name);
        }
        names.insert(metric.name.clone());
    }
    names
}

fn all_names() -> BTreeSet<String> {
    CONVENTIONS.iter().map(|(name, ..)| (*name).to_owned()).collect()
}

#[test]
fn every_metric_arrives_over_grpc() {
    let mut names = BTreeSet::new();
    for profile in PROFILES {
        let (simulator, collector) = (simulator(profile), Collector::start([], None));
        let endpoint = format!("http://{}", collector.address());
        let agent = pushing(simulator.library_path(), &endpoint, "grpc").start();
        agent.wait_until_ready();
        let gpus = agent.json("/api/v1/gpus")["gpus"].as_array().unwrap().len();
        let taken = eventually(
            "a batch with all GPUs arrives",
            || collector.taken().pop().map(|exported| exported.message),
            |message| message.as_ref().is_some_and(|message| is_complete(message, gpus)),
        );
        names.extend(check(&taken.unwrap(), &agent));
    }
    assert_eq!(names, all_names());
}

#[test]
fn every_metric_arrives_over_http() {
    let mut names = BTreeSet::new();
    for profile in PROFILES {
        let (simulator, receiver) = (simulator(profile), Receiver::start([]));
        let endpoint = format!("http://{}", receiver.address());
        let agent = pushing(simulator.library_path(), &endpoint, "http").start();
        agent.wait_until_ready();
        let gpus = agent.json("/api/v1/gpus")["gpus"].as_array().unwrap().len();
        let taken = eventually(
            "a batch with all GPUs arrives",
            || receiver.taken().pop(),
            |taken| {
                taken
                    .as_ref()
                    .is_some_and(|taken| is_complete(&unpacked(&taken.body), gpus))
            },
        );
        let taken = taken.unwrap();
        assert_eq!(taken.path, "/v1/metrics");
        assert_eq!(taken.header("content-type"), "application/x-protobuf");
        assert_eq!(taken.header("content-encoding"), "gzip");
        assert!(taken.header("user-agent").starts_with("gpulse/"));
        names.extend(check(&unpacked(&taken.body), &agent));
    }
    assert_eq!(names, all_names());
}

#[test]
fn a_collector_that_refuses_gets_later_what_it_may_take_and_never_what_it_may_not() {
    let simulator = simulator("t4");
    let collector = Collector::start(
        [
            Status::unavailable("starting"),
            Status::unavailable("starting"),
            Status::invalid_argument("not this one"),
        ],
        None,
    );
    let endpoint = format!("http://{}", collector.address());
    let agent = pushing(simulator.library_path(), &endpoint, "grpc").start();
    agent.wait_until_ready();
    let before = generation(&agent);
    let taken = eventually("batches arrive", || collector.taken(), |taken| taken.len() >= 4);
    assert!(taken.is_sorted_by(|a, b| time(&a.message) < time(&b.message)));
    assert_eq!(batches(&agent, "otlp", "retried"), 2.0);
    assert_eq!(batches(&agent, "otlp", "dropped"), 1.0);
    let dropped = ["gpulse_push_dropped_samples_total", "otlp", "rejected"];
    assert!(counted(&agent, &dropped) > 0.0);
    assert!(counted(&agent, &["gpulse_push_last_success_timestamp_seconds", "otlp"]) > 0.0);
    assert!(generation(&agent) > before);
}

/// A directory with authorities and certificates of a receiver and an agent, and a token.
struct Secrets {
    directory: TempDir,
    receiver: (std::path::PathBuf, std::path::PathBuf),
    client: (std::path::PathBuf, std::path::PathBuf),
}

impl Secrets {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let authority = Authority::new(directory.path(), "push");
        let receiver = authority.issue("receiver", ExtendedKeyUsagePurpose::ServerAuth);
        let client = authority.issue("client", ExtendedKeyUsagePurpose::ClientAuth);
        std::fs::write(directory.path().join("token"), "first\n").unwrap();
        Self {
            directory,
            receiver,
            client,
        }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn agent(&self, library: &std::path::Path, address: std::net::SocketAddr, protocol: &str) -> Agent {
        let agent = pushing(library, &format!("https://{address}"), protocol)
            .variable("GPULSE_OTLP__CA", &self.path("push-ca.pem"))
            .variable("GPULSE_OTLP__CERTIFICATE", &self.client.0.display().to_string())
            .variable("GPULSE_OTLP__KEY", &self.client.1.display().to_string())
            .variable("GPULSE_OTLP__TOKEN_FILE", &self.path("token"))
            .start();
        agent.wait_until_ready();
        agent
    }
}

#[test]
fn a_collector_sees_who_pushes_and_a_token_that_was_renewed() {
    let (simulator, secrets) = (simulator("t4"), Secrets::new());
    let tls = CollectorTls {
        identity: secrets.receiver.clone(),
        client_ca: secrets.path("push-ca.pem").into(),
    };
    let collector = Collector::start([], Some(&tls));
    let _agent = secrets.agent(simulator.library_path(), collector.address(), "grpc");
    let latest = || collector.taken().pop().map(|exported| exported.authorization);
    eventually("a batch arrives", latest, |seen| {
        seen.as_deref() == Some("Bearer first")
    });
    std::fs::write(secrets.path("token"), "second").unwrap();
    eventually("the new token arrives", latest, |seen| {
        seen.as_deref() == Some("Bearer second")
    });
}

#[test]
fn a_receiver_by_tls_sees_who_pushes() {
    let (simulator, secrets) = (simulator("t4"), Secrets::new());
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(secrets.path("push-ca.pem")).unwrap();
    roots.add(authority).unwrap();
    let provider = std::sync::Arc::new(ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let chain = vec![CertificateDer::from_pem_file(&secrets.receiver.0).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&secrets.receiver.1).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    let receiver = Receiver::encrypted(config);
    let _agent = secrets.agent(simulator.library_path(), receiver.address(), "http");
    let taken = eventually("a batch arrives", || receiver.taken(), |taken| !taken.is_empty());
    assert_eq!(taken[0].header("authorization"), "Bearer first");
}

#[test]
fn a_mig_instance_has_an_identity_of_its_own_and_its_gpu_as_parent() {
    let (simulator, collector) = (simulator("a100-mig"), Collector::start([], None));
    let endpoint = format!("http://{}", collector.address());
    let agent = pushing(simulator.library_path(), &endpoint, "grpc").start();
    agent.wait_until_ready();
    let body = agent.json("/api/v1/gpus?fields=uuid,mig.instances");
    let mut expected = BTreeSet::new();
    for gpu in body["gpus"].as_array().unwrap() {
        for instance in gpu["mig"]["instances"].as_array().into_iter().flatten() {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            expected.insert((text(&instance["uuid"]), text(&gpu["uuid"])));
        }
    }
    assert!(!expected.is_empty());
    eventually(
        "the instances are told",
        || {
            let Some(exported) = collector.taken().pop() else {
                return BTreeSet::new();
            };
            let metrics = metrics(&exported.message);
            let usage = metrics.iter().find(|metric| metric.name == "hw.gpu.memory.usage");
            let all = usage.map_or(&[][..], |usage| points(usage).1).iter();
            let identity = |point: &NumberDataPoint| {
                let texts = texts(&point.attributes);
                let parent = texts.get("hw.parent")?;
                Some((texts["hw.id"].to_owned(), (*parent).to_owned()))
            };
            all.filter_map(identity).collect()
        },
        |told| *told == expected,
    );
}
