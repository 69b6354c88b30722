//! The latest generations, for readers of a stream who were away for a moment.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gpulse_models::HostSnapshot;

/// Generations that are kept: half a minute of eight GPUs that are read once a second. A generation differs from the one before by one
/// GPU's snapshot, some kilobytes.
pub const GENERATIONS_KEPT: usize = 256;

/// But at least so many readings of each GPU, of nodes with more: a client that lost its connection is back after two seconds, and after
/// ten where it lost it several times.
const READINGS_KEPT: usize = 16;

/// The latest generations. Nothing is kept while nobody reads a stream: then there is nobody to come back.
#[derive(Debug, Default)]
pub struct Recent(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By generation.
    generations: VecDeque<Published>,
    /// Generations since anybody read a stream.
    unwanted: usize,
}

/// One generation, as it was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The snapshot.
    pub host: Arc<HostSnapshot>,
    /// Number of the latest event at that time: what is above it came later.
    pub event: u64,
}

impl Recent {
    /// This generation, if it is kept.
    pub fn at(&self, generation: u64) -> Option<Published> {
        self.kept()
            .from(generation)
            .filter(|found| found.host.generation == generation)
            .cloned()
    }

    /// The first one after this generation that is kept.
    pub fn after(&self, generation: u64) -> Option<Published> {
        self.kept().from(generation.saturating_add(1)).cloned()
    }

    /// Begins to keep, if nothing is kept so far; `now` is made under the lock, so that nothing comes in between.
    pub(crate) fn begin(&self, now: impl FnOnce() -> Published) {
        let mut kept = self.kept();
        kept.unwanted = 0;
        if kept.generations.is_empty() {
            kept.generations.push_back(now());
        }
    }

    /// Takes in what was published, if anybody reads a stream or did so not long ago.
    pub(crate) fn push(&self, published: Published, is_wanted: bool) {
        let mut kept = self.kept();
        let Some(last) = kept.generations.back() else {
            return;
        };
        if published.host.generation <= last.host.generation {
            return;
        }
        kept.unwanted = if is_wanted { 0 } else { kept.unwanted + 1 };
        if kept.unwanted > kept.generations.len() {
            let forgotten = std::mem::take(&mut kept.generations);
            drop(kept);
            drop(forgotten);
            return;
        }
        let most = GENERATIONS_KEPT.max(READINGS_KEPT * published.host.gpus.len());
        kept.generations.push_back(published);
        let excess = kept.generations.len().saturating_sub(most);
        let forgotten: Vec<_> = kept.generations.drain(..excess).collect();
        // What is freed is freed without the lock.
        drop(kept);
        drop(forgotten);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The first of this generation or a later one.
    fn from(&self, generation: u64) -> Option<&Published> {
        let place = self
            .generations
            .partition_point(|kept| kept.host.generation < generation);
        self.generations.get(place)
    }
}

#[cfg(test)]
mod tests {
    use gpulse_models::example;

    use super::*;

    fn published(generation: u64) -> Published {
        let host = HostSnapshot {
            generation,
            ..example::host([])
        };
        Published {
            host: Arc::new(host),
            event: generation * 10,
        }
    }

    fn number(found: Option<Published>) -> Option<u64> {
        found.map(|found| found.host.generation)
    }

    #[test]
    fn nothing_is_kept_until_somebody_reads() {
        let recent = Recent::default();
        recent.push(published(1), true);
        assert!(recent.after(0).is_none());
        recent.begin(|| published(1));
        recent.push(published(1), true);
        recent.push(published(2), true);
        assert_eq!(number(recent.after(0)), Some(1));
        assert_eq!(number(recent.after(1)), Some(2));
        assert_eq!(number(recent.after(2)), None);
        assert_eq!(recent.at(2).unwrap().event, 20);
    }

    #[test]
    fn of_many_gpus_more_are_kept() {
        for (gpus, oldest) in [(1, 1_745), (16, 1_745), (64, 977)] {
            let of = |generation| {
                let mut published = published(generation);
                Arc::make_mut(&mut published.host).gpus =
                    (0..gpus).map(|index| example::gpu(index).into()).collect();
                published
            };
            let recent = Recent::default();
            recent.begin(|| of(1));
            (2..=2_000).for_each(|generation| recent.push(of(generation), true));
            assert_eq!(number(recent.after(0)), Some(oldest), "{gpus} GPUs");
        }
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let recent = Recent::default();
        let last = GENERATIONS_KEPT as u64 + 10;
        recent.begin(|| published(1));
        for generation in 2..=last {
            recent.push(published(generation), true);
        }
        assert_eq!(number(recent.at(10)), None);
        assert_eq!(number(recent.at(11)), Some(11));
        assert_eq!(number(recent.after(0)), Some(11));
        assert_eq!(number(recent.after(u64::MAX)), None);
    }

    #[test]
    fn all_are_forgotten_once_nobody_can_come_back_for_them() {
        let recent = Recent::default();
        recent.begin(|| published(1));
        let kept = GENERATIONS_KEPT as u64;
        for generation in 2..=kept + 1 {
            recent.push(published(generation), false);
        }
        assert_eq!(
            number(recent.after(0)),
            Some(2),
            "who left at 1 finds what it missed"
        );
        recent.push(published(kept + 2), false);
        assert_eq!(number(recent.after(0)), None);
        recent.push(published(kept + 3), false);
        assert_eq!(number(recent.after(0)), None);
        recent.begin(|| published(kept + 3));
        assert_eq!(number(recent.after(0)), Some(kept + 3));
    }
}
