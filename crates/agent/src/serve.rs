//! `gpulse serve`: bind, wire the actors together, serve until a signal, end in bounded time.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use actix::{Actor, Arbiter, System};
use anyhow::Context;
use gpulse_aggregator::{Aggregator, SnapshotCache};
use gpulse_api::{ApiConfig, HttpServer, Listeners, UnixSocket};
use gpulse_models::{Timestamp, microseconds};
use gpulse_sampler::{Discovery, DiscoverySettings, ProcessSettings, Reports, SamplerSettings};

use crate::{
    config::{Config, is_exposed},
    files, logging,
    signals::Signals,
    simulator::{Simulator, SimulatorError},
};

/// Serves until a signal ends it.
pub(crate) fn serve(config: &Config) -> anyhow::Result<()> {
    let log = logging::start(config.log.level, config.log.format);
    files::make_room(config.http.max_connections);
    let simulator = simulator(config)?;
    let library = simulator
        .as_ref()
        .map(Simulator::library)
        .or_else(|| config.nvml.library.clone());
    let listeners = Listeners {
        tcp: config
            .bind
            .0
            .iter()
            .copied()
            .map(bind)
            .collect::<Result<_, _>>()?,
        unix: config
            .http
            .unix_socket()
            .map(|socket| UnixSocket::bind(&socket))
            .transpose()?,
    };
    System::new().block_on(run(config, library, listeners))?;
    tracing::info!(lost_lines = log.lost(), "ended");
    Ok(())
    // `simulator` goes here: until then the library's files stay in their place.
}

async fn run(config: &Config, library: Option<PathBuf>, listeners: Listeners) -> anyhow::Result<()> {
    let mut signals = Signals::catch().context("signals cannot be caught")?;
    let places = places(config, &listeners)?;
    let cache = Arc::new(SnapshotCache::new(microseconds(Timestamp::now())));
    let server = HttpServer::start(listeners, Arc::clone(&cache), api_config(config))
        .context("HTTP cannot be served")?;
    start_sampling(config, library, &cache);
    for place in places {
        tracing::info!("serving on {place}");
    }

    let signal = signals
        .next(|| {
            tracing::info!(signal = "SIGHUP", "certificates and credentials are read again");
            server.reload();
        })
        .await;
    let grace = config.shutdown_grace;
    tracing::info!(signal, ?grace, "ending: requests in flight are answered first");
    tokio::select! {
        () = server.stop(grace) => {}
        signal = signals.next(|| {}) => tracing::warn!(signal, "ending at once"),
    }
    // Threads that are stuck inside the driver end with the process; nobody joins them.
    Ok(())
}

/// Where is served, for the log; with a warning about those places where that is not safe.
fn places(config: &Config, listeners: &Listeners) -> anyhow::Result<Vec<String>> {
    let security = config.security();
    let scheme = if security.tls.is_some() { "https" } else { "http" };
    let mut places = Vec::new();
    for listener in &listeners.tcp {
        let address = listener.local_addr()?;
        if is_exposed(address) && !security.is_authenticating() {
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

/// Starts aggregator, discovery and samplers in an arbiter of their own.
fn start_sampling(config: &Config, library: Option<PathBuf>, cache: &Arc<SnapshotCache>) {
    let samplers = Arbiter::new().handle();
    // With the samplers: none of them ever blocks, and a record costs no wake-up of another thread.
    let (written, stale_after) = (Arc::clone(cache), config.sampler.effective_stale_after());
    let aggregator = Aggregator::start_in_arbiter(&samplers, move |_| Aggregator::new(written, stale_after));
    let discovery = DiscoverySettings {
        library,
        retry_first: config.nvml.retry_first,
        retry_max: config.nvml.retry_max,
        events: config.sampler.events,
    };
    let sampling = SamplerSettings {
        interval: config.sampler.interval,
        schedule: config
            .sampler
            .groups
            .schedule(config.sampler.interval, config.sampler.slow_interval),
        deadline: config.sampler.effective_deadline(),
        processes: ProcessSettings {
            command_lines: config.sampler.command_lines,
            max_processes: config.sampler.max_processes,
        },
    };
    Discovery::start_in_arbiter(&samplers, move |_| {
        let reports = Reports {
            roster: aggregator.clone().recipient(),
            down: aggregator.clone().recipient(),
            records: aggregator.clone().recipient(),
            events: aggregator.clone().recipient(),
            joined: aggregator.recipient(),
        };
        Discovery::new(discovery, sampling, reports)
    });
}

fn api_config(config: &Config) -> ApiConfig {
    ApiConfig {
        agent_id: config.agent_id.clone(),
        workers: config.http.workers,
        max_connections: config.http.max_connections,
        keep_alive: config.http.keep_alive,
        request_timeout: config.http.request_timeout,
        cors_origins: config.http.cors_origins.clone(),
        version: env!("CARGO_PKG_VERSION"),
        security: config.security(),
    }
}

fn simulator(config: &Config) -> Result<Option<Simulator>, SimulatorError> {
    let Some(profile) = &config.nvml.simulate else {
        return Ok(None);
    };
    let simulator = Simulator::set_up(profile)?;
    tracing::info!(profile, directory = %simulator.directory().display(), "simulated GPUs; faults are switched in this directory");
    Ok(Some(simulator))
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| {
        format!(
            "{address} cannot be bound; choose an address of this host with a port that is free, with --bind"
        )
    })
}
