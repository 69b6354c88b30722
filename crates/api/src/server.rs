//! Starts and stops the workers.

use std::{fmt, io, net::TcpListener, sync::Arc, time::Duration};

use actix_http::{HttpService, Request, error::DispatchError};
use actix_server::{ServerBuilder, ServerHandle};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{Error, dev::AppConfig, web::Data};
use gpulse_aggregator::SnapshotCache;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    task::{JoinError, JoinHandle},
    time::timeout,
};

use crate::{
    ApiConfig, Listeners,
    access::Watcher,
    app::app,
    cors,
    drain::{Drain, Partings},
    gate::Gate,
    listen::{Arrivals, Guarded, Patience, Places, SocketFile, Tls},
    state::State,
};

/// Longer than any grace time that makes sense, in seconds: [`HttpServer::stop`] is what ends the waiting.
const SHUTDOWN_TIMEOUT: u64 = 3600;

/// How long the rest of a connection that is being closed is read, so that its peer gets the last answer.
const CLOSING: Duration = Duration::from_secs(1);

/// Bytes of a body on HTTP/2 that may come before a handler asks for them, for a request and for a connection. That is
/// the least that the protocol has, and as much as a body may have here.
const WINDOWS: (u32, u32) = (64 * 1024, 128 * 1024);

/// What is sent must be acknowledged within this time: long enough for a lossy network, short enough that clients
/// which never read do not use up the connections.
#[cfg(target_os = "linux")]
const SILENT_PEER: Duration = Duration::from_secs(30);

/// The running HTTP server.
pub struct HttpServer {
    handle: ServerHandle,
    running: JoinHandle<io::Result<()>>,
    watcher: Watcher,
    drain: Arc<Drain>,
    /// Removed when the server has ended.
    socket: Option<SocketFile>,
}

impl HttpServer {
    /// Answers what arrives at `listeners` from `cache`. Must be called inside a tokio or actix runtime; signals
    /// are left alone.
    ///
    /// # Errors
    ///
    /// If a CORS origin is none, a file of certificates or credentials cannot be used, or a listener cannot be used.
    pub fn start(
        listeners: impl Into<Listeners>,
        cache: Arc<SnapshotCache>,
        config: ApiConfig,
    ) -> io::Result<Self> {
        cors::check_origins(&config.cors_origins)?;
        let listeners = listeners.into();
        let (gate, mut watched) = Gate::open(&config.security)?;
        let tls = match &config.security.tls {
            None => None,
            Some(files) => {
                let (tls, look) = Tls::open(files)?;
                watched.push(look);
                Some(Arc::new(tls))
            }
        };
        let workers = config.workers.max(1);
        let builder = ServerBuilder::new()
            .workers(workers)
            .max_concurrent_connections(config.max_connections.div_ceil(workers).max(1))
            .shutdown_timeout(SHUTDOWN_TIMEOUT)
            .disable_signals();
        let service = Service {
            state: Data::new(State::new(cache, &config)),
            gate: Arc::new(gate),
            drain: Drain::new(),
            config: Arc::new(config),
        };
        let (builder, socket) = listen(builder, listeners, &service, tls.as_ref())?;
        let server = builder.run();
        Ok(Self {
            handle: server.handle(),
            running: tokio::spawn(server),
            watcher: Watcher::start(watched)?,
            drain: service.drain,
            socket,
        })
    }

    /// Waits until connections are accepted.
    ///
    /// # Errors
    ///
    /// If the threads that answer cannot be started.
    pub async fn serves(&mut self) -> io::Result<()> {
        tokio::select! {
            biased;
            ended = &mut self.running => Err(reason_of(ended)),
            // Nothing is paused: this only comes back once the threads are started.
            () = self.handle.resume() => Ok(()),
        }
    }

    /// Waits until it has ended by itself, which is never right, and says why it has.
    pub async fn ended(&mut self) -> io::Error {
        reason_of((&mut self.running).await)
    }

    /// Reads certificates and credentials again, whether their files have changed or not.
    pub fn reload(&self) {
        self.watcher.wake();
    }

    /// Stops accepting, answers what was accepted and returns; after `grace` it cuts what is still open.
    pub async fn stop(self, grace: Duration) {
        // First of all: who connects from now on is not served.
        drop(self.socket);
        self.drain.begin();
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

/// Why a server has ended that was not told to.
fn reason_of(ended: Result<io::Result<()>, JoinError>) -> io::Error {
    let why = match ended {
        Ok(Ok(())) => "it ended by itself".to_owned(),
        Ok(Err(error)) => return error,
        Err(error) => error.to_string(),
    };
    io::Error::other(format!(
        "{why}; if no thread could be started, raise what limits them (TasksMax=, `ulimit -u`, memory) or lower http.workers"
    ))
}

/// Serves at each of `listeners`.
fn listen(
    mut builder: ServerBuilder,
    listeners: Listeners,
    service: &Service,
    tls: Option<&Arc<Tls>>,
) -> io::Result<(ServerBuilder, Option<SocketFile>)> {
    let config = &service.config;
    let patience = Patience {
        request: config.request_timeout,
        idle: config.keep_alive,
    };
    let places = config
        .security
        .connections_per_client
        .map(|most| Places::new(most.get()));
    let counters = Arc::clone(service.state.cache.counters());
    let arrivals = Arrivals::new(patience, places, counters);
    for listener in listeners.tcp {
        bound_peers(&listener)?;
        let name = listener.local_addr()?.to_string();
        let (service, arrivals) = (service.clone(), arrivals.clone());
        builder = match tls.cloned() {
            None => builder.listen(name, listener, move || {
                let arrivals = arrivals.clone();
                fn_service(move |stream: TcpStream| std::future::ready(arrivals.tcp(stream)))
                    .and_then(service.http())
            })?,
            Some(tls) => builder.listen(name, listener, move || {
                let (arrivals, tls) = (arrivals.clone(), Arc::clone(&tls));
                fn_service(move |stream: TcpStream| {
                    let (arrivals, tls) = (arrivals.clone(), Arc::clone(&tls));
                    async move { arrivals.tls(&tls, stream).await }
                })
                .and_then(service.http())
            })?,
        };
    }
    let Some(socket) = listeners.unix else {
        return Ok((builder, None));
    };
    let (listener, file) = socket.into_parts();
    let (service, arrivals) = (service.clone(), arrivals.clone());
    let builder = builder.listen_uds("unix", listener, move || {
        let arrivals = arrivals.clone();
        fn_service(move |stream: UnixStream| std::future::ready(Ok(arrivals.unix(stream))))
            .and_then(service.http())
    })?;
    Ok((builder, Some(file)))
}

/// What is served, whatever it is served on.
#[derive(Clone)]
struct Service {
    state: Data<State>,
    gate: Arc<Gate>,
    drain: Arc<Drain>,
    config: Arc<ApiConfig>,
}

impl Service {
    /// HTTP over connections of one kind.
    fn http<T: AsyncRead + AsyncWrite + Unpin + 'static>(
        &self,
    ) -> impl ServiceFactory<
        (Guarded<T>, actix_http::Protocol, Option<std::net::SocketAddr>),
        Config = (),
        Response = (),
        Error = DispatchError,
        InitError = (),
    > + use<T> {
        let app = app(
            self.state.clone(),
            Arc::clone(&self.gate),
            cors::layer(&self.config.cors_origins),
            Arc::clone(&self.drain),
        );
        let app = IntoServiceFactory::<_, Request>::into_factory(app)
            .map_err(|error: Error| error.error_response());
        let partings = Partings::new(Arc::clone(&self.drain));
        let arrivals = partings.clone();
        HttpService::build()
            .graceful_shutdown_signal(move || partings.next())
            .keep_alive(self.config.keep_alive)
            .client_request_timeout(self.config.request_timeout)
            .client_disconnect_timeout(CLOSING)
            .h2_initial_window_size(WINDOWS.0)
            .h2_initial_connection_window_size(WINDOWS.1)
            .on_connect_ext(move |guarded: &Guarded<T>, known| {
                let connection = guarded.connection();
                arrivals.arrived(&connection);
                known.insert(connection);
            })
            .finish(map_config(app, |()| AppConfig::default()))
    }
}

/// Bytes that the kernel takes in for a peer beyond those that it has on their way. By itself it takes megabytes: a stream whose
/// client is slow would be minutes behind, where it is to go on with the latest. Enough for a round trip at any speed that matters
/// here, since what is on its way does not count.
#[cfg(target_os = "linux")]
const MOST_UNSENT: u32 = 128 * 1024;

/// Lets the kernel drop a connection whose peer no longer acknowledges, or no longer reads, what it is sent: no
/// other timeout covers that; and does not take in more for it than makes sense. Accepted sockets inherit both.
#[cfg(target_os = "linux")]
fn bound_peers(listener: &TcpListener) -> io::Result<()> {
    let socket = socket2::SockRef::from(listener);
    socket.set_tcp_notsent_lowat(MOST_UNSENT)?;
    socket.set_tcp_user_timeout(Some(SILENT_PEER))
}

#[cfg(not(target_os = "linux"))]
fn bound_peers(_: &TcpListener) -> io::Result<()> {
    Ok(())
}
