//! What every agent is made of, whoever runs it: the actors that read and keep, what the API is told, simulated GPUs.

use std::{net::SocketAddr, ops::ControlFlow, path::PathBuf, sync::Arc};

use actix::{Actor, Addr, Arbiter, ArbiterHandle, Context, Handler, Recipient, prelude::SendError};
use gpulse_aggregator::{
    Aggregator, Assigned, DriverDown, EventBatch, History, Joined, Record, Roster, SnapshotCache,
};
use gpulse_api::{ApiConfig, Security};
use gpulse_exporters::{PodWatch, watch_pods};
use gpulse_models::PodAssignments;
use gpulse_sampler::{
    Discovery, DiscoverySettings, ProcessSettings, Reports, SamplerSettings, watch_inventory,
};

use crate::{
    config::Config,
    recording::{Playing, ReplaySettings, play},
    simulator::{Simulator, SimulatorError},
};

/// What tells the aggregator of things for as long as it is kept.
pub(crate) struct Sources {
    _pods: Option<PodWatch>,
    _replay: Option<Playing>,
}

/// Starts aggregator, discovery and samplers in an arbiter of their own, and the threads that tell the aggregator more. With a
/// recording nothing of this machine is looked at.
pub(crate) fn start_sampling(
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
pub(crate) fn history(config: &Config) -> Option<History> {
    let started = History::start(config.history.settings()?);
    started
        .inspect_err(|error| tracing::warn!(%error, "no thread can be started to keep a history"))
        .ok()
}

/// What the API is told; served at `addresses`.
pub(crate) fn api_config(config: &Config, addresses: &[SocketAddr]) -> ApiConfig {
    ApiConfig {
        agent_id: config.agent_id.clone(),
        workers: config.http.workers,
        max_connections: config.http.max_connections,
        keep_alive: config.http.keep_alive,
        request_timeout: config.http.request_timeout,
        cors_origins: config.http.cors_origins.clone(),
        sampling_interval: config.sampler.interval,
        version: env!("CARGO_PKG_VERSION"),
        dashboard: config.dashboard.links(),
        metrics: config.metrics.settings(),
        target: config.target(addresses),
        security: Security {
            host_names: config.host_names(addresses),
            ..config.security()
        },
    }
}

/// The simulated GPUs, if the configuration wants some.
pub(crate) fn simulator(config: &Config) -> Result<Option<Simulator>, SimulatorError> {
    let Some(profile) = &config.nvml.simulate else {
        return Ok(None);
    };
    let simulator = Simulator::set_up(profile)?;
    tracing::info!(profile, directory = %simulator.directory().display(), "simulated GPUs; faults are switched in this directory");
    Ok(Some(simulator))
}
