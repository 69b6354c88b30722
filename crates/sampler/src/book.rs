//! What is remembered of a GPU for as long as the agent lives, whichever reader asks and however often the driver is loaded
//! anew: counters that never go back, and up to where the driver's own samples were taken.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use gpulse_models::{GpuId, Timestamp};
use nvml_wrapper::enum_wrappers::device::Sampling;

use crate::interval::{
    counter::Counter,
    limits::{self, Limits, Width},
    rate::Rate,
    ring::{Ring, Stats},
};

/// The energy counter is refreshed every 10 to 100 ms.
const ENERGY_REFRESH: Duration = Duration::from_millis(100);

/// The books of all GPUs that were ever seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books(Arc<Mutex<HashMap<GpuId, Arc<Book>>>>);

impl Books {
    /// The book of a GPU.
    pub(crate) fn of(&self, id: &GpuId) -> Arc<Book> {
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(books.entry(id.clone()).or_default())
    }
}

/// The book of one GPU. Its lock is held for arithmetic only, never during a call.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    counters: HashMap<What, Tally>,
    rings: HashMap<Sampling, Sampled>,
}

/// A counter and how fast it grows.
#[derive(Debug)]
struct Tally {
    counter: Counter,
    rate: Rate,
    resets: u64,
    since: Instant,
}

/// The driver's samples of one kind.
#[derive(Debug, Default)]
struct Sampled {
    ring: Ring,
    /// Whether it is known up to where they were taken.
    begun: bool,
}

/// A counter of the driver's; of a link where it is one of NVLink's, of a cause where it is for how long clocks were lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Energy,
    PcieSent,
    PcieReceived,
    PcieReplays,
    Lowered(u8),
    NvlinkSent(u32),
    NvlinkReceived(u32),
    NvlinkBroken(u32),
    NvlinkReplays(u32),
    NvlinkRecoveries(u32),
}

/// What came of taking a counter in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taken {
    /// All that was counted; nothing where the counter may have gone round unseen since it was last taken in.
    pub(crate) total: Option<u64>,
    /// How often the driver's counter was seen to begin anew.
    pub(crate) resets: u64,
    /// What it grew by, a second; nothing for the first value, and where not all of it is known.
    pub(crate) rate: Option<f64>,
}

impl What {
    fn limits(self) -> Limits {
        match self {
            Self::Energy => limits::ENERGY_MILLIJOULES,
            Self::PcieSent | Self::PcieReceived => limits::PCIE_BYTES,
            Self::Lowered(_) => limits::VIOLATION_NANOSECONDS,
            Self::NvlinkSent(_) | Self::NvlinkReceived(_) => Limits {
                width: Width::Bits64,
                per_second: limits::NVLINK_KIBIBYTES.per_second * limits::BYTES_PER_KIBIBYTE as f64,
            },
            Self::PcieReplays
            | Self::NvlinkBroken(_)
            | Self::NvlinkReplays(_)
            | Self::NvlinkRecoveries(_) => limits::ERRORS,
        }
    }
}

impl What {
    fn rate(self) -> Rate {
        match self {
            Self::Energy => Rate::refreshed_every(ENERGY_REFRESH),
            _ => Rate::default(),
        }
    }
}

impl Book {
    /// Takes in the driver's value of a counter at the time `at`.
    pub(crate) fn advance(&self, what: What, raw: u64, at: Instant) -> Taken {
        let mut entries = self.entries();
        let tally = entries.counters.entry(what).or_insert_with(|| Tally {
            counter: Counter::new(what.limits()),
            rate: what.rate(),
            resets: 0,
            since: at,
        });
        let advance = tally.counter.advance(raw, at);
        let passed = at.saturating_duration_since(tally.since);
        let time_us = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
        let rate = tally.rate.advance(advance.total, time_us);
        let reset = std::mem::replace(&mut tally.resets, advance.resets_total) != advance.resets_total;
        Taken {
            total: (!advance.may_hide_turns).then_some(advance.total),
            resets: advance.resets_total,
            rate: rate.filter(|_| !advance.may_hide_turns && !reset),
        }
    }

    /// How often the driver's counter was seen to begin anew so far.
    pub(crate) fn resets(&self, what: What) -> u64 {
        self.entries().counters.get(&what).map_or(0, |tally| tally.resets)
    }

    /// From when on the driver's samples are wanted, in its microseconds since 1970.
    pub(crate) fn seen(&self, kind: Sampling, now: Timestamp) -> u64 {
        let mut entries = self.entries();
        entries
            .rings
            .entry(kind)
            .or_default()
            .ring
            .since(microseconds(now))
    }

    /// Statistics of the driver's samples since they were last taken. Nothing the first time: what the driver still keeps
    /// reaches back to before anybody asked.
    pub(crate) fn take(&self, kind: Sampling, samples: Vec<(u64, f64)>, now: Timestamp) -> Option<Stats> {
        let mut entries = self.entries();
        let sampled = entries.rings.entry(kind).or_default();
        let stats = sampled.ring.take(samples, microseconds(now));
        let begun = sampled.begun;
        sampled.begun |= stats.is_some();
        stats.filter(|_| begun)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn microseconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_microsecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_gpu_has_one_book_whoever_opens_it() {
        let books = Books::default();
        let (id, start) = (GpuId::from_uuid("GPU-1"), Instant::now());
        books.of(&id).advance(What::Energy, 1_000, start);
        let taken = books
            .of(&id)
            .advance(What::Energy, 3_000, start + Duration::from_secs(2));
        assert_eq!(taken.total, Some(3_000));
        assert_eq!(taken.rate, Some(1_000.0));
        let other = books
            .of(&GpuId::from_uuid("GPU-2"))
            .advance(What::Energy, 7, start);
        assert_eq!((other.total, other.rate), (Some(7), None));
    }

    #[test]
    fn a_counter_that_may_have_gone_round_unseen_is_not_known() {
        let (book, start) = (Book::default(), Instant::now());
        book.advance(What::PcieSent, 1_000, start);
        let unsure = book.advance(What::PcieSent, 2_000, start + Duration::from_secs(5));
        assert_eq!((unsure.total, unsure.rate), (None, None));
        let wide = book.advance(What::PcieSent, 1 << 33, start + Duration::from_secs(10));
        assert_eq!(wide.total, Some(1 << 33), "the counter has 64 bits after all");
    }

    #[test]
    fn the_rate_across_a_reset_is_not_known() {
        let (book, start) = (Book::default(), Instant::now());
        book.advance(What::PcieReplays, 9, start);
        let reset = book.advance(What::PcieReplays, 2, start + Duration::from_secs(1));
        assert_eq!((reset.total, reset.resets, reset.rate), (Some(11), 1, None));
    }

    #[test]
    fn what_the_driver_keeps_from_before_is_not_the_first_interval() {
        let book = Book::default();
        let now = |second: i64| Timestamp::from_second(second).unwrap();
        let at = |second: u64| second * 1_000_000;
        let kind = Sampling::GpuUtilization;
        assert_eq!(book.seen(kind, now(100)), 0);
        assert_eq!(
            book.take(kind, vec![(at(98), 10.0), (at(99), 20.0)], now(100)),
            None
        );
        assert_eq!(book.seen(kind, now(101)), at(99));
        let stats = book
            .take(kind, vec![(at(100), 50.0), (at(101), 70.0)], now(101))
            .unwrap();
        assert_eq!((stats.mean, stats.count, stats.covered_us), (60.0, 2, at(2)));
        assert_eq!(
            book.take(kind, Vec::new(), now(102)),
            None,
            "no sample, no statistics"
        );
    }
}
