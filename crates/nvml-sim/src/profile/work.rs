//! What a GPU is used for.

use serde::Deserialize;

/// What a GPU is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkKind {
    /// Long jobs near full load, with a dip at every checkpoint, and pauses between jobs.
    Training,
    /// A permanent server whose load follows waves of requests, and short batch jobs beside it.
    Inference,
    /// A permanent video server that keeps the video engines busy, and short batch jobs beside it.
    Video,
    /// A desktop with a graphics job now and then.
    Desktop,
    /// One permanent process whose load is a known function of time: see [`Waveform`].
    Waveform,
    /// Nothing runs.
    Idle,
}

/// A load whose value and integral at any time are known exactly, for measuring how well something measures. Power follows it
/// at once: idle power plus its share of what the demand is above that, up to the limit.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waveform {
    /// Its course within a period.
    pub shape: Shape,
    /// Periods per second; the first one begins with the world.
    pub frequency_hz: f64,
    /// The lowest load, 0 to 1.
    pub low: f64,
    /// The highest load, 0 to 1.
    pub high: f64,
    /// The share of a period in which a square or a burst is high: a half, or a tenth of it, when absent.
    pub duty: Option<f64>,
    /// The share of a period by which the course is ahead, so that GPUs need not be in step.
    #[serde(default)]
    pub phase: f64,
    /// Use of the memory interface as a factor of the load, up to full use.
    #[serde(default = "half")]
    pub memory: f64,
    /// Use of the encoders as a factor of the load.
    #[serde(default)]
    pub encoder: f64,
    /// Use of the decoders as a factor of the load.
    #[serde(default)]
    pub decoder: f64,
    /// Use of the JPEG engines as a factor of the load.
    #[serde(default)]
    pub jpeg: f64,
    /// Use of the optical flow accelerators as a factor of the load.
    #[serde(default)]
    pub ofa: f64,
}

/// The course of a load within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// High at first, then low.
    Square,
    /// A sine around the middle between low and high, rising at first.
    Sine,
    /// High once in every period, at a place that the seed chooses anew each time, and low otherwise: what samples at fixed
    /// intervals miss.
    Burst,
}

impl Waveform {
    /// The share of a period in which it is high.
    pub fn duty(&self) -> f64 {
        self.duty.unwrap_or(match self.shape {
            Shape::Burst => 0.1,
            Shape::Square | Shape::Sine => 0.5,
        })
    }

    /// What the engine relies on and the types do not say.
    pub(super) fn check(&self) -> Result<(), String> {
        /// More would be finer than what NVML shows in any form; less is no wave.
        const FREQUENCIES: std::ops::RangeInclusive<f64> = 0.001..=1_000.0;
        if !FREQUENCIES.contains(&self.frequency_hz) {
            return Err("waveform: `frequency_hz` must be between 0.001 and 1000".into());
        }
        if !(0.0 <= self.low && self.low <= self.high && self.high <= 1.0) {
            return Err("waveform: needs 0 <= low <= high <= 1".into());
        }
        if !(0.0..=1.0).contains(&self.duty()) || !(0.0..=1.0).contains(&self.phase) {
            return Err("waveform: `duty` and `phase` must be between 0 and 1".into());
        }
        let factors = [self.memory, self.encoder, self.decoder, self.jpeg, self.ofa];
        if factors.iter().any(|factor| !(0.0..=100.0).contains(factor)) {
            return Err("waveform: factors must be between 0 and 100".into());
        }
        Ok(())
    }
}

fn half() -> f64 {
    0.5
}
