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
        let (since_1970, anchor) = both_clocks();
        Self {
            epoch_unix,
            age_at_anchor: since_1970.saturating_sub(epoch_unix),
            anchor,
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

/// How far apart two looks at the clocks may be to count as one.
const SAME_MOMENT: Duration = Duration::from_micros(100);

/// How often it is tried to look at both at one moment.
const LOOKS: usize = 32;

/// What the clock since 1970 and the monotonic one say at one moment. A thread that loses its processor between the two looks
/// would make a world that is late for good, so that the closest pair of several is taken.
fn both_clocks() -> (Duration, Instant) {
    let look = || {
        let before = Instant::now();
        (unix_now(), before, before.elapsed())
    };
    let mut best = look();
    for _ in 1..LOOKS {
        if best.2 <= SAME_MOMENT {
            break;
        }
        let next = look();
        if next.2 < best.2 {
            best = next;
        }
    }
    (best.0, best.1)
}

/// The time since 1970.
pub(crate) fn unix_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
