//! Totals of a host with a reason where they are not known.

use crate::{
    Bytes, Celsius, GpuSnapshot, HostSnapshot, Percent, Reading, Reason, Sample, Watts,
    catalogue::{Catalogued, Metric, readings},
};

readings! {
    /// Sums and averages over the GPUs of a host that are `ok` and give the value: what a GPU said before it hung is not of now.
    /// MIG instances are parts of their GPU and are not counted beside it.
    pub struct HostTotals {
        /// Memory of all GPUs.
        reading memory_total_bytes: Bytes, gauge, "sum of memory.total_bytes", Fermi;
        /// What of it is allocated.
        reading memory_used_bytes: Bytes, gauge, "sum of memory.used_bytes", Fermi;
        /// What of it is not.
        reading memory_free_bytes: Bytes, gauge, "sum of memory.free_bytes", Fermi;
        /// Draw of all GPUs.
        reading power_draw_watts: Watts, gauge, "sum of power.draw_watts", Fermi;
        /// The limits in force, added up.
        reading power_limit_watts: Watts, gauge, "sum of power.enforced_limit_watts", Kepler;
        /// Mean share of time in which a kernel ran.
        reading mean_gpu_percent: Percent, gauge, "mean of load.gpu_percent", Fermi;
        /// Mean share of time in which memory was read or written.
        reading mean_memory_percent: Percent, gauge, "mean of load.memory_percent", Fermi;
        /// Mean core temperature.
        reading mean_gpu_celsius: Celsius, gauge, "mean of thermal.gpu_celsius", Fermi;
    }
}

/// The totals of a host, and of whom they are.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSums {
    /// The totals over those GPUs that give the value.
    pub totals: HostTotals,
    /// How many GPUs went into each total, by its key.
    pub counted: Vec<(&'static str, usize)>,
    /// Totals that miss a GPU or all of them, by their key: why the first of these gives no value.
    pub gaps: Vec<(&'static str, Reason)>,
}

impl HostSums {
    /// Adds up what the GPUs of `host` give.
    pub fn over(host: &HostSnapshot) -> Self {
        let mut adding = Adding {
            gpus: host.gpus.iter().map(|gpu| &**gpu).collect(),
            keys: HostTotals::METRICS.iter(),
            counted: Vec::new(),
            gaps: Vec::new(),
        };
        let bytes = |amount: Bytes| u128::from(amount.0);
        let totals = HostTotals {
            memory_total_bytes: adding.bytes(|sample| sample.memory.total_bytes.map(bytes)),
            memory_used_bytes: adding.bytes(|sample| sample.memory.used_bytes.map(bytes)),
            memory_free_bytes: adding.bytes(|sample| sample.memory.free_bytes.map(bytes)),
            power_draw_watts: adding
                .sum(|sample| sample.power.draw_watts.map(|w| w.0))
                .map(Watts),
            power_limit_watts: adding
                .sum(|sample| sample.power.enforced_limit_watts.map(|w| w.0))
                .map(Watts),
            mean_gpu_percent: adding
                .mean(|sample| sample.load.gpu_percent.map(Percent::clamped))
                .map(Percent),
            mean_memory_percent: adding
                .mean(|sample| sample.load.memory_percent.map(Percent::clamped))
                .map(Percent),
            mean_gpu_celsius: adding
                .mean(|sample| sample.thermal.gpu_celsius.map(|t| t.0))
                .map(Celsius),
        };
        Self {
            totals,
            counted: adding.counted,
            gaps: adding.gaps,
        }
    }
}

/// The keys that were not added up yet, in their order, and what was found about those before.
struct Adding<'a> {
    gpus: Vec<&'a GpuSnapshot>,
    keys: std::slice::Iter<'static, Metric>,
    counted: Vec<(&'static str, usize)>,
    gaps: Vec<(&'static str, Reason)>,
}

impl Adding<'_> {
    /// What the GPUs give for the next key, or why none of them does.
    fn next<T>(&mut self, of: impl Fn(&Sample) -> Reading<T>) -> Result<Vec<T>, Reason> {
        let key = self.keys.next().map_or("", |metric| metric.key);
        let (mut values, mut gap) = (Vec::new(), None);
        for gpu in &self.gpus {
            let reading = gpu.fresh_sample().map_or_else(Reading::Unavailable, &of);
            match reading {
                Reading::Value(value) => values.push(value),
                Reading::Unavailable(reason) => gap = gap.or(Some(reason)),
            }
        }
        // Nobody is there to give a value: none is known.
        let none = gap.unwrap_or(Reason::NotReady);
        if values.is_empty() {
            gap = Some(none);
        }
        self.counted.push((key, values.len()));
        self.gaps.extend(gap.map(|reason| (key, reason)));
        if values.is_empty() { Err(none) } else { Ok(values) }
    }

    fn bytes(&mut self, of: impl Fn(&Sample) -> Reading<u128>) -> Reading<Bytes> {
        let sum = self.next(of).map(|values| values.iter().sum::<u128>());
        sum.and_then(|sum| u64::try_from(sum).map(Bytes).map_err(|_| Reason::Error))
            .into()
    }

    fn sum(&mut self, of: impl Fn(&Sample) -> Reading<f64>) -> Reading<f64> {
        self.next(of).map(|values| values.iter().sum()).into()
    }

    fn mean(&mut self, of: impl Fn(&Sample) -> Reading<f64>) -> Reading<f64> {
        self.next(of)
            .map(|values| values.iter().sum::<f64>() / values.len() as f64)
            .into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{GpuState, Mig, MigDevice, Timed, example};

    #[test]
    fn a_gpu_that_gives_nothing_is_a_gap_and_no_zero() {
        let mut lost = example::gpu(1);
        lost.health.state = GpuState::Lost;
        let sums = HostSums::over(&example::host([example::gpu(0), lost]));
        assert_eq!(sums.totals.power_draw_watts, Reading::Value(Watts(350.0)));
        assert_eq!(sums.totals.mean_gpu_percent, Reading::Value(Percent(75.0)));
        assert_eq!(sums.gaps.len(), HostTotals::METRICS.len());
        assert!(sums.gaps.contains(&("power_draw_watts", Reason::GpuLost)));
        assert!(sums.counted.contains(&("power_draw_watts", 1)));
    }

    #[test]
    fn what_a_gpu_said_before_it_hung_is_not_counted() {
        let mut hung = example::gpu(1);
        hung.health.state = GpuState::Hung;
        let sums = HostSums::over(&example::host([example::gpu(0), hung]));
        assert_eq!(sums.totals.power_draw_watts, Reading::Value(Watts(350.0)));
        assert!(sums.counted.contains(&("power_draw_watts", 1)));
        assert!(sums.gaps.contains(&("power_draw_watts", Reason::Timeout)));
    }

    #[test]
    fn a_total_of_nobody_is_not_known() {
        let sums = HostSums::over(&example::host([]));
        assert_eq!(
            sums.totals.memory_used_bytes,
            Reading::Unavailable(Reason::NotReady)
        );
        assert!(sums.counted.iter().all(|(_, count)| *count == 0));
    }

    #[test]
    fn mig_instances_are_not_counted_beside_their_gpu() {
        let mut sample = example::sample();
        let whole = HostSums::over(&example::host([example::gpu(0)]));
        let instance = MigDevice {
            memory_total_bytes: Reading::Value(Bytes(40 << 30)),
            ..MigDevice::absent(Reason::NotSupported)
        };
        sample.mig = Arc::new(Timed {
            read_at: None,
            readings: Mig {
                instances: Reading::Value(vec![instance.clone(), instance]),
                ..Mig::absent(Reason::NotSupported)
            },
        });
        let mut cut = example::gpu(0);
        cut.sample = Some(Arc::new(sample));
        assert_eq!(HostSums::over(&example::host([cut])), whole);
    }
}
