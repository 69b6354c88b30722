//! What the simulated GPUs do, as a pure function of (profile, seed, time).
//!
//! Every GPU has a timeline of one cycle that is computed once, in fixed steps, and then repeats; what only
//! grows (energy, bytes, violation times) carries its total over from cycle to cycle. Reading any moment
//! therefore costs the same, however long ago the world began: there is no state to catch up with, and no
//! lock.

mod account;
mod gpu;
mod job;
mod jobs;
mod latest;
mod load;
mod mean;
mod noise;
mod physics;
mod plan;
mod timeline;
mod truth;
mod wave;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use account::{Account, BUFFER, Run};
use gpu::Gpu;
pub use jobs::{Process, ProcessKind};
pub use mean::Mean;
pub(crate) use mean::percent;
use noise::Noise;
pub use truth::Truth;
pub(crate) use truth::{NVLINK_SHARES, PCIE_SHARES};

use crate::profile::{GpuSpec, Profile};

/// Readings change at most this often, as the driver refreshes its own counters in steps.
pub const STEP: Duration = Duration::from_millis(20);

/// The GPUs of one world.
#[derive(Debug)]
pub struct Engine {
    gpus: Vec<Gpu>,
}

impl Engine {
    /// A world of the profile's GPUs; the same seed always gives the same values at the same times.
    pub fn new(profile: &Profile, seed: u64) -> Self {
        let gpu = |(index, spec): (usize, &GpuSpec)| Gpu::new(spec, Noise::new(seed).fork(index as u64));
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
        self.gpus.get(gpu).map(Gpu::spec)
    }

    /// Every reading of a GPU at a time since the world began.
    pub fn truth(&self, gpu: usize, at: Duration) -> Option<Truth> {
        self.shared_truth(gpu, at).map(|truth| truth.as_ref().clone())
    }

    /// Every reading of a GPU at a time, computed once in a step of time.
    pub(crate) fn shared_truth(&self, gpu: usize, at: Duration) -> Option<Arc<Truth>> {
        self.gpus.get(gpu).map(|gpu| gpu.truth(quantise(at)))
    }

    /// What a GPU did between two times, exactly and whatever its work is; nothing between a time and itself.
    pub fn mean(&self, gpu: usize, from: Duration, to: Duration) -> Option<Mean> {
        self.gpus
            .get(gpu)
            .filter(|_| from < to)
            .map(|gpu| gpu.mean(from, to))
    }

    /// The processes on a GPU at a time since the world began, in order of their start.
    pub fn processes(&self, gpu: usize, at: Duration) -> Vec<Process> {
        self.gpus
            .get(gpu)
            .map_or_else(Vec::new, |gpu| gpu.processes(quantise(at)).to_vec())
    }

    /// The name of a process on a GPU at a time.
    pub(crate) fn process_name(&self, gpu: usize, pid: u32, at: Duration) -> Option<&'static str> {
        self.gpus.get(gpu)?.process_name(pid, quantise(at))
    }

    /// The runs of processes that a driver which keeps accounts knows of at a time, oldest first.
    pub(crate) fn runs(&self, gpu: usize, at: Duration) -> Vec<Run> {
        self.gpus
            .get(gpu)
            .map_or_else(Vec::new, |gpu| gpu.runs(quantise(at)))
    }

    /// What a process has done by a time.
    pub(crate) fn account(&self, gpu: usize, run: Run, at: Duration) -> Option<Account> {
        self.gpus.get(gpu).map(|gpu| gpu.account(run, quantise(at)))
    }

    /// The mean load of a MIG instance between two times, and that of its memory interface, 0 to 1 each.
    pub fn instance_mean(&self, gpu: usize, mig: usize, from: Duration, to: Duration) -> Option<(f64, f64)> {
        let of = self.gpus.get(gpu).filter(|gpu| mig < gpu.spec().mig.len())?;
        (from < to).then(|| of.instance_mean(mig, from, to))
    }

    /// A number that belongs to a GPU and never changes: the source of its UUID, serial number and the like. Depends on
    /// the model, the index and the seed.
    pub fn identity(&self, gpu: usize, what: u64) -> u64 {
        let number = |gpu: &Gpu| {
            let model = gpu
                .spec()
                .name
                .bytes()
                .fold(0, |name: u64, byte| name.rotate_left(7) ^ u64::from(byte));
            gpu.noise().fork(u64::MAX).fork(model).number(what)
        };
        self.gpus.get(gpu).map_or(0, number)
    }
}

/// The `n`-th number of a seeded stream, in 0 to 1: chance that repeats with the seed.
pub(crate) fn chance(seed: u64, n: u64) -> f64 {
    Noise::new(seed).unit(n)
}

/// The start of the step that `at` lies in.
pub(crate) fn quantise(at: Duration) -> Duration {
    let step = STEP.as_millis() as u64;
    Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(u64::MAX) / step * step)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wave_tests;
