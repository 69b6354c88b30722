//! What was seen of each GPU since the screens are there, and before it where the agent has a history: the graphs' data.

use std::collections::{BTreeMap, VecDeque};

use crate::body::{Gpu, Gpus, History};

/// Points that are kept of a GPU: half an hour at one a second, 43 kB.
const KEPT: usize = 1_800;

/// GPUs of which points are kept: more than any one machine has, in case an agent makes up new ones.
const MAX_GPUS: usize = 256;

/// A reading is shown as lasting for this many steps, so that a late one leaves no gap.
const LASTS: usize = 2;

/// A reading of the agent's history is shown as lasting for this many of the times that usually lie between two of them: a frame
/// holds the last reading until there is another one, and the history has nothing in between.
const LASTS_IN_HISTORY: f64 = 2.0;

/// Seconds between two readings of the history where there are too few of them to tell: an agent's slow readings are as far
/// apart, unless it is told otherwise.
const USUAL: f64 = 5.0;

/// Times between readings that tell how far they are apart.
const ENOUGH: usize = 3;

/// A reading that is drawn over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    Load,
    Memory,
    Power,
    Temperature,
    PcieReceived,
    PcieSent,
    NvlinkReceived,
    NvlinkSent,
}

impl Metric {
    pub(crate) const ALL: [Self; 8] = [
        Self::Load,
        Self::Memory,
        Self::Power,
        Self::Temperature,
        Self::PcieReceived,
        Self::PcieSent,
        Self::NvlinkReceived,
        Self::NvlinkSent,
    ];

    /// Its path in the catalogue of readings.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Load => "load.gpu_percent",
            Self::Memory => "memory.used_bytes",
            Self::Power => "power.draw_watts",
            Self::Temperature => "thermal.gpu_celsius",
            Self::PcieReceived => "pcie.received_bytes_per_second",
            Self::PcieSent => "pcie.sent_bytes_per_second",
            Self::NvlinkReceived => "nvlink.received_bytes_per_second",
            Self::NvlinkSent => "nvlink.sent_bytes_per_second",
        }
    }

    /// Its value; nothing where there is none, or where the GPU is not read any more.
    pub(crate) fn of(self, gpu: &Gpu) -> Option<f64> {
        if !gpu.is_ok() {
            return None;
        }
        match self {
            Self::Load => gpu.load.gpu_percent,
            #[allow(
                clippy::cast_precision_loss,
                reason = "a graph has no more than some hundred steps"
            )]
            Self::Memory => gpu.memory.used_bytes.map(|bytes| bytes as f64),
            Self::Power => gpu.power.draw_watts,
            Self::Temperature => gpu.thermal.gpu_celsius,
            Self::PcieReceived => gpu.pcie.received_bytes_per_second,
            Self::PcieSent => gpu.pcie.sent_bytes_per_second,
            Self::NvlinkReceived => gpu.nvlink.received_bytes_per_second,
            Self::NvlinkSent => gpu.nvlink.sent_bytes_per_second,
        }
    }
}

/// All readings of a moment; NaN where there was none.
#[derive(Clone, Copy, Debug)]
struct Point {
    /// Unix seconds, by the agent's clock.
    at: f64,
    values: [f32; Metric::ALL.len()],
    /// Whether the agent remembered it, in place of saying it while it was so.
    is_history: bool,
}

/// The points of each GPU, by its key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    gpus: BTreeMap<String, VecDeque<Point>>,
    last: f64,
}

impl Seen {
    /// Takes in a frame. One that was taken in before changes nothing.
    pub(crate) fn take(&mut self, frame: &Gpus) {
        let Some(at) = frame.published_at.map(|at| at.as_duration().as_secs_f64()) else {
            return;
        };
        if at <= self.last {
            return;
        }
        self.last = at;
        for gpu in &frame.gpus {
            let values = Metric::ALL.map(|metric| metric.of(gpu).map_or(f32::NAN, narrow));
            let key = gpu.key();
            if self.gpus.len() >= MAX_GPUS && !self.gpus.contains_key(&key) {
                continue;
            }
            let points = self.gpus.entry(key).or_default();
            if points.len() == KEPT {
                points.pop_front();
            }
            points.push_back(Point {
                at,
                values,
                is_history: false,
            });
        }
    }

    /// Takes in what the agent remembers of the time before.
    pub(crate) fn take_history(&mut self, history: &History) {
        let mut earlier: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
        let empty = [f32::NAN; Metric::ALL.len()];
        for series in &history.series {
            let place = Metric::ALL
                .iter()
                .position(|metric| metric.path() == series.metric);
            let (Some(place), Some(uuid)) = (place, series.gpu.uuid.as_deref()) else {
                continue;
            };
            let points = earlier.entry(uuid).or_insert_with(|| {
                history
                    .times
                    .iter()
                    .map(|&at| Point {
                        at,
                        values: empty,
                        is_history: true,
                    })
                    .collect()
            });
            for (point, value) in points.iter_mut().zip(&series.mean) {
                point.values[place] = value.map_or(f32::NAN, narrow);
            }
        }
        for (uuid, points) in earlier {
            let Some(own) = self.gpus.get_mut(uuid) else {
                continue;
            };
            let first = own.front().map_or(f64::INFINITY, |point| point.at);
            for point in points.into_iter().rev().filter(|point| point.at < first) {
                if own.len() == KEPT {
                    break;
                }
                own.push_front(point);
            }
        }
    }

    /// Forgets everything: the agent is another one.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// `columns` values of a GPU, each the mean of `step` seconds, the newest last; nothing where nothing was read.
    pub(crate) fn series(&self, gpu: &str, metric: Metric, step: f64, columns: usize) -> Vec<Option<f64>> {
        let mut sums = vec![Column::default(); columns];
        let bucket = |at: f64| whole((at / step).floor());
        let newest = bucket(self.last);
        let points = self.gpus.get(gpu).into_iter().flatten().rev();
        let place = Metric::ALL
            .iter()
            .position(|other| *other == metric)
            .unwrap_or_default();
        let mut remembered = Vec::new();
        for point in points {
            let Ok(back) = usize::try_from(newest.saturating_sub(bucket(point.at))) else {
                continue;
            };
            let Some(sum) = columns
                .checked_sub(back + 1)
                .and_then(|column| sums.get_mut(column))
            else {
                break;
            };
            sum.is_history &= point.is_history;
            if !point.values[place].is_nan() {
                sum.sum += f64::from(point.values[place]);
                sum.count += 1;
                if point.is_history {
                    remembered.push(point.at);
                }
            }
        }
        let in_history = lasts_in_history(&remembered, step);
        let mut carried = (None, 0);
        let values = sums.into_iter().map(|column| {
            let lasts = if column.is_history { in_history } else { LASTS };
            carried = match column.mean() {
                Some(value) => (Some(value), lasts),
                // What was not read while somebody looked is not there, whatever was remembered before.
                None if carried.1 > 0 => (carried.0, carried.1.min(lasts) - 1),
                None => (None, 0),
            };
            carried.0
        });
        values.collect()
    }
}

/// What fell into a column of a graph.
#[derive(Clone, Copy, Debug)]
struct Column {
    sum: f64,
    count: u32,
    /// Whether nothing of it was said while it was so.
    is_history: bool,
}

impl Default for Column {
    fn default() -> Self {
        Self {
            sum: 0.0,
            count: 0,
            is_history: true,
        }
    }
}

impl Column {
    fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// How many steps a reading of the history lasts, of which these are the times, the newest first.
fn lasts_in_history(times: &[f64], step: f64) -> usize {
    let mut gaps: Vec<f64> = times.windows(2).map(|pair| pair[0] - pair[1]).collect();
    gaps.sort_by(f64::total_cmp);
    let median = gaps.get(gaps.len() / 2).copied();
    let usual = median.filter(|_| gaps.len() >= ENOUGH).unwrap_or(USUAL);
    let steps = whole((usual * LASTS_IN_HISTORY / step).ceil());
    usize::try_from(steps - 1).unwrap_or_default().max(LASTS)
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a graph shows no more than three digits"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[allow(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
#[path = "seen_tests.rs"]
mod tests;
