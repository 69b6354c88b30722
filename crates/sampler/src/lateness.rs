//! Whether this process stood still: it was stopped, its machine was suspended or moved, or it had no processor. What it waited
//! for had no chance either then, and being late is no sign of a hang.

use std::time::Duration;

use tokio::time::Instant;

/// Timers of a busy machine are some milliseconds late.
const LATE: Duration = Duration::from_millis(250);

/// Whether what was `due` then comes so late that all of the process must have stood still.
pub(crate) fn is_late(due: Instant, now: Instant) -> bool {
    now.saturating_duration_since(due) > LATE
}
