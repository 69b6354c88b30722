//! Starts and stops the workers.

use std::{fmt, io, net::TcpListener, rc::Rc, sync::Arc, time::Duration};

use actix_http::{HttpService, Request, error::DispatchError};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt as _, map_config};
use actix_web::{Error, dev::AppConfig, web::Data};
use futures_util::future::LocalBoxFuture;
use gpulse_aggregator::SnapshotCache;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use crate::{
    ApiConfig, Listeners,
    access::Watcher,
    app::app,
    cors,
    drain::{Drain, Partings},
    gate::Gate,
    listen::{Arrivals, Desk, Door, Guarded, Hall, Patience, Places, Reception, SocketFile, Tls, Workers},
    state::State,
};

/// How long the rest of a connection that is being closed is read, so that its peer gets the last answer.
const CLOSING: Duration = Duration::from_secs(1);

/// Bytes of a body on HTTP/2 that may come before a handler asks for them, for a request and for a connection. That is
/// the least that the protocol has, and as much as a body may have here.
const WINDOWS: (u32, u32) = (64 * 1024, 128 * 1024);

/// What is sent must be acknowledged within this time: long enough for a lossy network, short enough that clients
/// which never read do not use up the connections.
#[cfg(target_os = "linux")]
const SILENT_PEER: Duration = Duration::from_secs(30);

/// The running HTTP server. Dropped, it cuts all connections.
pub struct HttpServer {
    _reception: Reception,
    workers: Workers,
    watcher: Watcher,
    drain: Arc<Drain>,
    /// Removed when the end begins.
    socket: Option<SocketFile>,
}

impl HttpServer {
    /// Answers what arrives at `listeners` from `cache`. Signals are left alone.
    ///
    /// # Errors
    ///
    /// If a CORS origin is none, a file of certificates or credentials or a listener cannot be used, or no threads can be started.
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
        let (hall, newcomers) = Hall::new(config.max_connections, config.workers.max(1));
        let drain = Drain::new();
        let service = Service {
            arrivals: arrivals(&config, &cache, &drain),
            state: Data::new(State::new(cache, &config)),
            gate: Arc::new(gate),
            drain: Arc::clone(&drain),
            config: Arc::new(config),
            tls,
        };
        let workers = Workers::start(newcomers, move || service.clone().desk()).map_err(no_threads)?;
        let mut doors = Vec::new();
        for listener in listeners.tcp {
            bound_peers(&listener)?;
            doors.push(Door::Tcp {
                listener,
                is_shared: listeners.are_shared,
            });
        }
        let socket = listeners.unix.map(|socket| {
            let (listener, file) = socket.into_parts();
            doors.push(Door::Unix(listener));
            file
        });
        Ok(Self {
            _reception: Reception::start(doors, hall, &drain).map_err(no_threads)?,
            workers,
            watcher: Watcher::start(watched)?,
            drain,
            socket,
        })
    }

    /// Waits until it has ended by itself, which is never right, and says why it has.
    pub async fn ended(&mut self) -> io::Error {
        self.workers.ended().await;
        io::Error::other("every thread that answers has ended")
    }

    /// Reads certificates and credentials again, whether their files have changed or not.
    pub fn reload(&self) {
        self.watcher.wake();
    }

    /// Stops accepting, answers what was accepted and returns; after `grace` it cuts what is still open.
    pub async fn stop(mut self, grace: Duration) {
        // First of all: who connects from now on is not served.
        drop(self.socket);
        self.drain.begin();
        if !self.workers.end(grace).await {
            tracing::warn!("connections still open after the grace time are cut");
        }
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer").finish_non_exhaustive()
    }
}

/// What to do where there can be no threads.
#[expect(clippy::needless_pass_by_value, reason = "it is what an error is made to")]
fn no_threads(error: io::Error) -> io::Error {
    let advice = "if no thread could be started, raise what limits them (TasksMax=, `ulimit -u`, memory) or lower http.workers";
    io::Error::new(error.kind(), format!("{error}; {advice}"))
}

/// What is served, whatever it is served on.
#[derive(Clone)]
struct Service {
    state: Data<State>,
    gate: Arc<Gate>,
    drain: Arc<Drain>,
    arrivals: Arrivals,
    config: Arc<ApiConfig>,
    tls: Option<Arc<Tls>>,
}

impl Service {
    /// What one worker does with connections; nothing if that cannot be said.
    async fn desk(self) -> Option<Desk> {
        let unix = {
            let (http, arrivals) = (started(self.http()).await?, self.arrivals.clone());
            move |stream| -> LocalBoxFuture<'static, ()> { answered(&http, Ok(arrivals.unix(stream))) }
        };
        let tcp: Box<dyn Fn(TcpStream) -> LocalBoxFuture<'static, ()>> = match self.tls.clone() {
            None => {
                let (http, arrivals) = (started(self.http()).await?, self.arrivals);
                Box::new(move |stream| answered(&http, arrivals.tcp(stream)))
            }
            Some(tls) => {
                let (http, arrivals) = (started(self.http()).await?, self.arrivals);
                Box::new(move |stream| {
                    let (http, arrivals, tls) = (Rc::clone(&http), arrivals.clone(), Arc::clone(&tls));
                    Box::pin(async move { answered(&http, arrivals.tls(&tls, stream).await).await })
                })
            }
        };
        Some(Desk {
            tcp,
            unix: Box::new(unix),
        })
    }

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

/// Receives connections as `config` has it.
fn arrivals(config: &ApiConfig, cache: &SnapshotCache, drain: &Arc<Drain>) -> Arrivals {
    let patience = Patience {
        request: config.request_timeout,
        idle: config.keep_alive,
    };
    let places = config
        .security
        .connections_per_client
        .map(|most| Places::new(most.get()));
    Arrivals::new(patience, places, Arc::clone(cache.counters()), Arc::clone(drain))
}

/// A worker's service; nothing if it cannot be made.
async fn started<R, F: ServiceFactory<R, Config = ()>>(factory: F) -> Option<Rc<F::Service>> {
    factory.new_service(()).await.ok().map(Rc::new)
}

/// Serves a connection to its end. How it ends is its peer's business, and logged where it is known.
fn answered<R, S>(http: &Rc<S>, arrived: Result<R, DispatchError>) -> LocalBoxFuture<'static, ()>
where
    R: 'static,
    S: actix_service::Service<R> + 'static,
{
    let http = Rc::clone(http);
    Box::pin(async move {
        if let Ok(arrived) = arrived {
            let _ = http.call(arrived).await;
        }
    })
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
