//! The names of OpenTelemetry: the semantic conventions for hardware, version 1.44 (in development), as one table.

use super::row::{Instrument, Metric, Number, Series, Source};
use crate::Scale;

/// Where the conventions that the names follow are described.
pub(super) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

/// The states of `hw.status`.
pub(super) const STATES: [&str; 4] = ["ok", "degraded", "failed", "predicted_failure"];

const PERCENT: Scale = Scale::Over(100.0);

const fn metric(
    name: &'static str,
    instrument: Instrument,
    number: Number,
    unit: &'static str,
    help: &'static str,
    series: &'static [Series],
) -> Metric {
    Metric {
        name,
        instrument,
        number,
        unit,
        help,
        series,
    }
}

const fn reading(
    path: &'static str,
    scale: Scale,
    attributes: &'static [(&'static str, &'static str)],
) -> Series {
    Series {
        source: Source::Reading(path, scale),
        attributes,
    }
}

/// The metrics, in the order in which they are sent.
pub const METRICS: &[Metric] = &[
    metric(
        "hw.gpu.utilization",
        Instrument::Gauge,
        Number::Double,
        "1",
        "Fraction of time spent in a specific task.",
        &[
            reading("load.gpu_percent", PERCENT, &[("hw.gpu.task", "general")]),
            reading("load.encoder_percent", PERCENT, &[("hw.gpu.task", "encoder")]),
            reading("load.decoder_percent", PERCENT, &[("hw.gpu.task", "decoder")]),
        ],
    ),
    metric(
        "hw.gpu.memory.usage",
        Instrument::UpDownCounter,
        Number::Int,
        "By",
        "GPU memory used.",
        &[Series {
            source: Source::WithInstances("memory.used_bytes", "memory_used_bytes"),
            attributes: &[],
        }],
    ),
    metric(
        "hw.gpu.memory.limit",
        Instrument::UpDownCounter,
        Number::Int,
        "By",
        "Size of the GPU memory.",
        &[Series {
            source: Source::WithInstances("memory.total_bytes", "memory_total_bytes"),
            attributes: &[],
        }],
    ),
    metric(
        "hw.gpu.memory.utilization",
        Instrument::Gauge,
        Number::Double,
        "1",
        "Fraction of GPU memory used.",
        &[Series {
            source: Source::Ratio("memory.used_bytes", "memory.total_bytes"),
            attributes: &[],
        }],
    ),
    metric(
        "hw.gpu.io",
        Instrument::Counter,
        Number::Int,
        "By",
        "Bytes that the GPU received and transmitted over PCIe.",
        &[
            reading(
                "pcie.received_bytes_total",
                Scale::One,
                &[("network.io.direction", "receive")],
            ),
            reading(
                "pcie.sent_bytes_total",
                Scale::One,
                &[("network.io.direction", "transmit")],
            ),
        ],
    ),
    metric(
        "hw.energy",
        Instrument::Counter,
        Number::Double,
        "J",
        "Energy consumed by the component.",
        &[reading("power.energy_joules_total", Scale::One, &[])],
    ),
    metric(
        "hw.power",
        Instrument::Gauge,
        Number::Double,
        "W",
        "Power consumed by the component.",
        &[reading("power.draw_watts", Scale::One, &[])],
    ),
    metric(
        "hw.temperature",
        Instrument::Gauge,
        Number::Double,
        "Cel",
        "Temperature in degrees Celsius.",
        &[
            reading(
                "thermal.gpu_celsius",
                Scale::One,
                &[("hw.sensor_location", "gpu")],
            ),
            reading(
                "thermal.memory_celsius",
                Scale::One,
                &[("hw.sensor_location", "memory")],
            ),
        ],
    ),
    metric(
        "hw.temperature.limit",
        Instrument::Gauge,
        Number::Double,
        "Cel",
        "Temperature limit in degrees Celsius.",
        &[
            reading(
                "limits.slowdown_celsius",
                Scale::One,
                &[("hw.sensor_location", "gpu"), ("hw.limit_type", "high.degraded")],
            ),
            reading(
                "limits.shutdown_celsius",
                Scale::One,
                &[("hw.sensor_location", "gpu"), ("hw.limit_type", "high.critical")],
            ),
        ],
    ),
    metric(
        "hw.fan.speed_ratio",
        Instrument::Gauge,
        Number::Double,
        "1",
        "Fan speed expressed as a fraction of its maximum speed.",
        &[Series {
            source: Source::Fans("thermal.fans.speed_percent", PERCENT),
            attributes: &[],
        }],
    ),
    metric(
        "hw.fan.speed",
        Instrument::Gauge,
        Number::Int,
        "rpm",
        "Fan speed in revolutions per minute.",
        &[Series {
            source: Source::Fans("thermal.fans.speed_rpm", Scale::One),
            attributes: &[],
        }],
    ),
    metric(
        "hw.errors",
        Instrument::Counter,
        Number::Int,
        "{error}",
        "Memory errors since the driver was loaded.",
        &[
            reading(
                "reliability.corrected_volatile",
                Scale::One,
                &[("error.type", "corrected")],
            ),
            reading(
                "reliability.uncorrected_volatile",
                Scale::One,
                &[("error.type", "uncorrected")],
            ),
        ],
    ),
    metric(
        "hw.status",
        Instrument::UpDownCounter,
        Number::Int,
        "1",
        "Operational status: 1 for the state that holds and 0 for the others.",
        &[Series {
            source: Source::State,
            attributes: &[],
        }],
    ),
];
