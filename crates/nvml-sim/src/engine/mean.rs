//! What a GPU did between two moments, exactly.

use super::load::Load;
use super::timeline::Totals;

/// The exact means of a GPU over a span of time: the integrals of what the engine plays, not of what is read of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The length of the span.
    pub seconds: f64,
    /// Load of the GPU, 0 to 1.
    pub gpu: f64,
    /// Use of the memory interface, 0 to 1.
    pub memory: f64,
    /// Use of the encoders, 0 to 1.
    pub encoder: f64,
    /// Use of the decoders, 0 to 1.
    pub decoder: f64,
    /// Use of the JPEG engines, 0 to 1.
    pub jpeg: f64,
    /// Use of the optical flow accelerators, 0 to 1.
    pub ofa: f64,
    /// Power, watts.
    pub power_w: f64,
    /// Energy taken in all, joules.
    pub energy_j: f64,
}

impl Mean {
    /// The means between two totals.
    pub(super) fn between(from: &Totals, to: &Totals, seconds: f64) -> Self {
        let Load {
            gpu,
            memory,
            encoder,
            decoder,
            jpeg,
            ofa,
        } = mean_load(from.load_s, to.load_s, seconds);
        let energy_j = to.energy_j - from.energy_j;
        Self {
            seconds,
            gpu,
            memory,
            encoder,
            decoder,
            jpeg,
            ofa,
            power_w: energy_j / seconds,
            energy_j,
        }
    }
}

/// The mean load between two sums.
pub(super) fn mean_load(from: Load, to: Load, seconds: f64) -> Load {
    to.with(from, |to, from| (to - from) / seconds)
}

/// A share as NVML says it.
pub(crate) fn percent(share: f64) -> u32 {
    (share * 100.0).round().clamp(0.0, 100.0) as u32
}
