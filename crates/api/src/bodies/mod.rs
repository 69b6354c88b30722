//! What was rendered of the latest generation.
//!
//! The set of a generation is put in place empty and filled on first read, each body through a `OnceLock`: workers
//! that race for a new generation agree on one set first, and then one of them renders while the others wait.

mod native;

use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, Guard};
use gpulse_aggregator::SnapshotCache;
use gpulse_models::{
    DriverInfo, DriverStatus, GpuSnapshot, HostSnapshot,
    seed::{GpuInfo, GpuMetricsCollection, SingleGpuMetrics},
};

use crate::rendered::{Rendered, Tags};

/// What was rendered of the latest generation.
#[derive(Debug)]
pub(crate) struct Bodies {
    shared: Arc<Shared>,
    latest: ArcSwap<Set>,
}

/// What rendering needs beside the snapshot.
#[derive(Debug)]
struct Shared {
    tags: Tags,
    instance_id: String,
}

/// The bodies of one host snapshot.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) host: Arc<HostSnapshot>,
    shared: Arc<Shared>,
    info: OnceLock<Arc<Rendered>>,
    /// The last `info` that anyone read.
    earlier_info: Option<Arc<Rendered>>,
    metrics: OnceLock<Option<Rendered>>,
    gpus: Vec<Arc<GpuBody>>,
    native: native::Native,
}

/// The body of one GPU; carried from generation to generation while the GPU's snapshot is the same.
#[derive(Debug)]
struct GpuBody {
    gpu: Arc<GpuSnapshot>,
    driver: Option<Arc<DriverInfo>>,
    body: OnceLock<Option<Rendered>>,
}

impl Bodies {
    pub(crate) fn new(cache: &SnapshotCache, boot: u64, instance_id: &str) -> Self {
        let shared = Arc::new(Shared {
            tags: Tags::new(boot),
            instance_id: instance_id.to_owned(),
        });
        let first = Set::new(Arc::clone(&cache.host()), Arc::clone(&shared), None);
        Self {
            shared,
            latest: ArcSwap::from_pointee(first),
        }
    }

    /// The set of the host snapshot that `cache` holds now. Do not keep the guard across an `.await`.
    pub(crate) fn latest(&self, cache: &SnapshotCache) -> Guard<Arc<Set>> {
        let mut held = self.latest.load();
        loop {
            let host = cache.host();
            if Arc::ptr_eq(&held.host, &host) {
                return held;
            }
            let next = Arc::new(held.followed_by(Arc::clone(&host)));
            let found = self.latest.compare_and_swap(&held, Arc::clone(&next));
            if Arc::ptr_eq(&found, &held) {
                return Guard::from_inner(next);
            }
            // Another worker was faster: its set is the one to use, if it is of the snapshot of now.
            held = found;
        }
    }

    /// The set of `host`, which may be an earlier snapshot. That of such a one is made for the caller, out of what is the
    /// same now.
    pub(crate) fn of(&self, cache: &SnapshotCache, host: Arc<HostSnapshot>) -> Arc<Set> {
        let latest = self.latest(cache);
        if Arc::ptr_eq(&latest.host, &host) {
            return Arc::clone(&latest);
        }
        Arc::new(latest.followed_by(host))
    }

    /// Names for bodies that do not belong to a snapshot.
    pub(crate) fn tags(&self) -> &Tags {
        &self.shared.tags
    }
}

impl Set {
    fn new(host: Arc<HostSnapshot>, shared: Arc<Shared>, earlier: Option<&Self>) -> Self {
        let earlier_gpus = earlier.map_or(&[][..], |earlier| &earlier.gpus);
        let earlier_info = earlier.and_then(|earlier| earlier.info.get().or(earlier.earlier_info.as_ref()));
        let driver = match &host.driver {
            DriverStatus::Ready(driver) => Some(driver),
            DriverStatus::Starting | DriverStatus::Unavailable(_) => None,
        };
        let gpus = host.gpus.iter().enumerate().map(|(place, gpu)| {
            match earlier_gpus.get(place).filter(|body| body.is_of(gpu, driver)) {
                Some(body) => Arc::clone(body),
                None => Arc::new(GpuBody::new(Arc::clone(gpu), driver.cloned())),
            }
        });
        Self {
            gpus: gpus.collect(),
            native: native::Native::new(&host, earlier.map(|earlier| &earlier.native)),
            host,
            shared,
            info: OnceLock::new(),
            earlier_info: earlier_info.cloned(),
            metrics: OnceLock::new(),
        }
    }

    fn followed_by(&self, host: Arc<HostSnapshot>) -> Self {
        Self::new(host, Arc::clone(&self.shared), Some(self))
    }

    /// The body of `/gpu/info`. It seldom changes: while it reads the same it stays the same, ETag included.
    pub(crate) fn info(&self) -> &Rendered {
        self.info.get_or_init(|| {
            let next = Rendered::json(&GpuInfo::of(&self.host), &self.shared.tags);
            match &self.earlier_info {
                Some(earlier) if earlier.bytes() == next.bytes() => Arc::clone(earlier),
                _ => Arc::new(next),
            }
        })
    }

    /// The body of `/gpu/metrics`; nothing if there are GPUs and none has a sample to show.
    pub(crate) fn metrics(&self) -> Option<&Rendered> {
        let render = || {
            let body = GpuMetricsCollection::of(&self.host, &self.shared.instance_id);
            let blank = body.gpus.is_empty() && !self.host.gpus.is_empty();
            (!blank).then(|| Rendered::json(&body, &self.shared.tags))
        };
        self.metrics.get_or_init(render).as_ref()
    }

    /// The body of the GPU at `place` of the roster; nothing if it has no sample to show.
    pub(crate) fn gpu(&self, place: usize) -> Option<&Rendered> {
        self.gpus.get(place)?.rendered(&self.shared.tags)
    }
}

impl GpuBody {
    fn new(gpu: Arc<GpuSnapshot>, driver: Option<Arc<DriverInfo>>) -> Self {
        Self {
            gpu,
            driver,
            body: OnceLock::new(),
        }
    }

    /// Whether rendering `gpu` would give this body again. The snapshots held here cannot have been freed and
    /// their addresses reused, so the same address is the same snapshot.
    fn is_of(&self, gpu: &Arc<GpuSnapshot>, driver: Option<&Arc<DriverInfo>>) -> bool {
        let same_driver = match (&self.driver, driver) {
            (Some(mine), Some(other)) => Arc::ptr_eq(mine, other),
            (None, None) => true,
            _ => false,
        };
        same_driver && Arc::ptr_eq(&self.gpu, gpu)
    }

    fn rendered(&self, tags: &Tags) -> Option<&Rendered> {
        let driver_version = self.driver.as_ref()?.driver_version.as_str();
        let render = || {
            let body = SingleGpuMetrics::of(&self.gpu, driver_version)?;
            Some(Rendered::json(&body, tags))
        };
        self.body.get_or_init(render).as_ref()
    }
}
