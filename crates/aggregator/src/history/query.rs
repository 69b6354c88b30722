//! What is asked of the history, and the answer: columns over a time axis that all series share.

use std::sync::{PoisonError, RwLock};

use gpulse_models::GpuId;

use super::{block::Block, metrics::MetricId, ring::Tier, store::Store};

/// Steps times series in an answer, at most: some megabytes of JSON.
pub const MOST_POINTS: u64 = 100_000;

/// Points that are looked at for an answer, at most: some tenths of a second of work.
pub const MOST_LOOKED_AT: u64 = 10_000_000;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Query {
    /// Of which GPUs.
    pub gpus: Vec<GpuId>,
    /// Which metrics.
    pub metrics: Vec<MetricId>,
    /// From which second on.
    pub from: i64,
    /// Until which second, which is not in the answer.
    pub to: i64,
    /// Seconds from one point to the next.
    pub step: i64,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// Seconds from one point to the next: what was asked for, or as much more as the tier needs.
    pub step: i64,
    /// Seconds of a slot of the tier that it was taken from.
    pub tier: i64,
    /// When each step begins.
    pub times: Vec<i64>,
    /// A series for each GPU and, within it, each metric.
    pub series: Vec<Series>,
}

/// The points of one metric of one GPU; nothing where nothing was read within the step.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Of which GPU.
    pub gpu: GpuId,
    /// Which metric.
    pub metric: MetricId,
    /// The mean of the slots within each step.
    pub mean: Vec<Option<f64>>,
    /// The lowest within each step.
    pub min: Vec<Option<f64>>,
    /// The highest within each step.
    pub max: Vec<Option<f64>>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// The answer would be too long.
    #[error(
        "{steps} steps of {series} series are more than {MOST_POINTS} points: ask for a longer step, a shorter time, or fewer GPUs or metrics"
    )]
    Points {
        /// Steps from begin to end.
        steps: u64,
        /// GPUs times metrics.
        series: u64,
    },
    /// Too much would be looked at for it.
    #[error(
        "{0} points would have to be looked at, more than {MOST_LOOKED_AT}: ask for a shorter time, or fewer GPUs or metrics"
    )]
    Work(u64),
}

/// Answers `query` from what `store` holds. The lock is held while pointers are copied, not while blocks are unpacked.
pub(crate) fn answer(store: &RwLock<Store>, query: &Query) -> Result<Columns, TooMuch> {
    let held = store.read().unwrap_or_else(PoisonError::into_inner);
    let place = choose(&held, query);
    let tier = held
        .tiers()
        .get(place)
        .copied()
        .unwrap_or(Tier { step: 1, keep: 0 });
    let step = query.step.max(1);
    let step = (step + tier.step - 1).div_euclid(tier.step) * tier.step;
    let first = query.from.div_euclid(step);
    let end = query.to.saturating_add(step - 1).div_euclid(step);
    let steps = u64::try_from(end - first).unwrap_or(0);
    let series = query.gpus.len() as u64 * query.metrics.len() as u64;
    // Without any GPU there is a time axis all the same.
    if steps.saturating_mul(series.max(1)) > MOST_POINTS {
        return Err(TooMuch::Points { steps, series });
    }
    let grid = Grid {
        first,
        steps: usize::try_from(steps).unwrap_or(0),
        step,
        tier: tier.step,
    };
    let mut blocks = Vec::new();
    for gpu in &query.gpus {
        let ring = held.gpus().get(gpu).and_then(|gpu| gpu.rings.get(place));
        let found = ring.map(|ring| {
            let between = ring.between(first * step, end * step - 1);
            between
                .map(|(slot, block)| (slot, block.clone()))
                .collect::<Vec<_>>()
        });
        blocks.push(found.unwrap_or_default());
    }
    drop(held);
    let looked_at: u64 = blocks.iter().map(|blocks| blocks.len() as u64).sum();
    let looked_at = looked_at * super::block::MOST_SLOTS as u64 * query.metrics.len() as u64;
    if looked_at > MOST_LOOKED_AT {
        return Err(TooMuch::Work(looked_at));
    }
    let mut columns = Columns {
        step,
        tier: tier.step,
        times: (first..end).map(|number| number * step).collect(),
        series: Vec::new(),
    };
    for (gpu, blocks) in query.gpus.iter().zip(&blocks) {
        for metric in &query.metrics {
            columns.series.push(grid.series(gpu, *metric, blocks));
        }
    }
    Ok(columns)
}

/// The coarsest tier of which a step is made up and that reaches as far back as is asked for, or as any does. Is there none,
/// the finest that reaches so far.
fn choose(store: &Store, query: &Query) -> usize {
    let begins = |place: usize| {
        let gpus = query.gpus.iter().filter_map(|gpu| store.gpus().get(gpu));
        gpus.filter_map(|gpu| gpu.rings.get(place)?.begins()).min()
    };
    let tiers = store.tiers();
    let earliest = (0..tiers.len()).filter_map(begins).min().unwrap_or(query.from);
    let coarsest = tiers.iter().map(|tier| tier.step).max().unwrap_or(1);
    // A slot of a coarse tier begins earlier than what is in it.
    let reaches = |place: &usize| {
        begins(*place).is_some_and(|begins| begins <= query.from || begins - earliest < coarsest)
    };
    let fits = |place: &usize| query.step % tiers[*place].step == 0;
    let places = || 0..tiers.len();
    let best = places().rev().filter(reaches).find(fits);
    best.or_else(|| places().find(reaches)).unwrap_or(0)
}

/// The time axis of an answer.
struct Grid {
    first: i64,
    steps: usize,
    step: i64,
    tier: i64,
}

impl Grid {
    fn series(&self, gpu: &GpuId, metric: MetricId, blocks: &[(i64, Block)]) -> Series {
        let mut totals = vec![(0.0, 0_u32); self.steps];
        let (mut min, mut max) = (vec![None::<f64>; self.steps], vec![None::<f64>; self.steps]);
        for (slot, block) in blocks {
            let column = block.column(metric.0);
            for (place, point) in column.points() {
                let second = (slot + place as i64) * self.tier;
                let step = usize::try_from(second.div_euclid(self.step) - self.first);
                let Some(step) = step.ok().filter(|step| *step < self.steps) else {
                    continue;
                };
                totals[step].0 += point.mean;
                totals[step].1 += 1;
                min[step] = Some(min[step].map_or(point.min, |min| min.min(point.min)));
                max[step] = Some(max[step].map_or(point.max, |max| max.max(point.max)));
            }
        }
        let mean = totals
            .iter()
            .zip(min.iter().zip(&max))
            .map(|((total, count), (min, max))| {
                let mean = total / f64::from(*count);
                Some(mean.clamp((*min)?, (*max)?))
            });
        Series {
            gpu: gpu.clone(),
            metric,
            mean: mean.collect(),
            min,
            max,
        }
    }
}
