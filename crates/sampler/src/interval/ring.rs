//! Statistics of what the driver sampled by itself since the last tick, out of its ring of samples.

use std::collections::VecDeque;

/// A sample that comes later than this many usual spacings after the one before it stands for one usual spacing only.
///
/// The driver may be late or leave a sample out; beyond that the ring has wrapped, the sampling was off, or the clock
/// was set forward, and the one sample at the end of the gap says nothing about the time inside of it.
const GAP: u64 = 4;

/// Spacings out of which the usual one is the median: an odd number, and few enough to follow a driver that changes
/// its period within a few ticks.
const SPACINGS: usize = 15;

/// The share of the time, in percent, during which the value was at most the 95th percentile.
const P95: u128 = 95;

/// What one GPU's driver sampled of one kind of value, from tick to tick.
///
/// Each sample of the driver is the mean over the time since the sample before it, and it weighs as much as that time
/// is long. The samples of consecutive ticks join without overlap: the means of ticks, weighted by their `covered_us`,
/// give the mean over all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring {
    /// Time of the newest sample that was taken, in the driver's microseconds since 1970.
    cursor: Option<u64>,
    /// The latest times from a sample to the next, gaps included.
    spacings: VecDeque<u64>,
    /// Whether the clock was found set back, and the samples of the time before that are still to be told apart.
    set_back: bool,
    /// Times of samples that the driver still keeps from before the clock was set back.
    bygone: Vec<u64>,
}

/// Statistics of the samples of one interval, all of them weighted by time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stats {
    /// The mean.
    pub(crate) mean: f64,
    /// The lowest sample. What happened within a sample's own time is not known.
    pub(crate) min: f64,
    /// The highest sample.
    pub(crate) max: f64,
    /// The lowest sample that the value did not exceed for 95 % of the covered time (nearest rank by weight).
    pub(crate) p95: f64,
    /// Number of samples.
    pub(crate) count: u64,
    /// When the time of the first sample begins, in the driver's microseconds since 1970.
    pub(crate) from_us: u64,
    /// When the last sample was taken.
    pub(crate) to_us: u64,
    /// How much of the time in between is covered by samples: less than all of it where there were gaps, and zero
    /// where a single sample is the first ever, because the time that it stands for is not known.
    pub(crate) covered_us: u64,
}

/// A sample and the time that it stands for.
#[derive(Clone, Copy, Debug)]
struct Weighted {
    value: f64,
    us: u64,
}

impl Ring {
    /// From when on samples are asked for (`lastSeenTimeStamp` of `nvmlDeviceGetSamples`); 0 asks for all there are.
    ///
    /// `now_us` is the host's clock, which is the driver's too. Where it was set back, the cursor goes back with it:
    /// it must not hide samples until the clock has caught up.
    pub(crate) fn since(&mut self, now_us: u64) -> u64 {
        if self.cursor.is_some_and(|cursor| cursor > now_us) {
            self.cursor = Some(now_us);
            self.set_back = true;
        }
        self.cursor.unwrap_or(0)
    }

    /// Statistics of those samples (time in microseconds, value) that are newer than all that were taken before;
    /// nothing where there are none. They may come in any order.
    ///
    /// `now_us` is the host's clock after the driver has answered. A sample that is later than that is not taken: it
    /// was stamped before the clock was set back, or it is taken the next time.
    ///
    /// Of several samples with the same time the first counts. The time that the very first sample stands for is not
    /// known: it gets the usual spacing of the others, their median, and where it is alone it is the mean by itself.
    pub(crate) fn take(&mut self, mut samples: Vec<(u64, f64)>, now_us: u64) -> Option<Stats> {
        self.leave_bygone_out(&mut samples, now_us);
        let cursor = self.cursor.unwrap_or(0);
        samples.retain(|(time, value)| *time > cursor && *time <= now_us && value.is_finite());
        samples.sort_by_key(|(time, _)| *time);
        samples.dedup_by_key(|(time, _)| *time);

        let (first, last) = (samples.first()?.0, samples.last()?.0);
        let before_first = self.cursor.map(|cursor| first - cursor);
        let between = samples.windows(2).map(|pair| pair[1].0 - pair[0].0);
        let spacings: Vec<u64> = before_first.into_iter().chain(between).collect();
        self.remember(&spacings);
        self.cursor = Some(last);

        let usual = median(self.spacings.iter().copied());
        let bounded = spacings.iter().map(|spacing| match usual {
            Some(usual) if *spacing > usual.saturating_mul(GAP) => usual,
            _ => *spacing,
        });
        // The very first sample has none before it; of a single one the time stays unknown.
        let guessed = before_first.is_none().then(|| usual.unwrap_or(0).min(first));
        let weights = guessed.into_iter().chain(bounded);
        let weighted = samples
            .iter()
            .zip(weights)
            .map(|((_, value), us)| Weighted { value: *value, us })
            .collect();
        let from = first - before_first.or(guessed).unwrap_or(0);
        Some(Stats::of(weighted, from, last))
    }

    /// After the clock was set back the driver goes on giving samples of the time before, which is now the future, and
    /// which would come again as new ones when the clock gets there.
    fn leave_bygone_out(&mut self, samples: &mut Vec<(u64, f64)>, now_us: u64) {
        if self.set_back {
            let later = samples.iter().map(|(time, _)| *time);
            self.bygone = later.filter(|time| *time > now_us).collect();
            self.set_back = false;
        }
        samples.retain(|(time, _)| !self.bygone.contains(time));
        let cursor = self.cursor.unwrap_or(0);
        self.bygone.retain(|time| *time > cursor);
    }

    fn remember(&mut self, spacings: &[u64]) {
        self.spacings.extend(spacings);
        let excess = self.spacings.len().saturating_sub(SPACINGS);
        self.spacings.drain(..excess);
    }
}

impl Stats {
    /// `samples` has at least one.
    fn of(mut samples: Vec<Weighted>, from_us: u64, to_us: u64) -> Self {
        let covered_us = samples.iter().map(|sample| sample.us).sum();
        if covered_us == 0 {
            samples.iter_mut().for_each(|sample| sample.us = 1);
        }
        samples.sort_by(|one, other| one.value.total_cmp(&other.value));
        let (min, max) = (samples[0].value, samples[samples.len() - 1].value);
        let total: u64 = samples.iter().map(|sample| sample.us).sum();
        let share = |sample: &Weighted| sample.value * (sample.us as f64 / total as f64);
        let mean: f64 = samples.iter().map(share).sum();
        Self {
            // Rounding does not carry a mean out of the values that it is made of.
            mean: mean.clamp(min, max),
            min,
            max,
            p95: percentile(&samples, total, P95).unwrap_or(max),
            count: samples.len() as u64,
            from_us,
            to_us,
            covered_us,
        }
    }
}

/// The first of the sorted `samples` at which at least `percent` of their total weight has gone by.
fn percentile(samples: &[Weighted], total: u64, percent: u128) -> Option<f64> {
    let mut passed = 0;
    let mut reached = samples.iter().filter(|sample| {
        passed += u128::from(sample.us);
        passed * 100 >= u128::from(total) * percent
    });
    reached.next().map(|sample| sample.value)
}

fn median(values: impl Iterator<Item = u64>) -> Option<u64> {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests;
