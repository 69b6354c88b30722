//! How busy the engines are.

use crate::{Percent, Seconds, catalogue::readings};

readings! {
    /// How busy the engines are, over the driver's own averaging period (between a sixth of a second and a second).
    pub struct Load {
        /// Share of time in which a kernel ran.
        reading gpu_percent: Percent, gauge, "nvmlDeviceGetUtilizationRates", Fermi;
        /// Share of time in which memory was read or written; not how full it is.
        reading memory_percent: Percent, gauge, "nvmlDeviceGetUtilizationRates", Fermi;
        /// Use of the video encoders.
        reading encoder_percent: Percent, gauge, "nvmlDeviceGetEncoderUtilization", Kepler;
        /// Use of the video decoders.
        reading decoder_percent: Percent, gauge, "nvmlDeviceGetDecoderUtilization", Kepler;
        /// Use of the JPEG engines.
        reading jpeg_percent: Percent, gauge, "nvmlDeviceGetJpgUtilization", Turing;
        /// Use of the optical flow engines.
        reading ofa_percent: Percent, gauge, "nvmlDeviceGetOfaUtilization", Turing;
        /// Exact statistics of the time since the tick before, from every sample that the driver took meanwhile.
        part interval: LoadInterval;
    }

    /// Statistics of the time since the tick before.
    pub struct LoadInterval {
        /// Share of time in which a kernel ran.
        part gpu: PercentSpread;
        /// Share of time in which memory was read or written.
        part memory: PercentSpread;
        /// Use of the video encoders.
        part encoder: PercentSpread;
        /// Use of the video decoders.
        part decoder: PercentSpread;
    }

    /// Statistics of a share, over the samples that the driver took since the tick before.
    pub struct PercentSpread {
        /// Mean, weighted by the time that each sample stands for.
        reading mean_percent: Percent, gauge, "nvmlDeviceGetSamples", Kepler;
        /// The lowest sample.
        reading min_percent: Percent, gauge, "nvmlDeviceGetSamples", Kepler;
        /// The highest sample.
        reading max_percent: Percent, gauge, "nvmlDeviceGetSamples", Kepler;
        /// The share below which the GPU was for 95 % of the time.
        reading p95_percent: Percent, gauge, "nvmlDeviceGetSamples", Kepler;
        /// Number of samples.
        reading samples: u64, gauge, "nvmlDeviceGetSamples", Kepler;
        /// Time that the samples stand for.
        reading covered_seconds: Seconds, gauge, "nvmlDeviceGetSamples", Kepler;
    }
}
