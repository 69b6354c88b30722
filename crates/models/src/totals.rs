//! Sums and averages over the GPUs of a host, as the REST routes define them.

mod host;

use std::collections::BTreeMap;

pub use host::{HostSums, HostTotals};

use crate::{Bytes, Percent, Reading, Reason, Sample};

/// Sums and averages over samples. Computed once per generation.
///
/// The REST routes send an absent number as 0 and promise that the sums are those of what they send: an absent
/// reading counts as 0 here as well, and `unavailable` names each sum or average that contains such a gap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Samples that went in.
    pub count: usize,
    /// Sum of allocated memory.
    pub memory_used_mb: f64,
    /// Sum of memory.
    pub memory_total_mb: f64,
    /// Mean of the share of time in which a kernel ran.
    pub average_gpu_utilization: f64,
    /// Mean of the share of time in which memory was busy.
    pub average_memory_utilization: f64,
    /// Mean core temperature.
    pub average_temperature: f64,
    /// Sum of the draw.
    pub power_draw_watts: f64,
    /// Which of the above miss a GPU's contribution, and why.
    pub unavailable: BTreeMap<&'static str, Reason>,
}

impl Totals {
    /// Adds up `samples`.
    pub fn over<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Self {
        let mut totals = Self::default();
        for sample in samples {
            totals.count += 1;
            let used = sample.memory.used_bytes.map(Bytes::mebibytes);
            let total = sample.memory.total_bytes.map(Bytes::mebibytes);
            totals.memory_used_mb += totals.present("total_memory_used_mb", used);
            totals.memory_total_mb += totals.present("total_memory_total_mb", total);
            let gpu = sample.load.gpu_percent.map(Percent::clamped);
            totals.average_gpu_utilization += totals.present("average_gpu_utilization", gpu);
            let memory = sample.load.memory_percent.map(Percent::clamped);
            totals.average_memory_utilization += totals.present("average_memory_utilization", memory);
            let temperature = sample.thermal.gpu_celsius.map(|t| t.0);
            totals.average_temperature += totals.present("average_temperature", temperature);
            let draw = sample.power.draw_watts.map(|w| w.0);
            totals.power_draw_watts += totals.present("total_power_draw_watts", draw);
        }
        let count = totals.count.max(1) as f64;
        totals.average_gpu_utilization /= count;
        totals.average_memory_utilization /= count;
        totals.average_temperature /= count;
        totals
    }

    /// The number to add; a gap is noted under `key` and adds nothing.
    fn present(&mut self, key: &'static str, reading: Reading<f64>) -> f64 {
        match reading {
            Reading::Value(number) => number,
            Reading::Unavailable(reason) => {
                self.unavailable.insert(key, reason);
                0.0
            }
        }
    }
}
