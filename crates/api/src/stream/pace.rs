//! When a stream's next snapshot is due.
//!
//! Snapshots are due in a grid, so that a client gets as many as it asked for however GPUs are read in between. The grid gives way
//! a little: of one GPU that is read once a second, each snapshot reaches a client that wants one a second as it comes.

use std::time::Duration;

/// The part of the interval by which a snapshot may be early.
const SLACK: u32 = 10;

/// When the next snapshot is due, in a time that begins anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    interval: Duration,
    next: Duration,
}

impl Pace {
    /// Due at once.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            next: Duration::ZERO,
        }
    }

    /// Due after a snapshot that was sent at this time.
    pub(crate) fn after(interval: Duration, at: Duration) -> Self {
        let mut pace = Self::new(interval);
        pace.sent(at);
        pace
    }

    /// From when on the next one may be sent.
    pub(crate) fn next(&self) -> Duration {
        self.next
    }

    /// How many were due before the one that is sent at `now`.
    pub(crate) fn missed(&self, now: Duration) -> u64 {
        let late = now.saturating_sub(self.next).as_nanos();
        let interval = self.interval.as_nanos().max(1);
        if self.next == Duration::ZERO {
            0
        } else {
            u64::try_from(late / interval).unwrap_or(u64::MAX)
        }
    }

    /// One was sent.
    pub(crate) fn sent(&mut self, now: Duration) {
        let earliest = now + self.interval - self.interval / SLACK;
        self.next = (self.next + self.interval).max(earliest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// When snapshots go out that come at these times, in milliseconds; the time begins at ten seconds.
    fn sent(published: &[u64]) -> Vec<u64> {
        let mut pace = Pace::new(SECOND);
        let (mut sent, mut waiting) = (Vec::new(), false);
        let end = published.last().unwrap() + 2_000;
        for at in 0..=end {
            waiting |= published.contains(&at);
            let now = Duration::from_millis(10_000 + at);
            if waiting && now >= pace.next() {
                pace.sent(now);
                sent.push(at);
                waiting = false;
            }
        }
        sent
    }

    #[test]
    fn of_one_gpu_each_snapshot_goes_out_as_it_comes() {
        let early: Vec<_> = (0..100).map(|tick| tick * 999).collect();
        assert_eq!(sent(&early).len(), 100);
        let jittering: Vec<_> = (0..100).map(|tick| tick * 1_000 + tick * 37 % 80).collect();
        let gone = sent(&jittering);
        assert_eq!(gone.len(), 100);
        let delays = gone.iter().zip(&jittering).map(|(sent, came)| sent - came);
        assert!(delays.max() < Some(100));
    }

    #[test]
    fn of_many_gpus_one_snapshot_an_interval_goes_out() {
        let dense: Vec<_> = (0..800).map(|tick| tick * 125).collect();
        let gone = sent(&dense);
        assert!((100..=102).contains(&gone.len()), "{}", gone.len());
        let gaps = gone.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.min() >= Some(900));
    }

    #[test]
    fn what_was_due_and_did_not_go_out_is_missed() {
        let mut pace = Pace::new(SECOND);
        assert_eq!(pace.missed(SECOND * 100), 0, "nothing was due before the first");
        pace.sent(SECOND * 100);
        assert_eq!(pace.missed(SECOND * 101), 0);
        assert_eq!(pace.missed(SECOND * 111), 10);
        pace.sent(SECOND * 111);
        assert_eq!(pace.missed(SECOND * 112), 0);
    }
}
