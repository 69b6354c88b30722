//! When each group of readings is read.

use std::time::{Duration, Instant};

use gpulse_models::catalogue::{Cadence, Group};

/// Samples of the performance monitor are to be at least so far apart, by the header.
pub(crate) const MONITOR_APART: Duration = Duration::from_millis(100);

/// When each group of readings is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    tick: Duration,
    slow: Duration,
    cadences: [Cadence; Group::ALL.len()],
}

impl Schedule {
    /// Every group at its usual times, where a tick comes every `tick` and the slow clock beats every `slow`.
    pub const fn usual(tick: Duration, slow: Duration) -> Self {
        let mut cadences = [Cadence::Once; Group::ALL.len()];
        let mut place = 0;
        while place < cadences.len() {
            cadences[place] = Group::ALL[place].usual_cadence();
            place += 1;
        }
        Self { tick, slow, cadences }
    }

    /// The same, but for one group. What the GPU is, is read once whatever is said here.
    #[must_use]
    pub fn with(mut self, group: Group, cadence: Cadence) -> Self {
        if group.is_configurable() {
            self.cadences[group as usize] = cadence;
        }
        self
    }

    /// When `group` is read.
    pub fn cadence(&self, group: Group) -> Cadence {
        self.cadences[group as usize]
    }

    /// From one read of `group` to the next; nothing if there is no next one.
    pub fn interval(&self, group: Group) -> Option<Duration> {
        let interval = self.cadence(group).interval(self.tick, self.slow)?;
        Some(match group {
            Group::Activity => interval.max(MONITOR_APART),
            _ => interval,
        })
    }

    /// The clock of `group`, which is due at once.
    pub(crate) fn clock(&self, group: Group) -> Clock {
        self.beating(self.interval(group))
    }

    /// The slow clock itself.
    pub(crate) fn slow_clock(&self) -> Clock {
        self.beating(Some(self.slow))
    }

    fn beating(&self, interval: Option<Duration>) -> Clock {
        match interval {
            None => Clock::Off,
            Some(interval) if interval <= self.tick => Clock::EveryTick,
            Some(interval) => Clock::Every {
                interval,
                // A tick that is a little early must not be the one that leaves a group out.
                slack: self.tick / 2,
                due_at: None,
            },
        }
    }
}

/// Tells when a group is due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    Off,
    /// However late or early a tick comes.
    EveryTick,
    Every {
        interval: Duration,
        slack: Duration,
        /// Nothing: at once.
        due_at: Option<Instant>,
    },
}

impl Clock {
    pub(crate) fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    /// Whether the group is to be read now. If so, the next time comes one interval after this one was due; times that were
    /// missed are not caught up.
    pub(crate) fn strike(&mut self, now: Instant) -> bool {
        let (interval, slack, due_at) = match self {
            Self::Off => return false,
            Self::EveryTick => return true,
            Self::Every {
                interval,
                slack,
                due_at,
            } => (*interval, *slack, due_at),
        };
        let due = due_at.unwrap_or(now);
        if now + slack < due {
            return false;
        }
        let next = due + interval;
        *due_at = Some(if next <= now { now + interval } else { next });
        true
    }

    /// Makes the group due at once.
    pub(crate) fn hurry(&mut self) {
        if let Self::Every { due_at, .. } = self {
            *due_at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn slow() -> Clock {
        Schedule::usual(SECOND, 5 * SECOND).clock(Group::Pcie)
    }

    #[test]
    fn a_slow_group_is_read_at_every_fifth_tick_however_ticks_jitter() {
        let (start, mut clock) = (Instant::now(), slow());
        let strikes: Vec<_> = (0..20u32)
            .map(|tick| {
                let jitter = Duration::from_millis(if tick % 2 == 0 { 0 } else { 30 });
                clock.strike(start + SECOND * tick + jitter)
            })
            .collect();
        let struck: Vec<_> = (0..20).filter(|tick| strikes[*tick]).collect();
        assert_eq!(struck, [0, 5, 10, 15]);
    }

    #[test]
    fn what_is_read_at_every_tick_is_read_also_right_after_one_that_was_late() {
        let (start, mut clock) = (
            Instant::now(),
            Schedule::usual(SECOND, 5 * SECOND).clock(Group::Load),
        );
        let ticks = [0.0, 2.6, 3.0, 4.0];
        assert!(
            ticks
                .iter()
                .all(|tick| clock.strike(start + SECOND.mul_f64(*tick)))
        );
    }

    #[test]
    fn what_was_missed_is_not_caught_up_and_a_hurried_clock_strikes_at_once() {
        let (start, mut clock) = (Instant::now(), slow());
        assert!(clock.strike(start));
        assert!(clock.strike(start + 60 * SECOND));
        assert!(!clock.strike(start + 61 * SECOND));
        clock.hurry();
        assert!(clock.strike(start + 62 * SECOND));
    }

    #[test]
    fn a_group_can_be_turned_off_but_not_what_the_gpu_is() {
        let schedule = Schedule::usual(SECOND, SECOND)
            .with(Group::Nvlink, Cadence::Off)
            .with(Group::Identity, Cadence::Off);
        assert!(schedule.clock(Group::Nvlink).is_off());
        assert!(!schedule.clock(Group::Nvlink).strike(Instant::now()));
        assert_eq!(schedule.cadence(Group::Identity), Cadence::Once);
    }
}
