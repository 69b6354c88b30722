//! The contract, row by row, over made-up snapshots; and what caching, encodings, CORS and the log promise.

use std::{future::poll_fn, sync::Arc, time::Duration};

use actix_web::{
    body::MessageBody,
    http::{Method, StatusCode, header::HeaderMap},
    test::{TestRequest, init_service},
    web::Data,
};
use bytes::Bytes;
use gpulse_aggregator::{History, SnapshotCache};
use gpulse_exporters::{Profile, Profiles};
use gpulse_models::{
    DriverFault, DriverReason, DriverStatus, Failure, GpuSnapshot, GpuState, HostSnapshot, Reason, example,
};
use serde_json::Value;

use crate::{
    ApiConfig, DashboardLinks, Metrics, ScrapeTarget, Security, app::app, cors, drain::Drain, gate::Gate,
    state::State,
};

mod bodies;
mod caching;
mod contract;
mod cors_headers;
mod dashboard;
mod events;
mod gate;
mod health;
mod history;
mod log;
mod metrics;
mod native;
mod negotiation;
mod nonsense;
mod openapi;
mod over_tcp;
mod stats;
mod stream;

/// What a browser accepts of a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// The interface over a cache.
struct Api {
    cache: Arc<SnapshotCache>,
    state: Data<State>,
    cors_origins: Vec<String>,
    security: Security,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// Where it lay in the agent: the same for two answers that share their bytes.
    address: usize,
}

impl Api {
    fn over(host: HostSnapshot) -> Self {
        Self::with_history(host, Some(history::kept()))
    }

    fn with_history(host: HostSnapshot, history: Option<History>) -> Self {
        let cache = Arc::new(SnapshotCache::holding(host).with_history(history));
        Self {
            state: Data::new(State::new(Arc::clone(&cache), &config())),
            cache,
            cors_origins: Vec::new(),
            security: Security::default(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, path, headers).await
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let (gate, _) = Gate::open(&self.security).unwrap();
        let cors = cors::layer(&self.cors_origins);
        let service = init_service(app(self.state.clone(), Arc::new(gate), cors, Drain::new())).await;
        let request = headers.iter().fold(
            TestRequest::with_uri(path).method(method),
            |request, (name, value)| request.append_header((*name, *value)),
        );
        let response = request.send_request(&service).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let (body, address) = collected(response.into_body()).await;
        Answer {
            status,
            headers,
            body,
            address,
        }
    }
}

/// All of a body, and where its first bytes lie.
async fn collected(body: impl MessageBody) -> (Bytes, usize) {
    let mut body = std::pin::pin!(body);
    let mut pieces = Vec::new();
    while let Some(piece) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let Ok(piece) = piece else {
            panic!("a body that breaks off");
        };
        pieces.push(piece);
    }
    let address = pieces.first().map_or(0, |first| first.as_ptr().addr());
    (pieces.concat().into(), address)
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn config() -> ApiConfig {
    ApiConfig {
        agent_id: "resource-agent-001".to_owned(),
        workers: 1,
        max_connections: 100,
        keep_alive: Duration::from_secs(5),
        request_timeout: Duration::from_secs(5),
        cors_origins: Vec::new(),
        sampling_interval: Duration::from_secs(1),
        version: "0.1.0",
        metrics: Metrics {
            profiles: Profiles::from_iter([Profile::Native]),
            node: "node-1".to_owned(),
            per_process: false,
            created: false,
        },
        target: Some(ScrapeTarget::new(
            "node-1:8003".to_owned(),
            "node-1",
            "resource-agent-001",
            false,
        )),
        security: Security::default(),
        dashboard: Some(DashboardLinks::default()),
    }
}

/// A host with as many GPUs that do well.
fn healthy(gpus: u32) -> HostSnapshot {
    example::host((0..gpus).map(example::gpu))
}

fn failure(reason: Reason, message: &str) -> Failure {
    Failure {
        reason,
        call: "nvmlDeviceGetPowerUsage".into(),
        message: message.to_owned(),
        at: example::at(),
    }
}

/// A GPU that fell off the bus.
fn lost(index: u32) -> GpuSnapshot {
    let mut gpu = example::gpu(index);
    gpu.health.state = GpuState::Lost;
    gpu.health.failures = 1;
    gpu.health.last_error = Some(failure(Reason::GpuLost, "the GPU fell off the bus"));
    gpu
}

/// A GPU whose driver call does not return.
fn hung(index: u32) -> GpuSnapshot {
    let mut gpu = example::gpu(index);
    gpu.health.state = GpuState::Hung;
    gpu.health.failures = 1;
    gpu.health.last_error = Some(failure(Reason::Timeout, "no answer within 2 s"));
    gpu
}

/// A GPU that was never heard of.
fn pending(index: u32) -> GpuSnapshot {
    GpuSnapshot::pending(index, 1, example::at())
}

/// A host on which NVML cannot be used.
fn without_driver(reason: DriverReason) -> HostSnapshot {
    let fault = DriverFault {
        reason,
        message: format!("NVML could not be initialised: {}", reason.as_str()),
        hint: "check that `nvidia-smi` works on this host",
        library_loaded: reason != DriverReason::LibraryNotFound,
        attempts: 3,
        since: example::at(),
    };
    HostSnapshot {
        driver: DriverStatus::Unavailable(Arc::new(fault)),
        ..example::host([])
    }
}

/// Every reason but `starting`, which is a state of its own.
const REASONS: [DriverReason; 7] = [
    DriverReason::LibraryNotFound,
    DriverReason::DriverNotLoaded,
    DriverReason::VersionMismatch,
    DriverReason::NoPermission,
    DriverReason::NoGpus,
    DriverReason::Timeout,
    DriverReason::Error,
];
