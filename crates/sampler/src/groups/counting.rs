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
                // A counter that cannot be read now was reset as often as before: the sum must not go back.
                resets: self.book.resets(what),
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
        let (mut sum, mut first, mut any) = (0, None, false);
        for counted in all {
            sum += counted.resets;
            match counted.total {
                Reading::Value(_) => any = true,
                Reading::Unavailable(reason) => first = first.or(Some(reason)),
            }
        }
        match first {
            Some(reason) if !any => Reading::Unavailable(reason),
            _ => Reading::Value(sum),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(total: Result<u64, Reason>, resets: u64) -> Counted {
        Counted {
            total: total.into(),
            rate: Reading::Unavailable(Reason::NotReady),
            resets,
        }
    }

    #[test]
    fn resets_do_not_go_back_while_one_counter_cannot_be_read() {
        let well = [counted(Ok(5), 1), counted(Ok(7), 2)];
        assert_eq!(Counted::resets(&well), Reading::Value(3));
        let failing = [counted(Err(Reason::Error), 1), counted(Ok(7), 2)];
        assert_eq!(Counted::resets(&failing), Reading::Value(3));
        let gone = [counted(Err(Reason::Timeout), 1), counted(Err(Reason::Error), 2)];
        assert_eq!(
            Counted::resets(&gone),
            Reading::Unavailable(Reason::Timeout),
            "the first"
        );
    }
}
