//! `gpulse serve`: bind, wire the actors together, serve until a signal, end in bounded time.

use std::{net::TcpListener, path::PathBuf, sync::Arc};

use actix::{Actor, Arbiter, System};
use anyhow::Context;
use gpulse_aggregator::{Aggregator, SnapshotCache};
use gpulse_api::{ApiConfig, HttpServer};
use gpulse_models::{Timestamp, microseconds};
use gpulse_sampler::{
    Discovery, DiscoverySettings, ProcessSettings, Reports, SamplerSettings, watch_inventory,
};

use crate::{
    config::Config,
    listener::listen,
    logging,
    reload::Reload,
    signals::{Request, Signals},
    simulator::{Simulator, SimulatorError},
    supervisor::Supervisor,
};

/// Serves until a signal ends it.
pub(crate) fn serve(config: &Config) -> anyhow::Result<()> {
    let listener = listen(config.bind)?;
    let log = logging::start(config.log.level, config.log.format);
    let simulator = simulator(config)?;
    let library = simulator
        .as_ref()
        .map(Simulator::library)
        .or_else(|| config.nvml.library.clone());
    System::new().block_on(run(config, library, listener))?;
    tracing::info!(lost_lines = log.lost(), "ended");
    Ok(())
    // `simulator` goes here: until then the library's files stay in their place.
}

async fn run(config: &Config, library: Option<PathBuf>, listener: TcpListener) -> anyhow::Result<()> {
    let mut signals = Signals::catch().context("signals cannot be caught")?;
    let address = listener.local_addr()?;
    let cache = Arc::new(SnapshotCache::new(microseconds(Timestamp::now())));
    let supervisor = Supervisor::start(&cache, &config.watchdog);
    let server = HttpServer::start(listener, Arc::clone(&cache), api_config(config))
        .context("HTTP cannot be served")?;
    start_sampling(config, library, &cache);
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "serving beyond this host, without authentication");
    }
    tracing::info!(%address, "serving on http://{address}");

    supervisor.ready();

    let signal = serve_until_told(&mut signals, &Reload::new(), &supervisor).await;
    let grace = config.shutdown_grace;
    tracing::info!(signal, ?grace, "ending: requests in flight are answered first");
    supervisor.stopping();
    tokio::select! {
        () = server.stop(grace) => {}
        signal = signals.end() => tracing::warn!(signal, "ending at once"),
    }
    // Threads that are stuck inside the driver end with the process; nobody joins them.
    Ok(())
}

/// Waits for the signal that asks for the end, and names it. Until then others ask for a look at files.
async fn serve_until_told(signals: &mut Signals, reload: &Reload, supervisor: &Supervisor) -> &'static str {
    loop {
        match signals.next().await {
            Request::End(signal) => return signal,
            Request::Reload => {
                supervisor.reloading();
                let listeners = reload.ask();
                tracing::info!(
                    listeners,
                    "SIGHUP: certificates and other files that are in use are looked at again"
                );
                supervisor.ready();
            }
        }
    }
}

/// Starts aggregator, discovery and samplers in an arbiter of their own.
fn start_sampling(config: &Config, library: Option<PathBuf>, cache: &Arc<SnapshotCache>) {
    let samplers = Arbiter::new().handle();
    // With the samplers: none of them ever blocks, and a record costs no wake-up of another thread.
    let (written, stale_after) = (Arc::clone(cache), config.sampler.effective_stale_after());
    let aggregator = Aggregator::start_in_arbiter(&samplers, move |_| Aggregator::new(written, stale_after));
    let inventoried = aggregator.clone().recipient();
    if let Err(error) = watch_inventory(config.health.inventory(), Arc::clone(cache), inventoried) {
        tracing::warn!(%error, "no thread can be started to look for missing GPUs");
    }
    let discovery = DiscoverySettings {
        library,
        retry_first: config.nvml.retry_first,
        retry_max: config.nvml.retry_max,
        events: config.sampler.events,
        parking: cache.parking().follow(),
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
