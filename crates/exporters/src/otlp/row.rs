//! What a metric of OpenTelemetry is, and what its series are made of.

use std::fmt;

use crate::Scale;

/// A metric of the table.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its instrument.
    pub instrument: Instrument,
    /// How its values are written.
    pub number: Number,
    /// Its unit, in UCUM.
    pub unit: &'static str,
    /// What it means.
    pub help: &'static str,
    /// What it consists of.
    pub series: &'static [Series],
}

/// What may be done with a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instrument {
    /// They cannot be added.
    Gauge,
    /// They only grow, from when the agent started on.
    Counter,
    /// They can be added over GPUs, and go up and down.
    UpDownCounter,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// As whole numbers.
    Int,
    /// As they are.
    Double,
}

/// Series of a metric.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// What they are made of.
    pub source: Source,
    /// Their attributes, beside those of the GPU.
    pub attributes: &'static [(&'static str, &'static str)],
}

/// What series are made of.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The reading at this path.
    Reading(&'static str, Scale),
    /// The reading at the first path, and of MIG instances the one at the second path below `mig.instances`.
    WithInstances(&'static str, &'static str),
    /// The first of these readings, as a fraction of the second.
    Ratio(&'static str, &'static str),
    /// The reading at this path, of each fan; `hw.sensor_location` is `fan` and its number.
    Fans(&'static str, Scale),
    /// The state of the GPU, a series for each that there is; `hw.state` is its name.
    State,
}

impl Instrument {
    /// Its name in the specification.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::UpDownCounter => "updowncounter",
        }
    }
}

impl fmt::Display for Source {
    /// For the reference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scaled = |scale: &Scale| match scale {
            Scale::One => String::new(),
            Scale::Times(factor) => format!(" × {factor}"),
            Scale::Over(divisor) => format!(" ÷ {divisor}"),
        };
        match self {
            Self::Reading(path, scale) => write!(f, "`{path}`{}", scaled(scale)),
            Self::WithInstances(path, key) => write!(f, "`{path}`, of MIG instances `mig.instances.{key}`"),
            Self::Ratio(part, whole) => write!(f, "`{part}` of `{whole}`"),
            Self::Fans(path, scale) => {
                write!(f, "`{path}`{}; by `hw.sensor_location`: `fan0`, …", scaled(scale))
            }
            Self::State => f.write_str("its state; by `hw.state`"),
        }
    }
}
