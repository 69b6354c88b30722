//! Waiting for a condition instead of for a time.

use std::{
    fmt::Debug,
    thread,
    time::{Duration, Instant},
};

/// A condition that has not come true by then will not: a bound for a machine under load, not an expectation.
const PATIENCE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until `holds` is true of what `look` sees, and returns that.
///
/// # Panics
///
/// If it never becomes true; with `what` and what was seen last.
#[track_caller]
pub(crate) fn eventually<T: Debug>(what: &str, mut look: impl FnMut() -> T, holds: impl Fn(&T) -> bool) -> T {
    let start = Instant::now();
    loop {
        let seen = look();
        if holds(&seen) {
            return seen;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "never came true: {what}; seen last: {seen:#?}"
        );
        thread::sleep(PAUSE);
    }
}
