//! A driver's counter that never goes back: across wrap-around, resets and reloads of the driver.

use std::time::{Duration, Instant};

use super::limits::{Limits, Width};

/// One turn of a counter of 32 bits.
const TURN: u64 = 1 << 32;

/// How much older than its answer a value may be: the slowest counters are refreshed every 100 ms.
const REFRESH: Duration = Duration::from_millis(100);

/// A decrease by at most this share of the value, one in a thousand, may be a read that raced with another.
///
/// A counter that was reset starts near zero and not just below where it was. Small values have no tolerance: an error
/// count that goes from three to two was reset.
const JITTER_SHARE: u64 = 1_000;

/// A racing read is no older than this: a decrease by more than what can be counted in this time is none.
const JITTER_TIME: Duration = Duration::from_millis(10);

/// Adds up what a driver counts, from the first value on for as long as the agent lives.
///
/// | The value | is taken for | and adds |
/// |---|---|---|
/// | is not lower than before | counting on | the difference |
/// | is lower by [`JITTER_SHARE`] and [`JITTER_TIME`] at most | a racing read | nothing; the higher value stays |
/// | is lower, and one turn more is plausible | a wrap | the difference and one turn |
/// | is lower, and plausible from zero on | a reset | itself |
/// | is lower | a reset to something else than zero | nothing |
///
/// Plausible is what [`Limits::per_second`] allows for the time since the value before. What cannot be told apart: a
/// reset after which the counter has already passed the value before, and of 32 bits a reset that would have been a
/// plausible wrap, as well as turns that went by between two values (see [`Advance::may_hide_turns`]).
///
/// It is plain data: a new reader of the same GPU goes on with it.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    limits: Limits,
    last: Option<Last>,
    total: u64,
    resets_total: u64,
}

/// The driver's value from which on is counted.
#[derive(Clone, Copy, Debug)]
struct Last {
    raw: u64,
    at: Instant,
}

/// What a value has added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Advance {
    /// All that was counted: the driver's value, as long as that has neither wrapped nor was reset. Never decreases.
    pub(crate) total: u64,
    /// What was counted since the value before; zero for the first one.
    pub(crate) delta: u64,
    /// How often the driver's counter was reset.
    pub(crate) resets_total: u64,
    /// Whether the counter could have gone round once more in the time, or before its first value, without anyone
    /// being able to see it: the numbers are a lower bound then.
    pub(crate) may_hide_turns: bool,
}

impl Counter {
    /// A counter of which nothing is known yet but its kind.
    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            last: None,
            total: 0,
            resets_total: 0,
        }
    }

    /// Takes in the driver's value of the time `at`, which is not earlier than that of the value before.
    pub(crate) fn advance(&mut self, raw: u64, at: Instant) -> Advance {
        if self.limits.width == Width::Unknown && raw >= TURN {
            self.limits.width = Width::Bits64;
        }
        let Some(last) = self.last else {
            self.total = raw;
            self.last = Some(Last { raw, at });
            // How often it has gone round before anybody looked is not known.
            return self.advanced(0, u64::MAX);
        };
        let plausible = self.countable(at.saturating_duration_since(last.at) + REFRESH);
        let delta = if raw >= last.raw {
            raw - last.raw
        } else if self.is_jitter(last.raw, raw) {
            return self.advanced(0, plausible);
        } else if let Some(delta) = self.wrapped(last.raw, raw).filter(|delta| *delta <= plausible) {
            delta
        } else {
            self.resets_total += 1;
            if raw <= plausible { raw } else { 0 }
        };
        self.last = Some(Last { raw, at });
        // Only a driver that answers nonsense gets to the end of 64 bits.
        self.total = self.total.saturating_add(delta);
        self.advanced(delta, plausible)
    }

    fn advanced(&self, delta: u64, plausible: u64) -> Advance {
        let narrow = matches!(self.limits.width, Width::Unknown);
        Advance {
            total: self.total,
            delta,
            resets_total: self.resets_total,
            may_hide_turns: narrow && plausible.saturating_sub(delta) >= TURN,
        }
    }

    /// The most that is counted in `time`.
    fn countable(&self, time: Duration) -> u64 {
        // Saturates where the product does not fit.
        (self.limits.per_second * time.as_secs_f64()) as u64
    }

    fn is_jitter(&self, last: u64, raw: u64) -> bool {
        last - raw <= (last / JITTER_SHARE).min(self.countable(JITTER_TIME))
    }

    /// What was counted, if the counter went from `last` to its end and from zero to `raw`.
    fn wrapped(&self, last: u64, raw: u64) -> Option<u64> {
        match self.limits.width {
            // What does not fit into 32 bits has not wrapped there.
            Width::Unknown => (last < TURN).then(|| raw + TURN - last),
            Width::Bits64 => Some(raw.wrapping_sub(last)),
            Width::NoWrap => None,
        }
    }
}

#[cfg(test)]
mod tests;
