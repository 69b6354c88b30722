//! The threads that answer: each has a runtime and an application of its own, and serves the connections that it is handed.

use std::{fmt, future::Future, io, time::Duration};

use futures_util::future::LocalBoxFuture;
use tokio::{
    net::{TcpStream, UnixStream},
    runtime::Runtime,
    sync::{mpsc, watch},
    task::{LocalSet, spawn_local},
    time::timeout,
};

use super::{
    reception::{Newcomer, Seated},
    threads,
};

/// What a worker does with a connection until it has ended.
pub(crate) struct Desk {
    /// With one from the network.
    pub(crate) tcp: Box<dyn Fn(TcpStream) -> LocalBoxFuture<'static, ()>>,
    /// With one from this host.
    pub(crate) unix: Box<dyn Fn(UnixStream) -> LocalBoxFuture<'static, ()>>,
}

/// The workers. They end when they have served all that they were handed, or at once when this is dropped.
pub(crate) struct Workers {
    /// Closed when all have ended.
    alive: mpsc::Receiver<()>,
    cut: watch::Sender<bool>,
}

impl Workers {
    /// Starts one for each of `newcomers`, at what `open` makes in its thread.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub(crate) fn start<F>(
        newcomers: Vec<mpsc::Receiver<Seated>>,
        open: impl Fn() -> F + Clone + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = Option<Desk>> + 'static,
    {
        let (is_alive, alive) = mpsc::channel(1);
        let (cut, is_cut) = watch::channel(false);
        for (newcomers, number) in newcomers.into_iter().zip(0..) {
            let (open, is_alive, is_cut) = (open.clone(), is_alive.clone(), is_cut.clone());
            let work = move |runtime, ()| work(runtime, open, newcomers, is_cut, is_alive);
            threads::start(&format!("http-{number}"), || Ok(()), work)?;
        }
        Ok(Self { alive, cut })
    }

    /// Waits until all have ended.
    pub(crate) async fn ended(&mut self) {
        // Nothing is ever sent: this ends when no worker holds the other end.
        self.alive.recv().await;
    }

    /// Waits until all that were handed over are served, for at most `grace`; whether they are.
    pub(crate) async fn end(&mut self, grace: Duration) -> bool {
        timeout(grace, self.ended()).await.is_ok()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.cut.send_replace(true);
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").finish_non_exhaustive()
    }
}

/// One worker.
fn work<F: Future<Output = Option<Desk>>>(
    runtime: Runtime,
    open: impl Fn() -> F,
    newcomers: mpsc::Receiver<Seated>,
    mut cut: watch::Receiver<bool>,
    is_alive: mpsc::Sender<()>,
) {
    LocalSet::new().block_on(&runtime, async {
        let Some(desk) = open().await else {
            tracing::error!("a worker cannot serve connections");
            return;
        };
        tokio::select! {
            // A sender that is gone cuts as well.
            _ = cut.wait_for(|cut| *cut) => {}
            () = serve(desk, newcomers) => {}
        }
    });
    drop(is_alive);
    // A password may be being verified still.
    runtime.shutdown_background();
}

/// Serves all that come, and returns when the last of them has ended and none comes any more.
async fn serve(desk: Desk, mut newcomers: mpsc::Receiver<Seated>) {
    let (is_open, mut open) = mpsc::channel::<()>(1);
    while let Some((newcomer, place)) = newcomers.recv().await {
        let serving = match newcomer {
            Newcomer::Tcp(stream) => TcpStream::from_std(stream).map(|stream| (desk.tcp)(stream)),
            Newcomer::Unix(stream) => UnixStream::from_std(stream).map(|stream| (desk.unix)(stream)),
        };
        let Ok(serving) = serving else { continue };
        let is_open = is_open.clone();
        spawn_local(async move {
            serving.await;
            drop((place, is_open));
        });
    }
    drop(is_open);
    // Nothing is ever sent: this ends when no connection holds the other end.
    open.recv().await;
}
