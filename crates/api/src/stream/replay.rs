//! What a stream missed while its client was away: those of the generations that are still kept that it would have been
//! sent, at its own pace. Only a position is held, so that a client that takes its time keeps nothing alive.

use std::time::Duration;

use gpulse_aggregator::{Published, Recent};
use gpulse_models::Timestamp;

use super::pace::Pace;

/// How far a stream has caught up.
#[derive(Debug)]
pub(super) struct Replay {
    at: u64,
    pace: Pace,
}

impl Replay {
    /// Begins after `seen`, the last one that the client had.
    pub(super) fn after(seen: &Published, interval: Duration) -> Self {
        Self {
            at: seen.host.generation,
            pace: Pace::after(interval, time_of(seen)),
        }
    }

    /// The next one; nothing once all were sent.
    pub(super) fn next(&self, recent: &Recent) -> Option<Published> {
        let mut found: Option<Published> = None;
        let mut at = self.at;
        while let Some(candidate) = recent.after(at) {
            if time_of(&candidate) > self.pace.next() {
                return found.or(Some(candidate));
            }
            // Followed by another one before it was due: that one is sent in its place.
            at = candidate.host.generation;
            found = Some(candidate);
        }
        found
    }

    /// It was sent.
    pub(super) fn sent(&mut self, published: &Published) {
        self.at = published.host.generation;
        self.pace.sent(time_of(published).max(self.pace.next()));
    }
}

/// When it was published, since 1970.
fn time_of(published: &Published) -> Duration {
    let since = published.host.published_at.duration_since(Timestamp::UNIX_EPOCH);
    Duration::try_from(since).unwrap_or_default()
}
