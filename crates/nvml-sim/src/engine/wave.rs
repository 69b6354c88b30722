//! Loads that are known exactly: their values, and their integrals in closed form.

use std::f64::consts::TAU;

use super::load::Load;
use super::noise::Noise;
use super::physics::CLOCK_EXPONENT;
use super::timeline::Totals;
use crate::profile::{GpuSpec, Shape, Waveform, WorkKind};

/// The course of a GPU's load, and what power it takes.
#[derive(Debug)]
pub(super) struct Wave {
    of: Waveform,
    /// Where in each period a burst is.
    places: Noise,
    /// The part of the GPU that has work: less than 1 where MIG instances do not fill it.
    share: f64,
    idle_w: f64,
    limit_w: f64,
    /// Watts above idle at full load, if no limit held them back.
    swing_w: f64,
}

/// What a wave is at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crest {
    pub(super) load: Load,
    pub(super) power_w: f64,
    /// Graphics clock as a share of the highest.
    pub(super) clock: f64,
    pub(super) power_capped: bool,
}

/// Parts of a period, as from and to; an empty one is none.
type Parts = [(f64, f64); 2];

/// The load that a waveform comes to in the long run, where no factor takes a part beyond all there is.
pub(super) fn mean(of: &Waveform) -> Load {
    let course = match of.shape {
        Shape::Sine => (of.low + of.high) / 2.0,
        Shape::Square | Shape::Burst => of.low + (of.high - of.low) * of.duty(),
    };
    parts(of, |factor| (course * factor).min(1.0))
}

/// What a course comes to for each part of a GPU.
fn parts(of: &Waveform, with_factor: impl Fn(f64) -> f64) -> Load {
    Load {
        gpu: with_factor(1.0),
        memory: with_factor(of.memory),
        encoder: with_factor(of.encoder),
        decoder: with_factor(of.decoder),
        jpeg: with_factor(of.jpeg),
        ofa: with_factor(of.ofa),
    }
}

impl Wave {
    /// The wave of a GPU, if its work is one.
    pub(super) fn of(spec: &GpuSpec, noise: Noise) -> Option<Self> {
        let of = spec.waveform.filter(|_| spec.work == WorkKind::Waveform)?;
        let shares = spec.mig.iter().map(|instance| instance.share()).sum::<f64>();
        let share = if spec.mig.is_empty() { 1.0 } else { shares.min(1.0) };
        Some(Self {
            of,
            places: noise.fork(6),
            share,
            idle_w: spec.power.idle_w,
            limit_w: spec.power.enforced_w(),
            swing_w: (spec.power.demand_w - spec.power.idle_w) * share,
        })
    }

    /// The state at a time since the world began.
    pub(super) fn at(&self, seconds: f64) -> Crest {
        let course = self.course(seconds);
        let wanted = self.idle_w + self.swing_w * course;
        let power_capped = wanted > self.limit_w;
        let held_back = || ((self.limit_w - self.idle_w) / (wanted - self.idle_w)).powf(1.0 / CLOCK_EXPONENT);
        Crest {
            load: parts(&self.of, |factor| (course * factor).min(1.0)).of_share(self.share),
            power_w: wanted.min(self.limit_w),
            clock: if power_capped { held_back() } else { 1.0 },
            power_capped,
        }
    }

    /// What has been accumulated since the world began.
    pub(super) fn totals(&self, seconds: f64) -> Totals {
        let cap = self.power_cap();
        Totals {
            energy_j: self.idle_w * seconds + self.swing_w * self.below(cap, seconds),
            load_s: self.load_s(seconds).of_share(self.share),
            power_capped_s: self.above(cap, seconds),
            thermally_capped_s: 0.0,
        }
    }

    /// Seconds of full load since the world began, of a MIG instance or of a GPU without any.
    pub(super) fn load_s(&self, seconds: f64) -> Load {
        parts(&self.of, |factor| {
            if factor > 0.0 {
                factor * self.below(1.0 / factor, seconds)
            } else {
                0.0
            }
        })
    }

    /// The load at which the power reaches its limit.
    fn power_cap(&self) -> f64 {
        if self.swing_w > 0.0 {
            (self.limit_w - self.idle_w) / self.swing_w
        } else {
            f64::INFINITY
        }
    }

    fn course(&self, seconds: f64) -> f64 {
        let Waveform { low, high, .. } = self.of;
        let (period, place) = self.place(seconds);
        match self.of.shape {
            Shape::Sine => (low + high) / 2.0 + (high - low) / 2.0 * (TAU * place).sin(),
            Shape::Square | Shape::Burst => {
                let start = self.start(period);
                let is_high = (start..start + self.of.duty()).contains(&place);
                if is_high { high } else { low }
            }
        }
    }

    /// The integral of the course since the world began, as far as it is below a cap.
    fn below(&self, cap: f64, seconds: f64) -> f64 {
        let Waveform { low, high, .. } = self.of;
        match self.of.shape {
            Shape::Sine => self.since_the_beginning(seconds, |place| {
                let (middle, swing) = ((low + high) / 2.0, (high - low) / 2.0);
                let area = |level: f64, from: f64, to: f64| {
                    level * (to - from) + swing / TAU * ((TAU * from).cos() - (TAU * to).cos())
                };
                let beyond = self.beyond(cap).map(|(from, to)| {
                    let to = to.min(place);
                    if from < to {
                        area(middle - cap, from, to)
                    } else {
                        0.0
                    }
                });
                area(middle, 0.0, place) - beyond.iter().sum::<f64>()
            }),
            Shape::Square | Shape::Burst => {
                let high_s = self.high_seconds(seconds);
                low.min(cap) * (seconds - high_s) + high.min(cap) * high_s
            }
        }
    }

    /// For how many seconds since the world began the course was above a cap.
    fn above(&self, cap: f64, seconds: f64) -> f64 {
        match self.of.shape {
            Shape::Sine => self.since_the_beginning(seconds, |place| {
                let lengths = self.beyond(cap).map(|(from, to)| (to.min(place) - from).max(0.0));
                lengths.iter().sum()
            }),
            Shape::Square | Shape::Burst if self.of.low > cap => seconds,
            Shape::Square | Shape::Burst if self.of.high > cap => self.high_seconds(seconds),
            Shape::Square | Shape::Burst => 0.0,
        }
    }

    /// The parts of a period in which a sine is above a cap.
    fn beyond(&self, cap: f64) -> Parts {
        const NEVER: Parts = [(0.0, 0.0), (0.0, 0.0)];
        let Waveform { low, high, .. } = self.of;
        if cap >= high {
            return NEVER;
        }
        if cap <= low {
            return [(0.0, 1.0), (0.0, 0.0)];
        }
        let start = ((cap - (low + high) / 2.0) / ((high - low) / 2.0))
            .clamp(-1.0, 1.0)
            .asin()
            / TAU;
        if start >= 0.0 {
            [(start, 0.5 - start), (0.0, 0.0)]
        } else {
            [(0.0, 0.5 - start), (1.0 + start, 1.0)]
        }
    }

    /// For how many seconds since the world began a square or a burst was high.
    fn high_seconds(&self, seconds: f64) -> f64 {
        let duty = self.of.duty();
        let up_to =
            |(period, place): (f64, f64)| period * duty + (place - self.start(period)).clamp(0.0, duty);
        (up_to(self.place(seconds)) - up_to(self.place(0.0))) / self.of.frequency_hz
    }

    /// Where in a period the high part starts.
    fn start(&self, period: f64) -> f64 {
        match self.of.shape {
            Shape::Burst => self.places.between(period as u64, 0.0, 1.0 - self.of.duty()),
            Shape::Square | Shape::Sine => 0.0,
        }
    }

    /// An integral over the time since the world began, from one over the beginning of a period.
    fn since_the_beginning(&self, seconds: f64, within: impl Fn(f64) -> f64) -> f64 {
        let whole = within(1.0);
        let up_to = |(period, place): (f64, f64)| period * whole + within(place);
        (up_to(self.place(seconds)) - up_to(self.place(0.0))) / self.of.frequency_hz
    }

    /// The number of a period, and the place in it, 0 to 1.
    fn place(&self, seconds: f64) -> (f64, f64) {
        let periods = seconds * self.of.frequency_hz + self.of.phase;
        (periods.floor(), periods.fract())
    }
}
