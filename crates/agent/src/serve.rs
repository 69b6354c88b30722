//! `gpulse serve`: bind, wire the actors together, serve until a signal, end in bounded time.

use std::{io, net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

use actix::System;
use anyhow::Context;
use gpulse_aggregator::SnapshotCache;
use gpulse_api::{HttpServer, Listeners, UnixSocket};
use gpulse_models::{Timestamp, microseconds};

use crate::{
    config::{Config, is_exposed},
    files,
    listener::listen,
    logging,
    push::Pushing,
    signals::{Request, Signals},
    simulator::Simulator,
    supervisor::Supervisor,
    wiring::{api_config, history, simulator, start_sampling},
};

/// How long the end of the agent waits for the history.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// Serves until a signal ends it.
pub(crate) fn serve(config: &Config) -> anyhow::Result<()> {
    // Before there are other threads.
    let bound = listen(&config.bind.0)?;
    let log = logging::start(config.log.level, config.log.format);
    files::make_room(config.http.max_connections);
    let simulator = simulator(config)?;
    let library = simulator
        .as_ref()
        .map(Simulator::library)
        .or_else(|| config.nvml.library.clone());
    let unix = config.http.unix_socket();
    let listeners = Listeners {
        unix: unix.map(|socket| UnixSocket::bind(&socket)).transpose()?,
        ..bound
    };
    System::new().block_on(run(config, library, listeners))?;
    tracing::info!(lost_lines = log.lost(), "ended");
    Ok(())
    // `simulator` goes here: until then the library's files stay in their place.
}

async fn run(config: &Config, library: Option<PathBuf>, listeners: Listeners) -> anyhow::Result<()> {
    let mut signals = Signals::catch().context("signals cannot be caught")?;
    let places = places(config, &listeners)?;
    let addresses = listeners.tcp.iter().map(TcpListener::local_addr);
    let addresses: Vec<_> = addresses.collect::<io::Result<_>>()?;
    let cache = SnapshotCache::new(microseconds(Timestamp::now())).with_history(history(config));
    let cache = Arc::new(cache);
    let supervisor = Supervisor::start(&cache, &config.watchdog);
    let pushing = Pushing::start(config, &cache)?;
    let mut server = HttpServer::start(listeners, Arc::clone(&cache), api_config(config, &addresses))
        .context("HTTP cannot be served")?;
    let _sources = start_sampling(config, library, &cache)?;
    for place in places {
        tracing::info!("serving on {place}");
    }

    supervisor.ready();

    let signal = serve_until_told(&mut signals, &mut server, &supervisor).await?;
    let grace = config.shutdown_grace;
    tracing::info!(signal, ?grace, "ending: requests in flight are answered first");
    supervisor.stopping();
    tokio::select! {
        ((), ()) = async { tokio::join!(server.stop(grace), pushing.stop(grace)) } => {}
        signal = signals.end() => tracing::warn!(signal, "ending at once"),
    }
    if let Some(history) = cache.history() {
        history.stop(LAST_FLUSH);
    }
    // Threads that are stuck inside the driver end with the process; nobody joins them.
    Ok(())
}

/// Waits for the signal that asks for the end, and names it. Until then others ask for a look at files.
async fn serve_until_told(
    signals: &mut Signals,
    server: &mut HttpServer,
    supervisor: &Supervisor,
) -> anyhow::Result<&'static str> {
    loop {
        let request = tokio::select! {
            request = signals.next() => request,
            // An agent that nobody can ask is started anew by whoever looks after it.
            error = server.ended() => return Err(error).context("HTTP is no longer served"),
        };
        match request {
            Request::End(signal) => return Ok(signal),
            Request::Reload => {
                supervisor.reloading();
                tracing::info!("SIGHUP: certificates and credentials are read again");
                server.reload();
                supervisor.ready();
            }
        }
    }
}

/// Where is served, for the log; with a warning about those places where that is not safe.
fn places(config: &Config, listeners: &Listeners) -> anyhow::Result<Vec<String>> {
    let security = config.security();
    let scheme = if security.tls.is_some() { "https" } else { "http" };
    let mut places = Vec::new();
    for listener in &listeners.tcp {
        let address = listener.local_addr()?;
        if is_exposed(address) && !security.is_authenticating() {
            // A socket that was handed over may be at another address than the configuration was checked with.
            anyhow::ensure!(
                config.http.insecure,
                "{address} is reached from other hosts, and nobody would be asked who they are: set auth.tokens_file, \
                 auth.users_file or tls.client_ca, or say --insecure"
            );
            tracing::warn!(%address, "INSECURE: everybody who reaches this address may read, as http.insecure says");
        }
        if is_exposed(address) && security.is_authenticating() && security.tls.is_none() {
            tracing::warn!(%address, "credentials cross the network in the clear: set tls.certificate and tls.key");
        }
        places.push(format!("{scheme}://{address}"));
    }
    places.extend(
        listeners
            .unix
            .iter()
            .map(|socket| format!("unix:{}", socket.path().display())),
    );
    Ok(places)
}
