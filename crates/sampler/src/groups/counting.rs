//! Counters that go on where the driver's begin anew.

use std::time::Instant;

use gpulse_models::{Reading, Reason};

use super::Gpu;
use crate::book::What;

/// A counter of the driver's, taken in.
pub(super) struct Counted {
    total: Reading<u64>,
    /// What it grew by, a second.
    rate: Reading<f64>,
    resets: u64,
}

impl Gpu<'_, '_> {
    /// Takes a counter in. Call it right after the counter was read: the time between two calls makes the rate.
    pub(super) fn count(&mut self, what: What, raw: Reading<u64>) -> Counted {
        let raw = match raw {
            // A successor counts by now: a late number would look like a reset to it.
            Reading::Value(_) if self.asker.is_abandoned() => Reading::Unavailable(Reason::Timeout),
            raw => raw,
        };
        match raw {
            Reading::Value(raw) => {
                let counted = self.book.advance(what, raw, Instant::now());
                Counted {
                    total: counted.total.ok_or(Reason::Error).into(),
                    rate: counted.rate.ok_or(Reason::NotReady).into(),
                    resets: counted.resets,
                }
            }
            Reading::Unavailable(reason) => Counted {
                total: Reading::Unavailable(reason),
                rate: Reading::Unavailable(reason),
                resets: 0,
            },
        }
    }
}

impl Counted {
    /// All that was counted.
    pub(super) fn total(&self) -> Reading<u64> {
        self.total
    }

    /// What it grew by since it was last taken in, a second.
    pub(super) fn rate(&self) -> Reading<f64> {
        self.rate
    }

    /// How often one of these counters was seen to begin anew; the reason of the first where none can be had.
    pub(super) fn resets<'a>(all: impl IntoIterator<Item = &'a Self>) -> Reading<u64> {
        let mut sum = Reading::Unavailable(Reason::NotSupported);
        for (place, counted) in all.into_iter().enumerate() {
            match (counted.total, sum) {
                (Reading::Value(_), Reading::Value(before)) => sum = Reading::Value(before + counted.resets),
                (Reading::Value(_), Reading::Unavailable(_)) => sum = Reading::Value(counted.resets),
                (Reading::Unavailable(reason), Reading::Unavailable(_)) if place == 0 => {
                    sum = Reading::Unavailable(reason);
                }
                (Reading::Unavailable(_), _) => {}
            }
        }
        sum
    }
}
