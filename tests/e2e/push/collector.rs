//! A collector of OpenTelemetry: the ecosystem's own service, which keeps what it is sent and answers as it was told.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
    metrics_service_server::{MetricsService, MetricsServiceServer},
};
use tokio::{net::TcpListener, sync::oneshot};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    codec::CompressionEncoding,
    transport::{Certificate, Identity, Server, ServerTlsConfig},
};

/// Its certificate and key, and the authority of its clients.
pub(super) struct CollectorTls {
    pub(super) identity: (PathBuf, PathBuf),
    pub(super) client_ca: PathBuf,
}

/// A request with its metadata.
#[derive(Clone, Debug)]
pub(super) struct Exported {
    pub(super) authorization: String,
    pub(super) message: ExportMetricsServiceRequest,
}

#[derive(Clone, Debug, Default)]
struct Service {
    script: Arc<Mutex<VecDeque<Status>>>,
    taken: Arc<Mutex<Vec<Exported>>>,
}

/// The collector. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Collector {
    address: SocketAddr,
    service: Service,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Collector {
    /// Refuses with the statuses of `script` first, and takes what comes then.
    pub(super) fn start(script: impl IntoIterator<Item = Status>, tls: Option<&CollectorTls>) -> Self {
        let service = Service {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            taken: Arc::default(),
        };
        let read = |path: &PathBuf| std::fs::read(path).unwrap();
        let tls = tls.map(|tls| {
            ServerTlsConfig::new()
                .identity(Identity::from_pem(read(&tls.identity.0), read(&tls.identity.1)))
                .client_ca_root(Certificate::from_pem(read(&tls.client_ca)))
        });
        let served = MetricsServiceServer::new(service.clone()).accept_compressed(CompressionEncoding::Gzip);
        let (end, ended) = oneshot::channel();
        let (tell, listens) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let mut server = Server::builder();
                if let Some(tls) = tls {
                    server = server.tls_config(tls).unwrap();
                }
                let incoming = TcpListenerStream::new(listener);
                tokio::select! {
                    _ = ended => {}
                    outcome = server.serve_with_incoming(served, incoming) => outcome.unwrap(),
                }
            });
        });
        Self {
            address: listens.recv().unwrap(),
            service,
            end: Some(end),
            thread: Some(thread),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has taken so far.
    pub(super) fn taken(&self) -> Vec<Exported> {
        let taken = self.service.taken.lock();
        taken.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[tonic::async_trait]
impl MetricsService for Service {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let refusal = self.script.lock().unwrap().pop_front();
        if let Some(status) = refusal {
            return Err(status);
        }
        let authorization = request.metadata().get("authorization");
        let authorization = authorization.map_or("", |value| value.to_str().unwrap());
        self.taken.lock().unwrap().push(Exported {
            authorization: authorization.to_owned(),
            message: request.into_inner(),
        });
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}
