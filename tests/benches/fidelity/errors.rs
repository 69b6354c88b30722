//! How far what was reported of a GPU is from what it did.

use std::time::Duration;

use nvml_sim::testing::Simulator;

use crate::support::{Record, Tick, sim_step, spans};

/// Errors in percent of the truth over the same time, unless they say otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errors {
    /// The mean utilisation that there was, percent.
    pub(crate) true_percent: f64,
    /// The mean power that there was.
    pub(crate) true_watts: f64,
    /// Of the mean utilisation, from the means of all ticks.
    pub(crate) mean: f64,
    /// Of the mean utilisation of a tick: the usual size, in percentage points.
    pub(crate) mean_of_tick: f64,
    /// Of the mean utilisation, from its value at each tick.
    pub(crate) point: f64,
    /// Of the value at a tick as the mean of the tick: the usual size, in percentage points.
    pub(crate) point_of_tick: f64,
    /// Of the energy, by the counter.
    pub(crate) counter: f64,
    /// Of the energy, by the mean power of each tick.
    pub(crate) mean_power: f64,
    /// Of the energy, by the draw at each tick.
    pub(crate) draw: f64,
    /// Of the energy, by the draw of the moment at each tick.
    pub(crate) instant: f64,
}

/// What adds up from tick to tick.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    ticks: f64,
    seconds: f64,
    load_true: f64,
    load_mean: f64,
    load_point: f64,
    mean_off: f64,
    point_off: f64,
    metered: f64,
    joules_true: f64,
    joules_counter: f64,
    joules_mean: f64,
    joules_draw: f64,
    joules_instant: f64,
}

impl Errors {
    /// Compares what was recorded of a GPU with what it did; nothing if no two ticks follow each other.
    pub(crate) fn of(simulator: &Simulator, gpu: usize, record: &Record) -> Option<Self> {
        let period = Duration::from_millis(simulator.profile().gpus[gpu].sampling_period_ms.into());
        let mut sums = Sums::default();
        for run in record.runs() {
            let spans = spans(run, simulator.epoch(), period);
            // The first tick of a run only says where the next one begins.
            for (pair, span) in run.windows(2).zip(spans.iter().skip(1)) {
                let load = simulator.mean(gpu, span.from, span.to)?.gpu;
                sums.add_load(&pair[1], 100.0 * load);
                let shown = [&pair[0], &pair[1]].map(|tick| sim_step(simulator.age_at(tick.power_read)));
                let joules = simulator.mean(gpu, shown[0], shown[1])?.energy_j;
                sums.add_energy(&pair[0], &pair[1], joules);
            }
        }
        (sums.ticks > 0.0).then(|| sums.errors())
    }
}

impl Sums {
    fn add_load(&mut self, tick: &Tick, true_percent: f64) {
        let seconds = tick.covered.as_secs_f64();
        self.ticks += 1.0;
        self.seconds += seconds;
        self.load_true += true_percent * seconds;
        self.load_mean += tick.mean_percent * seconds;
        self.load_point += tick.gpu_percent;
        self.mean_off += (tick.mean_percent - true_percent).abs();
        self.point_off += (tick.gpu_percent - true_percent).abs();
    }

    fn add_energy(&mut self, before: &Tick, tick: &Tick, true_joules: f64) {
        let seconds = (tick.power_read - before.power_read).as_secs_f64();
        self.metered += seconds;
        self.joules_true += true_joules;
        self.joules_counter += tick.energy_joules - before.energy_joules;
        self.joules_mean += tick.mean_watts * seconds;
        self.joules_draw += tick.draw_watts * seconds;
        self.joules_instant += tick.instant_watts * seconds;
    }

    fn errors(&self) -> Errors {
        let true_percent = self.load_true / self.seconds;
        let of_load = |said: f64| 100.0 * (said - true_percent) / true_percent;
        let of_energy = |said: f64| 100.0 * (said - self.joules_true) / self.joules_true;
        Errors {
            true_percent,
            true_watts: self.joules_true / self.metered,
            mean: of_load(self.load_mean / self.seconds),
            mean_of_tick: self.mean_off / self.ticks,
            point: of_load(self.load_point / self.ticks),
            point_of_tick: self.point_off / self.ticks,
            counter: of_energy(self.joules_counter),
            mean_power: of_energy(self.joules_mean),
            draw: of_energy(self.joules_draw),
            instant: of_energy(self.joules_instant),
        }
    }
}
