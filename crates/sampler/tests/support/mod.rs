//! Runs discovery and samplers over a library for as long as a test looks at what they publish.

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix::{Actor, Arbiter, System};
use gpulse_aggregator::{Aggregator, SnapshotCache};
use gpulse_models::{HostSnapshot, Timestamp};
use gpulse_sampler::{Discovery, DiscoverySettings, ProcessSettings, Reports, SamplerSettings, Schedule};

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
            events: true,
            parking: cache.parking().follow(),
            counters: Arc::clone(cache.counters()),
        };
        let sampling = SamplerSettings {
            interval: pause,
            schedule: Schedule::usual(pause, pause),
            deadline,
            processes,
        };
        Discovery::start_in_arbiter(&Arbiter::new().handle(), move |_| {
            let reports = Reports {
                roster: aggregator.clone().recipient(),
                down: aggregator.clone().recipient(),
                records: aggregator.clone().recipient(),
                events: aggregator.clone().recipient(),
                joined: aggregator.recipient(),
            };
            Discovery::new(discovery, sampling, reports)
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
