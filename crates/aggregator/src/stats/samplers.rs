//! Counts what samplers do, by their place in the roster.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use gpulse_models::SamplerStats;

/// Places that are counted apart, several times what a node has. Samplers beyond it are counted at the last place.
pub const MOST_SAMPLERS: usize = 256;

/// What the samplers do.
#[derive(Debug, Default)]
pub(super) struct Samplers(Mutex<Vec<Arc<SamplerCounters>>>);

/// What the sampler of one GPU does.
#[derive(Debug, Default)]
pub struct SamplerCounters {
    ticks: AtomicU64,
    overruns: AtomicU64,
    samples: AtomicU64,
    failures: AtomicU64,
    hangs: AtomicU64,
    dropped: AtomicU64,
    readers_replaced: AtomicU64,
}

impl Samplers {
    pub(super) fn at(&self, index: u32) -> Arc<SamplerCounters> {
        let place = (index as usize).min(MOST_SAMPLERS - 1);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() <= place {
            all.resize_with(place + 1, Arc::default);
        }
        Arc::clone(&all[place])
    }

    pub(super) fn read(&self) -> Vec<SamplerStats> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (0..).zip(&*all).map(|(index, one)| one.read(index)).collect()
    }
}

impl SamplerCounters {
    /// A read was due.
    pub fn ticked(&self) {
        add_one(&self.ticks);
    }

    /// The reader was still busy then.
    pub fn overran(&self) {
        add_one(&self.overruns);
    }

    /// A read gave a sample.
    pub fn sampled(&self) {
        add_one(&self.samples);
    }

    /// A read failed, or there could be none.
    pub fn failed(&self) {
        add_one(&self.failures);
    }

    /// A read did not end in time.
    pub fn hung(&self) {
        add_one(&self.hangs);
    }

    /// The aggregator's mailbox refused an outcome.
    pub fn dropped(&self) {
        add_one(&self.dropped);
    }

    /// A reader was started in the place of another.
    pub fn replaced_reader(&self) {
        add_one(&self.readers_replaced);
    }

    fn read(&self, index: u32) -> SamplerStats {
        SamplerStats {
            index,
            ticks: self.ticks.load(Ordering::Relaxed),
            overruns: self.overruns.load(Ordering::Relaxed),
            samples: self.samples.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            hangs: self.hangs.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            readers_replaced: self.readers_replaced.load(Ordering::Relaxed),
        }
    }
}

fn add_one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_keeps_its_counts_for_the_sampler_that_comes_next() {
        let samplers = Samplers::default();
        samplers.at(2).ticked();
        samplers.at(2).ticked();
        samplers.at(0).failed();
        let all = samplers.read();
        assert_eq!(all.iter().map(|one| one.index).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((all[2].ticks, all[0].failures, all[0].ticks), (2, 1, 0));
    }

    #[test]
    fn an_index_that_no_node_has_costs_no_memory() {
        let samplers = Samplers::default();
        samplers.at(u32::MAX).ticked();
        let all = samplers.read();
        assert_eq!(all.len(), MOST_SAMPLERS);
        assert_eq!(all.last().map(|one| one.ticks), Some(1));
    }
}
