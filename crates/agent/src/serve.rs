//! `gpulse serve`: bind, wire the actors together, serve until a signal, end in bounded time.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use actix::{Actor, Addr, Arbiter, ArbiterHandle, Context, Handler, Recipient, System, prelude::SendError};
use anyhow::Context as _;
use gpulse_aggregator::{
    Aggregator, Assigned, DriverDown, EventBatch, History, Joined, Record, Roster, SnapshotCache,
};
use gpulse_api::{ApiConfig, HttpServer, Listeners, UnixSocket};
use gpulse_exporters::{PodWatch, watch_pods};
use gpulse_models::{PodAssignments, Timestamp, microseconds};
use gpulse_sampler::{
    Discovery, DiscoverySettings, ProcessSettings, Reports, SamplerSettings, watch_inventory,
};

use crate::{
    config::{Config, is_exposed},
    files,
    listener::listen,
    logging,
    push::Pushing,
    recording::{Playing, ReplaySettings, play},
    signals::{Request, Signals},
    simulator::{Simulator, SimulatorError},
    supervisor::Supervisor,
};

/// How long the end of the agent waits for the history.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// Serves until a signal ends it.
pub(crate) fn serve(config: &Config) -> anyhow::Result<()> {
    // Before there are other threads.
    let tcp = listen(&config.bind.0)?;
    let log = logging::start(config.log.level, config.log.format);
    files::make_room(config.http.max_connections);
    let simulator = simulator(config)?;
    let library = simulator
        .as_ref()
        .map(Simulator::library)
        .or_else(|| config.nvml.library.clone());
    let unix = config.http.unix_socket();
    let listeners = Listeners {
        tcp,
        unix: unix.map(|socket| UnixSocket::bind(&socket)).transpose()?,
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
    let server = HttpServer::start(listeners, Arc::clone(&cache), api_config(config, &addresses))
        .context("HTTP cannot be served")?;
    let _sources = start_sampling(config, library, &cache)?;
    for place in places {
        tracing::info!("serving on {place}");
    }

    supervisor.ready();

    let signal = serve_until_told(&mut signals, &server, &supervisor).await;
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
    server: &HttpServer,
    supervisor: &Supervisor,
) -> &'static str {
    loop {
        match signals.next().await {
            Request::End(signal) => return signal,
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

/// What tells the aggregator of things for as long as it is kept.
struct Sources {
    _pods: Option<PodWatch>,
    _replay: Option<Playing>,
}

/// Starts aggregator, discovery and samplers in an arbiter of their own, and the threads that tell the aggregator more. With a
/// recording nothing of this machine is looked at.
fn start_sampling(
    config: &Config,
    library: Option<PathBuf>,
    cache: &Arc<SnapshotCache>,
) -> anyhow::Result<Sources> {
    let samplers = Arbiter::new().handle();
    // With the samplers: none of them ever blocks, and a record costs no wake-up of another thread.
    let (written, stale_after) = (Arc::clone(cache), config.sampler.effective_stale_after());
    let aggregator = Aggregator::start_in_arbiter(&samplers, move |_| Aggregator::new(written, stale_after));
    let reports = reports_to(&aggregator);
    if let Some(file) = &config.nvml.replay {
        let settings = ReplaySettings {
            file: file.clone(),
            speed: config.nvml.replay_speed,
            repeat: config.nvml.replay_loop,
        };
        tracing::info!(file = %file.display(), "playing a recording: these are not the GPUs of this machine");
        return Ok(Sources {
            _pods: None,
            _replay: Some(play(settings, reports)?),
        });
    }
    let inventoried = aggregator.clone().recipient();
    if let Err(error) = watch_inventory(config.health.inventory(), Arc::clone(cache), inventoried) {
        tracing::warn!(%error, "no thread can be started to look for missing GPUs");
    }
    let pods = watch_kubelet(config, aggregator.recipient());
    start_discovery(config, library, cache, &samplers, reports);
    Ok(Sources {
        _pods: pods,
        _replay: None,
    })
}

/// All that samplers report, to one address.
pub(crate) fn reports_to<A>(address: &Addr<A>) -> Reports
where
    A: Actor<Context = Context<A>>
        + Handler<Roster>
        + Handler<DriverDown>
        + Handler<Record>
        + Handler<EventBatch>
        + Handler<Joined>,
{
    Reports {
        roster: address.clone().recipient(),
        down: address.clone().recipient(),
        records: address.clone().recipient(),
        events: address.clone().recipient(),
        joined: address.clone().recipient(),
    }
}

/// Starts discovery, which starts the samplers.
pub(crate) fn start_discovery(
    config: &Config,
    library: Option<PathBuf>,
    cache: &SnapshotCache,
    samplers: &ArbiterHandle,
    reports: Reports,
) {
    let discovery = DiscoverySettings {
        library,
        retry_first: config.nvml.retry_first,
        retry_max: config.nvml.retry_max,
        events: config.sampler.events,
        parking: cache.parking().follow(),
        counters: Arc::clone(cache.counters()),
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
    Discovery::start_in_arbiter(samplers, move |_| Discovery::new(discovery, sampling, reports));
}

/// Starts to ask the kubelet which pods hold which GPUs, for as long as what is returned is kept.
fn watch_kubelet(config: &Config, aggregator: Recipient<Assigned>) -> Option<PodWatch> {
    let Some(settings) = config.kubernetes.pods() else {
        // A mailbox that was just made has room.
        let _ = aggregator.try_send(Assigned(Arc::new(PodAssignments::disabled())));
        return None;
    };
    let watch = watch_pods(settings, move |pods| match aggregator.try_send(Assigned(pods)) {
        // A full mailbox is told the next time.
        Ok(()) | Err(SendError::Full(_)) => ControlFlow::Continue(()),
        Err(SendError::Closed(_)) => ControlFlow::Break(()),
    });
    match watch {
        Ok(watch) => Some(watch),
        Err(error) => {
            tracing::warn!(%error, "no thread can be started to ask the kubelet");
            None
        }
    }
}

/// Starts to keep what the GPUs do.
fn history(config: &Config) -> Option<History> {
    let started = History::start(config.history.settings()?);
    started
        .inspect_err(|error| tracing::warn!(%error, "no thread can be started to keep a history"))
        .ok()
}

fn api_config(config: &Config, addresses: &[SocketAddr]) -> ApiConfig {
    ApiConfig {
        agent_id: config.agent_id.clone(),
        workers: config.http.workers,
        max_connections: config.http.max_connections,
        keep_alive: config.http.keep_alive,
        request_timeout: config.http.request_timeout,
        cors_origins: config.http.cors_origins.clone(),
        sampling_interval: config.sampler.interval,
        version: env!("CARGO_PKG_VERSION"),
        metrics: config.metrics.settings(),
        target: config.target(addresses),
        security: config.security(),
    }
}

pub(crate) fn simulator(config: &Config) -> Result<Option<Simulator>, SimulatorError> {
    let Some(profile) = &config.nvml.simulate else {
        return Ok(None);
    };
    let simulator = Simulator::set_up(profile)?;
    tracing::info!(profile, directory = %simulator.directory().display(), "simulated GPUs; faults are switched in this directory");
    Ok(Some(simulator))
}
