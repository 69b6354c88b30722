//! Takes connections in and hands them to the workers, in turn; at the end those as well that the kernel has taken in already.
//! In a thread of its own: whoever connects again and again delays neither those who are served nor what is published.
//!
//! actix-server drops what waits for its accept thread or a worker when it is told to stop, also gracefully: whoever was
//! connected and had sent a request saw the connection reset. Here all that had come by then is served, and the next one is refused.

use std::{
    fmt, io,
    net::{TcpListener, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    net,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    time::sleep,
};

use super::threads;
use crate::drain::Drain;

/// Connections that are taken in at the end: as many as the kernel lets wait (`net.core.somaxconn`). Whoever comes while
/// these are taken in need not be.
const MOST_WAITING: usize = 4096;

/// How long nobody is taken in when there are no files left for connections, or no memory: until some have ended.
const EXHAUSTED: Duration = Duration::from_millis(500);

/// A connection that has come.
#[derive(Debug)]
pub(crate) enum Newcomer {
    /// From the network.
    Tcp(TcpStream),
    /// From this host.
    Unix(UnixStream),
}

/// A newcomer with its place among those that may be open at a time. The place is free again when it is dropped.
pub(crate) type Seated = (Newcomer, OwnedSemaphorePermit);

/// Where connections come from.
#[derive(Debug)]
pub(crate) enum Door {
    /// From an address.
    Tcp {
        /// Bound.
        listener: TcpListener,
        /// Whether the service manager has it as well, and keeps who waits there for the next agent.
        is_shared: bool,
    },
    /// From a unix socket.
    Unix(UnixListener),
}

/// A door as it is waited at.
enum Source {
    Tcp(net::TcpListener),
    Unix(net::UnixListener),
}

impl Source {
    /// To be called inside of a runtime.
    fn open(door: Door) -> io::Result<(Self, bool)> {
        match door {
            Door::Tcp { listener, is_shared } => {
                listener.set_nonblocking(true)?;
                Ok((net::TcpListener::from_std(listener).map(Self::Tcp)?, is_shared))
            }
            Door::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Ok((net::UnixListener::from_std(listener).map(Self::Unix)?, false))
            }
        }
    }

    /// Waits for the next one.
    async fn next(&self) -> io::Result<Newcomer> {
        match self {
            Self::Tcp(listener) => listener.accept().await?.0.into_std().map(Newcomer::Tcp),
            Self::Unix(listener) => listener.accept().await?.0.into_std().map(Newcomer::Unix),
        }
    }

    /// Takes in all that are there, and closes.
    fn close(self) -> Vec<Newcomer> {
        match self {
            Self::Tcp(listener) => all(listener.into_std(), |listener| {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Newcomer::Tcp(stream))
            }),
            Self::Unix(listener) => all(listener.into_std(), |listener| {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Newcomer::Unix(stream))
            }),
        }
    }
}

/// All that wait at `listener`.
fn all<L>(listener: io::Result<L>, accept: fn(&L) -> io::Result<Newcomer>) -> Vec<Newcomer> {
    let Ok(listener) = listener else {
        return Vec::new();
    };
    let mut waiting = Vec::new();
    while waiting.len() < MOST_WAITING {
        match accept(&listener) {
            Ok(newcomer) => waiting.push(newcomer),
            Err(error) if is_about_one(&error) => {}
            // There is nobody left.
            Err(_) => break,
        }
    }
    waiting
}

/// The workers, as newcomers see them.
pub(crate) struct Hall {
    /// Places for all connections together.
    places: Arc<Semaphore>,
    workers: Vec<mpsc::Sender<Seated>>,
    next: AtomicUsize,
}

impl Hall {
    /// With `places` for all connections, and what each of `workers` is to serve.
    pub(crate) fn new(places: usize, workers: usize) -> (Arc<Self>, Vec<mpsc::Receiver<Seated>>) {
        let places = places.clamp(1, Semaphore::MAX_PERMITS);
        // Whoever waits for a worker has a place, so that there is always room.
        let (workers, newcomers) = (0..workers).map(|_| mpsc::channel(places)).unzip();
        let hall = Self {
            places: Arc::new(Semaphore::new(places)),
            workers,
            next: AtomicUsize::new(0),
        };
        (Arc::new(hall), newcomers)
    }

    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// To the next worker that is there.
    fn hand_over(&self, mut newcomer: Seated) {
        for _ in &self.workers {
            let which = self.next.fetch_add(1, Ordering::Relaxed) % self.workers.len();
            let Err(refused) = self.workers[which].try_send(newcomer) else {
                return;
            };
            newcomer = refused.into_inner();
        }
        tracing::error!("no worker serves connections any more: one is closed");
    }
}

impl fmt::Debug for Hall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hall").finish_non_exhaustive()
    }
}

/// The thread that takes connections in. Ends with the server's end, or at once when this is dropped.
#[derive(Debug)]
pub(crate) struct Reception {
    _open: oneshot::Sender<()>,
}

impl Reception {
    /// Takes in who comes to `doors`, until the end begins; then those who wait there.
    ///
    /// # Errors
    ///
    /// If one of the doors cannot be waited at, or no thread can be started.
    pub(crate) fn start(doors: Vec<Door>, hall: Arc<Hall>, drain: &Drain) -> io::Result<Self> {
        let begin = || {
            let sources = doors.into_iter().map(Source::open);
            sources.collect::<io::Result<Vec<_>>>()
        };
        let (open, closed) = oneshot::channel::<()>();
        let told = drain.follow();
        threads::start("http-accept", begin, move |runtime, sources| {
            runtime.block_on(async {
                let all = sources.into_iter().map(|(source, is_shared)| {
                    tokio::spawn(receive(source, is_shared, Arc::clone(&hall), told.clone()))
                });
                let all: Vec<_> = all.collect();
                // The workers end when nobody can hand anything over any more.
                drop(hall);
                let received = async {
                    for one in all {
                        let _ = one.await;
                    }
                };
                tokio::select! {
                    // Nothing is ever sent: the server is gone.
                    _ = closed => {}
                    () = received => {}
                }
            });
        })?;
        Ok(Self { _open: open })
    }
}

/// Takes in who comes from `source`, until the end begins; then those who wait there, unless it is shared with
/// the service manager, which keeps them for the next agent.
async fn receive(source: Source, is_shared: bool, hall: Arc<Hall>, mut told: watch::Receiver<bool>) {
    let mut taken_in = None;
    tokio::select! {
        biased;
        _ = told.wait_for(|told| *told) => {}
        () = take_in(&source, &hall, &mut taken_in) => {}
    }
    // All at once, and the source is closed before they are served: who comes later is refused.
    let late = if is_shared { Vec::new() } else { source.close() };
    for newcomer in taken_in.into_iter().chain(late) {
        let Some(place) = hall.place().await else { return };
        hall.hand_over((newcomer, place));
    }
}

/// Takes in who comes, as long as there are places. Whoever has none yet is in `waiting`.
async fn take_in(source: &Source, hall: &Hall, waiting: &mut Option<Newcomer>) {
    let mut is_exhausted = false;
    loop {
        match source.next().await {
            Ok(newcomer) => {
                is_exhausted = false;
                *waiting = Some(newcomer);
                // Nobody else is taken in until there is a place: connections wait in the kernel.
                let Some(place) = hall.place().await else { return };
                if let Some(newcomer) = waiting.take() {
                    hall.hand_over((newcomer, place));
                }
            }
            // It has gone again.
            Err(error) if is_about_one(&error) => {}
            Err(error) => {
                if !is_exhausted {
                    tracing::warn!(%error, "no connection can be taken in; it is tried on");
                }
                is_exhausted = true;
                sleep(EXHAUSTED).await;
            }
        }
    }
}

/// Whether an error is about the connection that was to be taken in, and not about the next one.
fn is_about_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
