//! What the simulated GPUs do, as a pure function of (profile, seed, time).
//!
//! Every GPU has a timeline of one cycle that is computed once, in fixed steps, and then repeats; what only
//! grows (energy, bytes, violation times) carries its total over from cycle to cycle. Reading any moment
//! therefore costs the same, however long ago the world began: there is no state to catch up with, and no
//! lock.

mod jobs;
mod noise;
mod physics;
mod timeline;
mod truth;

use std::sync::OnceLock;
use std::time::Duration;

use jobs::Jobs;
pub use jobs::{Process, ProcessKind};
use noise::Noise;
use timeline::Timeline;
pub use truth::Truth;

use crate::profile::{GpuSpec, Profile};

/// Readings change at most this often, as the driver refreshes its own counters in steps.
pub const STEP: Duration = Duration::from_millis(20);

/// The GPUs of one world.
#[derive(Debug)]
pub struct Engine {
    gpus: Vec<Gpu>,
}

#[derive(Debug)]
struct Gpu {
    spec: GpuSpec,
    noise: Noise,
    jobs: Jobs,
    /// Filled on the first reading, so that a world of which only one GPU is read computes one timeline.
    timeline: OnceLock<Timeline>,
}

impl Engine {
    /// A world of the profile's GPUs; the same seed always gives the same values at the same times.
    pub fn new(profile: &Profile, seed: u64) -> Self {
        let gpu = |(index, spec): (usize, &GpuSpec)| {
            let noise = Noise::new(seed).fork(index as u64);
            Gpu {
                spec: spec.clone(),
                noise,
                jobs: Jobs::plan(spec, noise),
                timeline: OnceLock::new(),
            }
        };
        Self {
            gpus: profile.gpus.iter().enumerate().map(gpu).collect(),
        }
    }

    /// How many GPUs there are.
    pub fn len(&self) -> usize {
        self.gpus.len()
    }

    /// Whether there are no GPUs.
    pub fn is_empty(&self) -> bool {
        self.gpus.is_empty()
    }

    /// The fixed properties of a GPU.
    pub fn spec(&self, gpu: usize) -> Option<&GpuSpec> {
        self.gpus.get(gpu).map(|gpu| &gpu.spec)
    }

    /// Every reading of a GPU at a time since the world began.
    pub fn truth(&self, gpu: usize, at: Duration) -> Option<Truth> {
        self.gpus.get(gpu).map(|gpu| gpu.truth(at))
    }

    /// The processes on a GPU at a time since the world began, in order of their start.
    pub fn processes(&self, gpu: usize, at: Duration) -> Vec<Process> {
        self.gpus
            .get(gpu)
            .map_or_else(Vec::new, |gpu| gpu.jobs.running(quantise(at)))
    }

    /// The mean load of a MIG instance between two times, and that of its memory interface, 0 to 1 each.
    pub fn instance_load(&self, gpu: usize, mig: usize, from: Duration, to: Duration) -> Option<(f64, f64)> {
        /// Points at which the load is looked at: four a second, as often as it changes, within reason.
        const MOST: f64 = 256.0;
        let gpu = self.gpus.get(gpu).filter(|gpu| mig < gpu.spec.mig.len())?;
        let span = to.saturating_sub(from);
        let points = (span.as_secs_f64() * 4.0).ceil().clamp(1.0, MOST) as u32;
        let loads = (0..points).map(|n| {
            gpu.jobs
                .instance_load(from + span * (2 * n + 1) / (2 * points), mig)
        });
        let sum = loads.fold((0.0, 0.0), |sum, load| (sum.0 + load.gpu, sum.1 + load.memory));
        Some((sum.0 / f64::from(points), sum.1 / f64::from(points)))
    }

    /// A number that belongs to a GPU and never changes: the source of its UUID, serial number and the like. Depends on
    /// the model, the index and the seed.
    pub fn identity(&self, gpu: usize, what: u64) -> u64 {
        let number = |gpu: &Gpu| {
            let model = gpu
                .spec
                .name
                .bytes()
                .fold(0, |name: u64, byte| name.rotate_left(7) ^ u64::from(byte));
            gpu.noise.fork(u64::MAX).fork(model).number(what)
        };
        self.gpus.get(gpu).map_or(0, number)
    }
}

impl Gpu {
    fn truth(&self, at: Duration) -> Truth {
        let timeline = self
            .timeline
            .get_or_init(|| Timeline::compute(&self.spec, &self.jobs, self.noise));
        let at = quantise(at);
        truth::read(&self.spec, timeline, &self.jobs, self.noise, at)
    }
}

/// The `n`-th number of a seeded stream, in 0 to 1: chance that repeats with the seed.
pub(crate) fn chance(seed: u64, n: u64) -> f64 {
    Noise::new(seed).unit(n)
}

/// The start of the step that `at` lies in.
fn quantise(at: Duration) -> Duration {
    let step = STEP.as_millis() as u64;
    Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(u64::MAX) / step * step)
}

#[cfg(test)]
mod tests;
