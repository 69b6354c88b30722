//! The work a GPU is given: which processes run when, how much memory they hold, how hard they press.

use std::f64::consts::TAU;
use std::time::Duration;

use super::noise::Noise;
use super::timeline::CYCLE_S;
use crate::profile::{GpuSpec, WorkKind};

/// Linux's largest process id on 64-bit machines (`PID_MAX_LIMIT`); simulated ids stay below it.
const PID_LIMIT: u64 = 4_194_304;

/// A job's memory grows over this time: a model is loaded.
const FILL_S: f64 = 8.0;

/// Memory is handed out in pages of this size.
const PAGE: u64 = 2 << 20;

const MIB: f64 = (1_u64 << 20) as f64;

/// A process on a GPU.
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

/// How hard a GPU is pressed at one moment, 0 to 1 each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Load {
    pub(super) gpu: f64,
    pub(super) memory: f64,
    pub(super) encoder: f64,
    pub(super) decoder: f64,
}

/// The jobs of one GPU over one cycle.
#[derive(Debug)]
pub(super) struct Jobs {
    jobs: Vec<Job>,
    noise: Noise,
    /// Where in the cycle the world begins: different for each GPU, so that they are not in step.
    offset_s: f64,
}

#[derive(Debug)]
struct Job {
    start_s: f64,
    end_s: f64,
    /// Runs through all cycles, with one process id.
    permanent: bool,
    pattern: Pattern,
    name: &'static str,
    kind: ProcessKind,
    memory: f64,
    intensity: f64,
    /// Share of the GPU that one full load of this job is; below 1 on a MIG instance.
    share: f64,
    mig: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Pattern {
    Training,
    Waves,
    Transcode,
    Game,
    Ambient,
}

impl Jobs {
    /// Plans a cycle of work for one GPU.
    pub(super) fn plan(spec: &GpuSpec, noise: Noise) -> Self {
        let noise = noise.fork(1);
        let mut jobs = Vec::new();
        if spec.mig.is_empty() {
            let usable = (spec.memory.total_mib - spec.memory.reserved_mib) as f64 * MIB;
            plan_work(&mut jobs, spec.work, usable, 1.0, None, noise);
        }
        for (position, instance) in spec.mig.iter().enumerate() {
            let usable = instance.memory_mib as f64 * MIB;
            let share = f64::from(instance.slices) / 7.0;
            plan_work(
                &mut jobs,
                spec.work,
                usable,
                share,
                Some(position),
                noise.fork(position as u64),
            );
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
        let mut sum = Load::default();
        for job in self.jobs.iter().filter(|job| job.runs(place_s)) {
            let load = job.load(place_s, self.noise);
            sum.gpu += load.gpu * job.share;
            sum.memory += load.memory * job.share;
            sum.encoder += load.encoder;
            sum.decoder += load.decoder;
        }
        let cap = |value: f64| value.clamp(0.0, 1.0);
        Load {
            gpu: cap(sum.gpu),
            memory: cap(sum.memory),
            encoder: cap(sum.encoder),
            decoder: cap(sum.decoder),
        }
    }

    /// The load of one MIG instance at a time, as a share of that instance.
    pub(super) fn instance_load(&self, at: Duration, mig: usize) -> Load {
        let (place_s, _) = self.place(at);
        let own = self
            .jobs
            .iter()
            .filter(|job| job.mig == Some(mig) && job.runs(place_s));
        let loads = own.map(|job| job.load(place_s, self.noise));
        loads.fold(Load::default(), |sum, load| Load {
            gpu: (sum.gpu + load.gpu).min(1.0),
            memory: (sum.memory + load.memory).min(1.0),
            ..sum
        })
    }

    /// The processes that run at a time.
    pub(super) fn running(&self, at: Duration) -> Vec<Process> {
        let (place_s, cycle) = self.place(at);
        let busy = self.jobs.iter().enumerate().filter(|(_, job)| job.runs(place_s));
        busy.map(|(index, job)| self.process(index, job, place_s, cycle))
            .collect()
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

    fn process(&self, index: usize, job: &Job, place_s: f64, cycle: u64) -> Process {
        let run = if job.permanent { 0 } else { cycle };
        let pid = 1_000 + self.noise.fork(2 + index as u64).number(run) % (PID_LIMIT - 1_000);
        let load = job.load(place_s, self.noise);
        let percent = |value: f64| (value * job.share * 100.0).round().clamp(0.0, 100.0) as u32;
        Process {
            pid: pid as u32,
            name: job.name,
            kind: job.kind,
            memory: job.memory(place_s),
            sm_utilization: percent(load.gpu),
            memory_utilization: percent(load.memory),
            encoder_utilization: percent(load.encoder),
            decoder_utilization: percent(load.decoder),
            mig: job.mig,
        }
    }
}

impl Job {
    fn runs(&self, place_s: f64) -> bool {
        self.permanent || (self.start_s..self.end_s).contains(&place_s)
    }

    fn memory(&self, place_s: f64) -> u64 {
        let age = place_s - self.start_s;
        let filled = if self.permanent {
            1.0
        } else {
            (age / FILL_S).clamp(0.06, 1.0)
        };
        let breath = match self.pattern {
            Pattern::Waves => 0.92 + 0.08 * (TAU * place_s * 7.0 / CYCLE_S).sin(),
            Pattern::Training => 0.99 + 0.01 * (TAU * age / 11.0).sin(),
            Pattern::Game => 0.96 + 0.04 * (TAU * age / 37.0).sin(),
            Pattern::Ambient | Pattern::Transcode => 1.0,
        };
        (self.memory * filled * breath) as u64 / PAGE * PAGE
    }

    fn load(&self, place_s: f64, noise: Noise) -> Load {
        let age = place_s - self.start_s;
        let ramp = if self.permanent {
            1.0
        } else {
            ((age - 2.0) / 4.0).clamp(0.02, 1.0)
        };
        let jitter = noise
            .fork(self.start_s.to_bits())
            .between((place_s * 4.0) as u64, -1.0, 1.0);
        // Waves are whole periods of the cycle, so that the end of a cycle meets its beginning.
        let wave = |periods: f64| (TAU * periods * place_s / CYCLE_S).sin();
        let (gpu, memory) = match self.pattern {
            Pattern::Training => {
                let checkpoint = age % 41.0 > 38.5;
                let busy = if checkpoint {
                    0.12
                } else {
                    0.955 + 0.03 * (TAU * age / 3.1).sin()
                };
                (ramp * self.intensity * (busy + 0.015 * jitter), 0.62)
            }
            Pattern::Waves => {
                let traffic = 0.45 + 0.3 * wave(3.0) + 0.12 * wave(17.0) + 0.08 * jitter;
                (ramp * self.intensity * traffic.max(0.03), 0.45)
            }
            Pattern::Transcode => (self.intensity * (0.3 + 0.1 * wave(5.0) + 0.04 * jitter), 0.5),
            Pattern::Game => (
                ramp * self.intensity * (0.86 + 0.07 * (TAU * age / 23.0).sin() + 0.05 * jitter),
                0.5,
            ),
            Pattern::Ambient => (0.015 + 0.015 * jitter, 0.5),
        };
        let gpu = gpu.clamp(0.0, 1.0);
        let (encoder, decoder) = match self.pattern {
            Pattern::Game if age % 60.0 > 30.0 => (0.22 + 0.03 * jitter, 0.0),
            Pattern::Waves => (0.0, (gpu * 0.2).min(1.0)),
            Pattern::Transcode => (0.62 + 0.2 * wave(5.0) + 0.03 * jitter, 0.44 + 0.15 * wave(5.0)),
            _ => (0.0, 0.0),
        };
        Load {
            gpu,
            memory: gpu * memory,
            encoder,
            decoder,
        }
    }
}

/// Adds the jobs of one kind of work for one GPU, or for one of its MIG instances.
fn plan_work(jobs: &mut Vec<Job>, work: WorkKind, usable: f64, share: f64, mig: Option<usize>, noise: Noise) {
    let job = |start_s: f64, end_s: f64, pattern, name, memory: f64, intensity: f64| Job {
        start_s,
        end_s,
        permanent: false,
        pattern,
        name,
        kind: ProcessKind::Compute,
        memory: memory * usable,
        intensity,
        share,
        mig,
    };
    match work {
        WorkKind::Idle => {}
        WorkKind::Training => {
            let mut at = noise.between(10, 2.0, 12.0);
            let mut n = 11;
            while at < CYCLE_S - 30.0 {
                let end = (at + noise.between(n, 70.0, 180.0)).min(CYCLE_S - 1.0);
                let memory = noise.between(n + 1, 0.55, 0.93);
                let intensity = noise.between(n + 2, 0.9, 1.04);
                jobs.push(job(
                    at,
                    end,
                    Pattern::Training,
                    "/opt/conda/bin/python3.11",
                    memory,
                    intensity,
                ));
                at = end + noise.between(n + 3, 4.0, 16.0);
                n += 4;
            }
        }
        WorkKind::Inference | WorkKind::Video => {
            let (pattern, name, memory, intensity) = match work {
                WorkKind::Video => (Pattern::Transcode, "/usr/bin/ffmpeg", 0.31, 1.0),
                _ => (Pattern::Waves, "/opt/tritonserver/bin/tritonserver", 0.58, 0.95),
            };
            let server = job(0.0, CYCLE_S, pattern, name, memory, intensity);
            jobs.push(Job {
                permanent: true,
                ..server
            });
            let mut at = noise.between(20, 15.0, 60.0);
            let mut n = 21;
            while at < CYCLE_S - 40.0 {
                let end = at + noise.between(n, 20.0, 38.0);
                let memory = noise.between(n + 1, 0.08, 0.3);
                jobs.push(job(at, end, Pattern::Training, "/usr/bin/python3", memory, 0.55));
                at = end + noise.between(n + 2, 30.0, 80.0);
                n += 3;
            }
        }
        WorkKind::Desktop => {
            let graphics = |job: Job| Job {
                kind: ProcessKind::Graphics,
                ..job
            };
            let ambient = |name, memory| Job {
                permanent: true,
                ..graphics(job(0.0, CYCLE_S, Pattern::Ambient, name, memory, 1.0))
            };
            jobs.push(ambient("/usr/lib/xorg/Xorg", 0.011));
            jobs.push(ambient("/usr/bin/gnome-shell", 0.006));
            let start = noise.between(30, 30.0, 60.0);
            let end = start + noise.between(31, 150.0, 200.0);
            jobs.push(graphics(job(
                start,
                end,
                Pattern::Game,
                "/usr/bin/blender",
                0.38,
                1.0,
            )));
            let start = end + noise.between(32, 20.0, 40.0);
            let end = (start + noise.between(33, 60.0, 120.0)).min(CYCLE_S - 2.0);
            jobs.push(job(
                start,
                end,
                Pattern::Training,
                "/home/ada/venv/bin/python",
                0.7,
                1.0,
            ));
        }
    }
}
