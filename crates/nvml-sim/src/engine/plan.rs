//! Which jobs a kind of work consists of.

use super::job::{Job, Pattern};
use super::jobs::ProcessKind;
use super::load::Load;
use super::noise::Noise;
use super::timeline::CYCLE_S;
use super::wave;
use crate::profile::{GpuSpec, WorkKind};

/// Where jobs run: a GPU, or one of its MIG instances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Bytes of memory.
    pub(super) usable: f64,
    /// Share of the GPU.
    pub(super) share: f64,
    pub(super) mig: Option<usize>,
}

/// Adds the jobs of one kind of work for one GPU, or for one of its MIG instances.
pub(super) fn plan(jobs: &mut Vec<Job>, spec: &GpuSpec, place: Place, noise: Noise) {
    let Place { usable, share, mig } = place;
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
    match spec.work {
        WorkKind::Idle => {}
        WorkKind::Waveform => {
            let mean = spec
                .waveform
                .map_or_else(Load::default, |waveform| wave::mean(&waveform));
            let generator = job(
                0.0,
                CYCLE_S,
                Pattern::Wave(mean),
                "/usr/local/bin/load-generator",
                0.5,
                1.0,
            );
            jobs.push(Job {
                permanent: true,
                ..generator
            });
        }
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
            let transcode = Pattern::Transcode {
                jpeg: spec.engines.jpeg > 0,
                ofa: spec.engines.ofa > 0,
            };
            let (pattern, name, memory, intensity) = match spec.work {
                WorkKind::Video => (transcode, "/usr/bin/ffmpeg", 0.31, 1.0),
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
