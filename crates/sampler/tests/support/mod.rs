//! Runs discovery and samplers over a library for as long as a test looks at what they publish.

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix::{Actor, Arbiter, System};
use gpulse_aggregator::{Aggregator, SnapshotCache};
use gpulse_models::{HostSnapshot, Timestamp};
use gpulse_sampler::{Discovery, DiscoverySettings, ProcessSettings, SamplerSettings};

/// A machine under load may need this long; a sampler that needs longer is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the first round of reads over `library` published.
#[allow(dead_code, reason = "not every suite looks at snapshots")]
pub(crate) fn first_snapshot(library: Option<PathBuf>, processes: ProcessSettings) -> HostSnapshot {
    sampling_with(library, PATIENCE, processes, async |cache| {
        eventually("every GPU is heard of", || cache.host().is_ready().then_some(())).await;
        let host = Arc::clone(&cache.host());
        HostSnapshot::clone(&host)
    })
}

/// Samples over `library` while `look` looks at what is published. A call is stuck after `deadline`.
#[allow(dead_code, reason = "not every suite looks at events")]
pub(crate) fn sampling<T>(
    library: Option<PathBuf>,
    deadline: Duration,
    look: impl AsyncFnOnce(&SnapshotCache) -> T,
) -> T {
    sampling_with(library, deadline, ProcessSettings::default(), look)
}

fn sampling_with<T>(
    library: Option<PathBuf>,
    deadline: Duration,
    processes: ProcessSettings,
    look: impl AsyncFnOnce(&SnapshotCache) -> T,
) -> T {
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
            deadline,
            processes,
        };
        Discovery::start_in_arbiter(&Arbiter::new().handle(), move |_| {
            let (roster, down) = (aggregator.clone().recipient(), aggregator.clone().recipient());
            let records = aggregator.clone().recipient();
            Discovery::new(discovery, sampling, roster, down, records, aggregator.recipient())
        });
        look(&cache).await
    })
}

/// Looks again and again until there is something to see.
pub(crate) async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, seen).await {
        Ok(seen) => seen,
        Err(_) => panic!("never came true: {what}"),
    }
}
