//! What the agent counts of itself: written by whoever does a thing, read by whoever asks.
//!
//! None of it is a lock on a hot path: counters are atomic, and those that many threads write have cache lines of their
//! own. What only the kernel knows is asked for when it is read.

mod calls;
mod http;
mod names;
mod process;
mod pushes;
mod samplers;
mod streams;
mod stripe;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use gpulse_models::{AgentStats, AggregatorStats, BuildInfo, Timestamp, microseconds};

pub use self::{
    calls::{CallUnderWay, Calls, MOST_CALLS},
    http::{Answering, Http, OpenConnection},
    pushes::PushCounters,
    samplers::{MOST_SAMPLERS, SamplerCounters},
    streams::{OpenStream, Streams},
    stripe::STATUSES,
};
use self::{process::Origin, pushes::Pushes, samplers::Samplers};

/// What the agent counts of itself.
#[derive(Debug, Default)]
pub struct Counters {
    calls: Calls,
    samplers: Samplers,
    http: Http,
    streams: Streams,
    pushes: Pushes,
    aggregator: AggregatorCounters,
    origin: Origin,
}

impl Counters {
    /// Calls of the driver.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// What the sampler at this place of the roster does; the same for every sampler that ever has the place.
    pub fn sampler(&self, index: u32) -> Arc<SamplerCounters> {
        self.samplers.at(index)
    }

    /// Requests and connections.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Streams of snapshots.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// What the exporter of this name pushes; the same for everybody who asks for it.
    pub fn push(&self, exporter: &'static str) -> Arc<PushCounters> {
        self.pushes.of(exporter)
    }

    /// What was counted so far, and what the kernel says of the process. Reads a few small files below `/proc/self`, which
    /// costs some ten microseconds and takes no lock that a thread inside the driver may hold.
    pub fn read(&self) -> AgentStats {
        AgentStats {
            read_at: microseconds(Timestamp::now()),
            calls: self.calls.read(),
            samplers: self.samplers.read(),
            aggregator: self.aggregator.read(),
            http: self.http.read(),
            streams: self.streams.read(),
            pushes: self.pushes.read(),
            process: process::read(&self.origin),
            build: BUILD,
        }
    }

    pub(crate) fn aggregator(&self) -> &AggregatorCounters {
        &self.aggregator
    }
}

/// What was built. The build script asks the compiler for what it does not tell by itself.
const BUILD: BuildInfo = BuildInfo {
    version: env!("CARGO_PKG_VERSION"),
    commit: option_env!("BUILD_COMMIT"),
    rustc: env!("BUILD_RUSTC"),
    target: env!("BUILD_TARGET"),
};

/// What the aggregator does. It alone writes this.
#[derive(Debug, Default)]
pub(crate) struct AggregatorCounters {
    records: AtomicU64,
    records_outdated: AtomicU64,
    events: AtomicU64,
    generation: AtomicU64,
    heartbeats: AtomicU64,
}

impl AggregatorCounters {
    pub(crate) fn took_record(&self) {
        self.records.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused_record(&self) {
        self.records_outdated.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn took_events(&self, number: usize) {
        self.events.fetch_add(number as u64, Ordering::Relaxed);
    }

    pub(crate) fn published(&self, generation: u64) {
        self.generation.store(generation, Ordering::Relaxed);
    }

    pub(crate) fn beat(&self) {
        self.heartbeats.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn heartbeats(&self) -> u64 {
        self.heartbeats.load(Ordering::Relaxed)
    }

    fn read(&self) -> AggregatorStats {
        AggregatorStats {
            records: self.records.load(Ordering::Relaxed),
            records_outdated: self.records_outdated.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            generation: self.generation.load(Ordering::Relaxed),
            heartbeats: self.heartbeats(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counters;

    #[test]
    fn what_was_built_is_known() {
        let build = Counters::default().read().build;
        assert_eq!(build.version, env!("CARGO_PKG_VERSION"));
        assert!(build.rustc.starts_with("1."), "{}", build.rustc);
        assert!(
            build.target.starts_with(std::env::consts::ARCH),
            "{}",
            build.target
        );
        assert!(build.target.contains(std::env::consts::OS), "{}", build.target);
    }
}
