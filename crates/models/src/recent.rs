//! How often something happened lately.

use std::collections::VecDeque;

use jiff::SignedDuration;

use crate::Timestamp;

/// What counts as lately.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Seconds that are told apart: those of the window.
const SECONDS: usize = WINDOW.as_secs() as usize + 1;

/// How often something happened in each second of the last five minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent(VecDeque<(i64, u64)>);

impl Recent {
    /// The time that is looked back.
    pub const WINDOW: SignedDuration = WINDOW;

    /// Notes that it happened at `at`.
    pub fn add(&mut self, at: Timestamp) {
        let second = at.as_second();
        match self.0.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.0.push_back((second, 1)),
        }
        if self.0.len() > SECONDS {
            self.0.pop_front();
        }
    }

    /// How often it happened in the five minutes before `now`.
    pub fn count(&self, now: Timestamp) -> u64 {
        let from = now.as_second() - WINDOW.as_secs();
        let within = self.0.iter().filter(|(second, _)| *second > from);
        within.map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_five_minutes_does_not_count_and_is_forgotten() {
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        let mut recent = Recent::default();
        assert_eq!(recent.count(at(0)), 0);
        for second in [0, 0, 10, 299] {
            recent.add(at(second));
        }
        assert_eq!(recent.count(at(299)), 4);
        assert_eq!(recent.count(at(300)), 2);
        assert_eq!(recent.count(at(600)), 0);
        (0..10_000).for_each(|second| recent.add(at(second)));
        assert_eq!(recent.count(at(9_999)), 300);
        assert!(recent.0.len() <= SECONDS);
    }
}
