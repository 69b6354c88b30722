//! The loads: three shapes at six frequencies, one on each simulated GPU.

use std::fmt::Write as _;

/// What kind of GPU has them. Its driver says the draw both as an average over a second and as that of the moment, and it
/// samples utilisations six times a second, as most do.
pub(crate) const BASE: &str = "l40s-4";

/// One load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) shape: &'static str,
    pub(crate) frequency_hz: f64,
    low: f64,
    high: f64,
    duty: f64,
}

/// From slower than a tick to faster than the driver samples; the odd one is in step with neither.
const FREQUENCIES_HZ: [f64; 6] = [0.5, 1.0, 1.37, 2.0, 5.0, 10.0];

/// Shape, low, high, and the share of a period that is high: half busy, busy once in a while, never at rest.
const SHAPES: [(&str, f64, f64, f64); 3] = [
    ("square", 0.1, 0.9, 0.5),
    ("burst", 0.0, 1.0, 0.1),
    ("sine", 0.1, 0.9, 0.5),
];

/// The load of each GPU.
pub(crate) const LOADS: [Load; SHAPES.len() * FREQUENCIES_HZ.len()] = {
    let mut loads = [Load {
        shape: "",
        frequency_hz: 0.0,
        low: 0.0,
        high: 0.0,
        duty: 0.0,
    }; SHAPES.len() * FREQUENCIES_HZ.len()];
    let mut place = 0;
    while place < loads.len() {
        let (shape, low, high, duty) = SHAPES[place / FREQUENCIES_HZ.len()];
        loads[place] = Load {
            shape,
            frequency_hz: FREQUENCIES_HZ[place % FREQUENCIES_HZ.len()],
            low,
            high,
            duty,
        };
        place += 1;
    }
    loads
};

/// What makes a host with these loads out of the base.
pub(crate) fn profile() -> String {
    let mut toml = format!("count = {}\ngpu.work = \"waveform\"\n", LOADS.len());
    for (index, load) in LOADS.iter().enumerate() {
        let Load {
            shape,
            frequency_hz,
            low,
            high,
            duty,
        } = load;
        // Writing to a text cannot fail.
        let _ = write!(
            toml,
            "[[gpus]]\nindex = {index}\nwaveform = {{ shape = \"{shape}\", frequency_hz = {frequency_hz:?}, \
             low = {low:?}, high = {high:?}, duty = {duty:?} }}\n"
        );
    }
    toml
}
