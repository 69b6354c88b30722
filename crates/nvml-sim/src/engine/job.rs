//! One job: when it runs, how much memory it holds, how hard it presses.

use std::f64::consts::TAU;

use super::jobs::ProcessKind;
use super::load::Load;
use super::noise::Noise;
use super::physics::STEP_S;
use super::timeline::{CYCLE_S, ROWS};

/// A job's memory grows over this time: a model is loaded.
const FILL_S: f64 = 8.0;

/// Memory is handed out in pages of this size.
const PAGE: u64 = 2 << 20;

/// A process, or one after the other in the same place of every cycle.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) start_s: f64,
    pub(super) end_s: f64,
    /// Runs through all cycles, with one process id.
    pub(super) permanent: bool,
    pub(super) pattern: Pattern,
    pub(super) name: &'static str,
    pub(super) kind: ProcessKind,
    pub(super) memory: f64,
    pub(super) intensity: f64,
    /// Share of the GPU that one full load of this job is; below 1 on a MIG instance.
    pub(super) share: f64,
    pub(super) mig: Option<usize>,
}

/// The course of its load.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pattern {
    Training,
    Waves,
    /// Where there are engines for them, with pictures and optical flow.
    Transcode {
        jpeg: bool,
        ofa: bool,
    },
    Game,
    Ambient,
    /// A course that is known exactly, of which this is the mean.
    Wave(Load),
}

impl Job {
    pub(super) fn runs(&self, place_s: f64) -> bool {
        self.permanent || (self.start_s..self.end_s).contains(&place_s)
    }

    pub(super) fn memory(&self, place_s: f64) -> u64 {
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
            Pattern::Ambient | Pattern::Transcode { .. } | Pattern::Wave(_) => 1.0,
        };
        (self.memory * filled * breath) as u64 / PAGE * PAGE
    }

    /// The most memory it has held after so many seconds.
    pub(super) fn most_memory(&self, seconds: f64) -> u64 {
        let rows = (seconds.min(CYCLE_S) / STEP_S) as u32;
        let held = (0..=rows).map(|row| self.memory(self.start_s + f64::from(row) * STEP_S));
        held.max().unwrap_or(0)
    }

    pub(super) fn load(&self, place_s: f64, noise: Noise) -> Load {
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
            Pattern::Transcode { .. } => (self.intensity * (0.3 + 0.1 * wave(5.0) + 0.04 * jitter), 0.5),
            Pattern::Game => (
                ramp * self.intensity * (0.86 + 0.07 * (TAU * age / 23.0).sin() + 0.05 * jitter),
                0.5,
            ),
            Pattern::Ambient => (0.015 + 0.015 * jitter, 0.5),
            Pattern::Wave(mean) => return mean,
        };
        let gpu = gpu.clamp(0.0, 1.0);
        let (encoder, decoder) = match self.pattern {
            Pattern::Game if age % 60.0 > 30.0 => (0.22 + 0.03 * jitter, 0.0),
            Pattern::Waves => (0.0, (gpu * 0.2).min(1.0)),
            Pattern::Transcode { .. } => (0.62 + 0.2 * wave(5.0) + 0.03 * jitter, 0.44 + 0.15 * wave(5.0)),
            _ => (0.0, 0.0),
        };
        let (jpeg, ofa) = match self.pattern {
            Pattern::Transcode { jpeg, ofa } => {
                let pictures = 0.34 + 0.12 * wave(9.0) + 0.04 * jitter;
                let flow = 0.12 + 0.05 * wave(5.0);
                (
                    pictures * f64::from(u8::from(jpeg)),
                    flow * f64::from(u8::from(ofa)),
                )
            }
            _ => (0.0, 0.0),
        };
        Load {
            gpu,
            memory: gpu * memory,
            encoder,
            decoder,
            jpeg,
            ofa,
        }
    }

    /// The mean load between two places, the first of which may lie in the cycle before.
    pub(super) fn mean(&self, from_s: f64, to_s: f64, noise: Noise) -> Load {
        mean_of_rows(from_s, to_s, |place_s| self.load_if_it_runs(place_s, noise))
    }

    /// The load at a place; none where the job does not run.
    pub(super) fn load_if_it_runs(&self, place_s: f64, noise: Noise) -> Load {
        if self.runs(place_s) {
            self.load(place_s, noise)
        } else {
            Load::default()
        }
    }
}

/// The mean between two places, the first of which may lie in an earlier cycle, of a load that is given at the timeline's rows. As
/// everywhere, it is a straight line between two rows.
pub(super) fn mean_of_rows(from_s: f64, to_s: f64, at: impl Fn(f64) -> Load) -> Load {
    let at_row = |row: i64| at(row.rem_euclid(ROWS as i64) as f64 * STEP_S);
    let (first, last) = ((from_s / STEP_S).floor() as i64, (to_s / STEP_S).ceil() as i64);
    let mut sum = Load::default();
    let mut before = at_row(first);
    for row in first..last {
        let after = at_row(row + 1);
        let start_s = row as f64 * STEP_S;
        let (from, to) = (from_s.max(start_s), to_s.min(start_s + STEP_S));
        let middle = ((from + to) / 2.0 - start_s) / STEP_S;
        sum = sum.plus(before.with(after, |a, b| (a + (b - a) * middle) * (to - from)));
        before = after;
    }
    sum.map(|part| part / (to_s - from_s))
}
