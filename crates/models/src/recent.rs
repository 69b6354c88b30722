//! How often something happened lately.

use std::collections::VecDeque;

use jiff::SignedDuration;

use crate::Timestamp;

/// What counts as lately.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Seconds that are not told apart.
const SLOT: i64 = 15;

/// Slots that are kept: those of the window, and the one in which it begins.
const SLOTS: usize = (WINDOW.as_secs() / SLOT) as usize + 1;

/// How often something happened in the last five minutes, give or take 15 seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent(VecDeque<(i64, u64)>);

impl Recent {
    /// The time that is looked back.
    pub const WINDOW: SignedDuration = WINDOW;

    /// Notes that it happened at `at`.
    pub fn add(&mut self, at: Timestamp) {
        let slot = at.as_second().div_euclid(SLOT);
        match self.0.back_mut() {
            Some((last, count)) if *last == slot => *count += 1,
            _ => self.0.push_back((slot, 1)),
        }
        if self.0.len() > SLOTS {
            self.0.pop_front();
        }
    }

    /// Adds what was noted elsewhere, and not earlier than what was noted here.
    pub fn extend(&mut self, later: &Self) {
        for &(slot, count) in &later.0 {
            match self.0.back_mut() {
                Some((last, known)) if *last == slot => *known += count,
                _ => self.0.push_back((slot, count)),
            }
        }
        while self.0.len() > SLOTS {
            self.0.pop_front();
        }
    }

    /// How often it happened in the five minutes before `now`.
    pub fn count(&self, now: Timestamp) -> u64 {
        let first = (now.as_second() - WINDOW.as_secs()).div_euclid(SLOT);
        let within = self.0.iter().filter(|(slot, _)| *slot > first);
        within.map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_five_minutes_does_not_count_and_is_forgotten() {
        // The beginning of a slot.
        let at = |second: i64| Timestamp::from_second(1_000_005 + second).unwrap();
        let mut recent = Recent::default();
        assert_eq!(recent.count(at(0)), 0);
        for second in [0, 0, 20, 299] {
            recent.add(at(second));
        }
        assert_eq!(recent.count(at(299)), 4);
        assert_eq!(recent.count(at(300)), 2);
        assert_eq!(recent.count(at(600)), 0);
        let mut both = Recent::default();
        both.add(at(10));
        both.extend(&recent);
        assert_eq!(both.count(at(299)), 5);
        (0..10_000).for_each(|second| recent.add(at(second)));
        let counted = recent.count(at(9_999));
        assert!((286..=300).contains(&counted), "{counted}");
        assert!(recent.0.len() <= SLOTS);
    }
}
