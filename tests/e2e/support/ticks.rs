//! What the agent says of a GPU tick by tick, and of which time each tick's statistics are.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

/// What one tick said of one GPU.
#[derive(Clone, Debug)]
pub(crate) struct Tick {
    /// The agent's number of the sample: the next tick has the next one.
    pub(crate) sequence: u64,
    /// When the load was read, since 1970.
    pub(crate) load_read: Duration,
    /// When power and energy were read, since 1970.
    pub(crate) power_read: Duration,
    /// Utilisation as the driver said it at that moment.
    pub(crate) gpu_percent: f64,
    /// Mean utilisation of the time since the tick before.
    pub(crate) mean_percent: f64,
    /// How much time that is the mean of.
    pub(crate) covered: Duration,
    /// Draw as the driver says it first and foremost.
    pub(crate) draw_watts: f64,
    /// Draw of the moment.
    pub(crate) instant_watts: f64,
    /// Mean draw since the tick before, out of the energy counter.
    pub(crate) mean_watts: f64,
    /// Energy since the driver was loaded.
    pub(crate) energy_joules: f64,
}

/// A piece of time, as ages of the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl Tick {
    /// Reads one of the `gpus` of `/api/v1/gpus`. Nothing where a value is absent, as those about the time since the tick
    /// before are at a GPU's first tick.
    pub(crate) fn of(gpu: &Value) -> Option<Self> {
        let number = |path: &str| gpu.pointer(path)?.as_f64();
        let time = |path: &str| {
            let time: Timestamp = gpu.pointer(path)?.as_str()?.parse().ok()?;
            Duration::try_from(time.as_duration()).ok()
        };
        Some(Self {
            sequence: gpu.get("sequence")?.as_u64()?,
            load_read: time("/load/read_at")?,
            power_read: time("/power/read_at")?,
            gpu_percent: number("/load/gpu_percent")?,
            mean_percent: number("/load/interval/gpu/mean_percent")?,
            // The driver's timestamps are whole microseconds, and so is what is between two of them.
            covered: Duration::from_micros(
                (number("/load/interval/gpu/covered_seconds")? * 1e6).round() as u64
            ),
            draw_watts: number("/power/draw_watts")?,
            instant_watts: number("/power/instant_watts")?,
            mean_watts: number("/power/mean_watts")?,
            energy_joules: number("/power/energy_joules_total")?,
        })
    }
}

/// The ticks of one GPU, in pieces within which none is missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Vec<Vec<Tick>>);

impl Record {
    /// Takes a tick in, unless it is the one that was taken in last.
    pub(crate) fn push(&mut self, tick: Tick) {
        let last = self.0.last().and_then(|run| run.last()).map(|last| last.sequence);
        match (last, self.0.last_mut()) {
            (Some(last), _) if last == tick.sequence => {}
            (Some(last), Some(run)) if last + 1 == tick.sequence => run.push(tick),
            _ => self.0.push(vec![tick]),
        }
    }

    /// The pieces.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[Tick]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// How many ticks there were between the pieces.
    pub(crate) fn missed(&self) -> u64 {
        let ends = self
            .runs()
            .filter_map(|run| Some((run.first()?.sequence, run.last()?.sequence)));
        let ends: Vec<_> = ends.collect();
        ends.windows(2).map(|pair| pair[1].0 - pair[0].1 - 1).sum()
    }
}

/// The time that the mean of each tick is of, in a world that began at `epoch` and samples utilisations every `period`.
///
/// The means of consecutive ticks join: all that is to be found is where the last of the driver's samples lay that one of
/// them took in. Each tick tells: it is the last one before the tick was read, unless yet another came between the note of the
/// time and the call. So what most ticks say is true.
pub(crate) fn spans(run: &[Tick], epoch: Duration, period: Duration) -> Vec<Span> {
    let mut covered = Duration::ZERO;
    let mut votes: HashMap<Duration, usize> = HashMap::new();
    for tick in run {
        covered += tick.covered;
        let last_sample = floor(sim_step(tick.load_read.saturating_sub(epoch)), period);
        *votes.entry(last_sample.saturating_sub(covered)).or_default() += 1;
    }
    let beginning = votes
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(at, _)| at);
    let mut to = beginning.unwrap_or_default();
    let span = |tick: &Tick| {
        let from = to;
        to += tick.covered;
        Span { from, to }
    };
    run.iter().map(span).collect()
}

/// The beginning of the step in which the simulator shows a moment.
pub(crate) fn sim_step(age: Duration) -> Duration {
    floor(age, nvml_sim::engine::STEP)
}

fn floor(age: Duration, step: Duration) -> Duration {
    let whole = age.as_nanos() / step.as_nanos();
    step * u32::try_from(whole).unwrap_or(u32::MAX)
}
