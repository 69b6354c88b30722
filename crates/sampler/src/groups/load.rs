//! How busy the engines are.

use gpulse_models::{Load, LoadInterval, Percent, PercentSpread, Reading, Seconds, catalogue::Catalogued};
use nvml_wrapper::enum_wrappers::device::Sampling;

use super::Gpu;
use crate::{convert, interval::ring::Stats, raw};

pub(super) fn read(gpu: &mut Gpu<'_, '_>) -> Load {
    let device = gpu.device;
    let rates = gpu.asker.ask(
        "nvmlDeviceGetUtilizationRates",
        || device.utilization_rates(),
        |rates| Ok((rates.gpu, rates.memory)),
    );
    Load {
        gpu_percent: rates.and_then(|(gpu, _)| convert::percent(gpu)),
        memory_percent: rates.and_then(|(_, memory)| convert::percent(memory)),
        encoder_percent: gpu.asker.ask(
            "nvmlDeviceGetEncoderUtilization",
            || device.encoder_utilization(),
            |encoder| convert::percent(encoder.utilization),
        ),
        decoder_percent: gpu.asker.ask(
            "nvmlDeviceGetDecoderUtilization",
            || device.decoder_utilization(),
            |decoder| convert::percent(decoder.utilization),
        ),
        jpeg_percent: gpu.asker.ask(
            "nvmlDeviceGetJpgUtilization",
            || raw::jpeg_utilization(device),
            |jpeg| convert::percent(jpeg.percent),
        ),
        ofa_percent: gpu.asker.ask(
            "nvmlDeviceGetOfaUtilization",
            || raw::ofa_utilization(device),
            |ofa| convert::percent(ofa.percent),
        ),
        interval: LoadInterval {
            gpu: spread(gpu, "nvmlDeviceGetSamples(gpu)", Sampling::GpuUtilization),
            memory: spread(gpu, "nvmlDeviceGetSamples(memory)", Sampling::MemoryUtilization),
            encoder: spread(gpu, "nvmlDeviceGetSamples(encoder)", Sampling::EncoderUtilization),
            decoder: spread(gpu, "nvmlDeviceGetSamples(decoder)", Sampling::DecoderUtilization),
        },
    }
}

fn spread(gpu: &mut Gpu<'_, '_>, key: &'static str, kind: Sampling) -> PercentSpread {
    match gpu.samples(key, kind) {
        Reading::Value(stats) => PercentSpread {
            mean_percent: Reading::Value(Percent(stats.mean)),
            min_percent: Reading::Value(Percent(stats.min)),
            max_percent: Reading::Value(Percent(stats.max)),
            p95_percent: Reading::Value(Percent(stats.p95)),
            samples: Reading::Value(stats.count),
            covered_seconds: Reading::Value(covered(&stats)),
        },
        Reading::Unavailable(reason) => PercentSpread::absent(reason),
    }
}

/// The time that statistics stand for.
pub(super) fn covered(stats: &Stats) -> Seconds {
    Seconds(stats.covered_us as f64 / 1e6)
}
