//! The work a GPU is given: which processes run when, and what they add up to.

use std::time::Duration;

use super::job::{Job, mean_of_rows};
use super::load::Load;
use super::noise::Noise;
use super::plan::{Place, plan};
use super::timeline::CYCLE_S;
use crate::profile::GpuSpec;

/// Linux's largest process id on 64-bit machines (`PID_MAX_LIMIT`); simulated ids stay below it.
const PID_LIMIT: u64 = 4_194_304;

const MIB: f64 = (1_u64 << 20) as f64;

/// A process on a GPU. Its shares are means over the last complete sampling period, as those of the GPU.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    /// Process id; every run of a job has a new one.
    pub pid: u32,
    /// Path of the executable.
    pub name: &'static str,
    /// Compute or graphics.
    pub kind: ProcessKind,
    /// Bytes of GPU memory.
    pub memory: u64,
    /// Busy share of the GPU's SMs, 0 to 100.
    pub sm_utilization: u32,
    /// Busy share of the memory interface, 0 to 100.
    pub memory_utilization: u32,
    /// Busy share of the encoders, 0 to 100.
    pub encoder_utilization: u32,
    /// Busy share of the decoders, 0 to 100.
    pub decoder_utilization: u32,
    /// Busy share of the JPEG engines, 0 to 100.
    pub jpeg_utilization: u32,
    /// Busy share of the optical flow accelerators, 0 to 100.
    pub ofa_utilization: u32,
    /// Which MIG instance (position in the profile) it runs on.
    pub mig: Option<usize>,
}

/// What a process uses the GPU for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessKind {
    /// CUDA.
    Compute,
    /// OpenGL, Vulkan or the display server.
    Graphics,
}

/// The jobs of one GPU over one cycle.
#[derive(Debug)]
pub(super) struct Jobs {
    pub(super) jobs: Vec<Job>,
    pub(super) noise: Noise,
    /// Where in the cycle the world begins: different for each GPU, so that they are not in step.
    pub(super) offset_s: f64,
}

impl Jobs {
    /// Plans a cycle of work for one GPU.
    pub(super) fn plan(spec: &GpuSpec, noise: Noise) -> Self {
        let noise = noise.fork(1);
        let mut jobs = Vec::new();
        if spec.mig.is_empty() {
            let usable = (spec.memory.total_mib - spec.memory.reserved_mib) as f64 * MIB;
            let whole = Place {
                usable,
                share: 1.0,
                mig: None,
            };
            plan(&mut jobs, spec, whole, noise);
        }
        for (position, instance) in spec.mig.iter().enumerate() {
            let place = Place {
                usable: instance.memory_mib as f64 * MIB,
                share: instance.share(),
                mig: Some(position),
            };
            plan(&mut jobs, spec, place, noise.fork(position as u64));
        }
        jobs.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        Self {
            jobs,
            noise,
            offset_s: noise.between(0, 0.0, CYCLE_S),
        }
    }

    /// The place in the cycle, in seconds, and the number of the cycle.
    pub(super) fn place(&self, at: Duration) -> (f64, u64) {
        let total = at.as_secs_f64() + self.offset_s;
        let cycle = (total / CYCLE_S).floor();
        ((total - cycle * CYCLE_S).clamp(0.0, CYCLE_S), cycle as u64)
    }

    /// The load at a place in the cycle.
    pub(super) fn load(&self, place_s: f64) -> Load {
        let running = self.jobs.iter().filter(|job| job.runs(place_s));
        let loads = running.map(|job| job.load(place_s, self.noise).of_share(job.share));
        loads.fold(Load::default(), Load::plus).capped()
    }

    /// The mean load of one MIG instance between two times, as a share of that instance.
    pub(super) fn instance_mean(&self, mig: usize, from: Duration, to: Duration) -> Load {
        let at = |place_s: f64| {
            let own = self.jobs.iter().filter(|job| job.mig == Some(mig));
            let loads = own.map(|job| job.load_if_it_runs(place_s, self.noise));
            loads.fold(Load::default(), Load::plus).capped()
        };
        let span_s = (to - from).as_secs_f64();
        // However long the span is, a cycle is looked at once.
        let cycles = (span_s / CYCLE_S).floor();
        let rest_s = span_s - cycles * CYCLE_S;
        let (to_s, _) = self.place(to);
        let sum = |from_s: f64, to_s: f64| mean_of_rows(from_s, to_s, at).map(|part| part * (to_s - from_s));
        let whole = if cycles > 0.0 {
            sum(0.0, CYCLE_S)
        } else {
            Load::default()
        };
        let rest = if rest_s > 0.0 {
            sum(to_s - rest_s, to_s)
        } else {
            Load::default()
        };
        whole.with(rest, |whole, rest| (whole * cycles + rest) / span_s)
    }

    /// The processes that run at a time, with their mean load over the `period` that ended at `sampled`.
    pub(super) fn running(
        &self,
        at: Duration,
        wave: Option<Load>,
        sampled: Duration,
        period: Duration,
    ) -> Vec<Process> {
        let (place_s, _) = self.place(at);
        let (to_s, _) = self.place(sampled);
        let process = |(index, job): (usize, &Job)| {
            let of_instance = wave.unwrap_or_else(|| job.mean(to_s - period.as_secs_f64(), to_s, self.noise));
            let load = of_instance.of_share(job.share);
            let percent = |value: f64| (value * 100.0).round().clamp(0.0, 100.0) as u32;
            Process {
                pid: self.pid(index, at),
                name: job.name,
                kind: job.kind,
                memory: job.memory(place_s),
                sm_utilization: percent(load.gpu),
                memory_utilization: percent(load.memory),
                encoder_utilization: percent(load.encoder),
                decoder_utilization: percent(load.decoder),
                jpeg_utilization: percent(load.jpeg),
                ofa_utilization: percent(load.ofa),
                mig: job.mig,
            }
        };
        let all = self.jobs.iter().enumerate();
        all.filter(|(_, job)| job.runs(place_s)).map(process).collect()
    }

    /// The name of a process that runs at a time.
    pub(super) fn name(&self, pid: u32, at: Duration) -> Option<&'static str> {
        let (place_s, _) = self.place(at);
        let mut running = self.jobs.iter().enumerate().filter(|(_, job)| job.runs(place_s));
        running
            .find(|(index, _)| self.pid(*index, at) == pid)
            .map(|(_, job)| job.name)
    }

    fn pid(&self, index: usize, at: Duration) -> u32 {
        self.pid_in(index, self.place(at).1)
    }

    /// The process id of a job in a cycle.
    pub(super) fn pid_in(&self, index: usize, cycle: u64) -> u32 {
        let run = if self.jobs[index].permanent { 0 } else { cycle };
        (1_000 + self.noise.fork(2 + index as u64).number(run) % (PID_LIMIT - 1_000)) as u32
    }

    /// The bytes that all processes hold at a time, without listing them.
    pub(super) fn memory(&self, at: Duration, mig: Option<usize>) -> u64 {
        let (place_s, _) = self.place(at);
        let wanted = |job: &&Job| job.runs(place_s) && (mig.is_none() || job.mig == mig);
        self.jobs
            .iter()
            .filter(wanted)
            .map(|job| job.memory(place_s))
            .sum()
    }
}
