//! The world's clock: real time since the world began, unless it stands still.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Description;

/// How old a world is at first if nothing says otherwise: the driver has been up for a while, its rings are
/// full.
pub(crate) const FIRST_AGE: Duration = Duration::from_secs(60);

/// Tells the time of one world.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    epoch_unix: Duration,
    /// How old the world was at `anchor`; from there on a monotonic clock counts.
    age_at_anchor: Duration,
    anchor: Instant,
    frozen_at: Option<Duration>,
}

impl Clock {
    /// The clock of a described world; `first_init` is when this process first asked for one.
    pub(crate) fn new(description: &Description, first_init: Duration) -> Self {
        let fallback = first_init.saturating_sub(FIRST_AGE);
        let epoch_unix = description.epoch_unix_ms.map_or(fallback, Duration::from_millis);
        Self {
            epoch_unix,
            age_at_anchor: unix_now().saturating_sub(epoch_unix),
            anchor: Instant::now(),
            frozen_at: description
                .frozen_at_seconds
                .and_then(|s| Duration::try_from_secs_f64(s).ok()),
        }
    }

    /// The age of the world as its GPUs see it.
    pub(crate) fn now(&self) -> Duration {
        self.frozen_at.unwrap_or_else(|| self.running())
    }

    /// The age of the world as its GPUs see it, from its age for faults.
    pub(crate) fn seen(&self, running: Duration) -> Duration {
        self.frozen_at.unwrap_or(running)
    }

    /// The age of the world even while it stands still, for faults to go by.
    pub(crate) fn running(&self) -> Duration {
        self.running_at(Instant::now())
    }

    /// The same, at a moment.
    pub(crate) fn running_at(&self, moment: Instant) -> Duration {
        self.age_at_anchor + moment.saturating_duration_since(self.anchor)
    }

    /// Whether the world stands still.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen_at.is_some()
    }

    /// When the world began, since 1970.
    pub(crate) fn epoch_unix(&self) -> Duration {
        self.epoch_unix
    }
}

/// The time since 1970.
pub(crate) fn unix_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
