//! Runs discovery and samplers over a library until every GPU was heard of.

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix::{Actor, Arbiter, System};
use gpulse_aggregator::{Aggregator, SnapshotCache};
use gpulse_models::{HostSnapshot, Timestamp};
use gpulse_sampler::{Discovery, DiscoverySettings, ProcessSettings, SamplerSettings};

/// A machine under load may need this long; a sampler that needs longer is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the first round of reads over `library` published.
pub(crate) fn first_snapshot(library: Option<PathBuf>, processes: ProcessSettings) -> HostSnapshot {
    System::new().block_on(async {
        let cache = Arc::new(SnapshotCache::new(Timestamp::now()));
        let aggregator = Aggregator::new(Arc::clone(&cache), PATIENCE).start();
        let pause = Duration::from_secs(1);
        let discovery = DiscoverySettings {
            library,
            retry_first: pause,
            retry_max: pause,
        };
        let sampling = SamplerSettings {
            interval: pause,
            slow_interval: pause,
            deadline: PATIENCE,
            processes,
        };
        Discovery::start_in_arbiter(&Arbiter::new().handle(), move |_| {
            let (roster, down) = (aggregator.clone().recipient(), aggregator.clone().recipient());
            Discovery::new(discovery, sampling, roster, down, aggregator.recipient())
        });
        let ready = async {
            while !cache.host().is_ready() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready)
            .await
            .expect("every GPU is heard of");
        let host = Arc::clone(&cache.host());
        HostSnapshot::clone(&host)
    })
}
