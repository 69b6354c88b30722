//! How long to wait until a receiver is tried again.

use std::time::Duration;

/// The pause after the first failure.
const FIRST: Duration = Duration::from_secs(1);

/// The longest pause that is made unasked: a receiver that is back is noticed within it.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest that a receiver may ask for: more than this, and it would be the agent that is configured by it.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// Pauses that double with each failure in a row.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) const fn new() -> Self {
        Self { next: FIRST }
    }

    /// It worked: the next failure is the first again.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// How long to wait after one more failure, at least as long as the receiver `asked` for. Half of the pause is left to
    /// chance, so that the agents of a cluster do not come back all at once.
    pub(super) fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let pause = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next = (self.next * 2).min(LONGEST);
        match asked {
            None => pause,
            Some(asked) => asked.min(LONGEST_ASKED) + pause / 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound_and_begin_anew() {
        let mut backoff = Backoff::new();
        let mut whole = FIRST;
        for _ in 0..20 {
            let pause = backoff.pause(None);
            assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
            whole = (whole * 2).min(LONGEST);
        }
        assert_eq!(whole, LONGEST);
        backoff.reset();
        assert!(backoff.pause(None) <= FIRST);
    }

    #[test]
    fn what_the_receiver_asks_for_is_honoured_within_reason() {
        let asked = Duration::from_secs(20);
        assert!(Backoff::new().pause(Some(asked)) >= asked);
        let day = Duration::from_secs(86_400);
        assert!(Backoff::new().pause(Some(day)) < LONGEST_ASKED * 2);
    }
}
