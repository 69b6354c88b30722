//! How often an agent says something new, as it is seen.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::frame::Frame;

/// Moments that the pace is taken from: enough that a single late one does not change what is said.
const MOMENTS: usize = 5;

/// When the agent last said something new.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// The generation that came last.
    last: Option<u64>,
    moments: VecDeque<Instant>,
}

impl Pace {
    /// Notes a frame that came; one that says nothing new is none.
    pub(crate) fn take(&mut self, frame: &Frame) {
        // Without a driver there are no generations to see.
        let generation = frame.host.driver.is_ready().then_some(frame.gpus.generation);
        if generation.is_some() && generation == self.last {
            return;
        }
        self.last = generation;
        if self.moments.len() >= MOMENTS {
            self.moments.pop_front();
        }
        self.moments.push_back(frame.received);
    }

    /// The mean time from one to the next; nothing until there are two.
    pub(crate) fn seen(&self) -> Option<Duration> {
        let (first, last) = self.moments.front().zip(self.moments.back())?;
        let gaps = u32::try_from(self.moments.len() - 1).ok()?;
        last.saturating_duration_since(*first).checked_div(gaps)
    }
}
