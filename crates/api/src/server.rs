//! Starts and stops the workers.

use std::{fmt, io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{dev::ServerHandle, web::Data};
use gpulse_aggregator::SnapshotCache;
use tokio::{task::JoinHandle, time::timeout};

use crate::{ApiConfig, app::app, cors, state::State};

/// Longer than any grace time that makes sense, in seconds: [`HttpServer::stop`] is what ends the waiting.
const SHUTDOWN_TIMEOUT: u64 = 3600;

/// What is sent must be acknowledged within this time: long enough for a lossy network, short enough that clients
/// which never read do not use up the connections.
#[cfg(target_os = "linux")]
const SILENT_PEER: Duration = Duration::from_secs(30);

/// The running HTTP server.
pub struct HttpServer {
    handle: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

impl HttpServer {
    /// Answers what arrives at `listener` from `cache`. Must be called inside a tokio or actix runtime; signals
    /// are left alone.
    ///
    /// # Errors
    ///
    /// If a CORS origin is none, or the listener cannot be used.
    pub fn start(listener: TcpListener, cache: Arc<SnapshotCache>, config: ApiConfig) -> io::Result<Self> {
        cors::check_origins(&config.cors_origins)?;
        evict_silent_peers(&listener)?;
        let workers = config.workers.max(1);
        let state = Data::new(State::new(cache, &config));
        let origins = config.cors_origins;
        let server = actix_web::HttpServer::new(move || app(state.clone(), cors::layer(&origins)))
            .workers(workers)
            .max_connections(config.max_connections.div_ceil(workers).max(1))
            .keep_alive(config.keep_alive)
            .client_request_timeout(config.request_timeout)
            .tcp_nodelay(true)
            .shutdown_timeout(SHUTDOWN_TIMEOUT)
            .disable_signals()
            .listen(listener)?
            .run();
        Ok(Self {
            handle: server.handle(),
            running: tokio::spawn(server),
        })
    }

    /// Stops accepting, answers what was accepted and returns; after `grace` it cuts what is still open.
    pub async fn stop(self, grace: Duration) {
        if timeout(grace, self.handle.stop(true)).await.is_err() {
            tracing::warn!("connections still open after the grace time are cut");
        }
        // Dropping the server ends its workers, whatever they still do.
        self.running.abort();
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer").finish_non_exhaustive()
    }
}

/// Lets the kernel drop a connection whose peer no longer acknowledges, or no longer reads, what it is sent: no
/// other timeout covers that. Accepted sockets inherit it.
#[cfg(target_os = "linux")]
fn evict_silent_peers(listener: &TcpListener) -> io::Result<()> {
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(SILENT_PEER))
}

#[cfg(not(target_os = "linux"))]
fn evict_silent_peers(_: &TcpListener) -> io::Result<()> {
    Ok(())
}
