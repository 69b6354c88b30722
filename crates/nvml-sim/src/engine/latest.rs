//! What was computed last: clients ask for many readings of the same step, one by one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The latest result of a computation, by the time that it is for.
#[derive(Debug)]
pub(super) struct Latest<T>(Mutex<Option<(Duration, Arc<T>)>>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Latest<T> {
    /// The result for a time. Nobody waits for the kept one: who finds it taken computes.
    pub(super) fn at(&self, at: Duration, compute: impl FnOnce() -> T) -> Arc<T> {
        let Ok(mut latest) = self.0.try_lock() else {
            return Arc::new(compute());
        };
        if let Some((of, result)) = &*latest
            && *of == at
        {
            return Arc::clone(result);
        }
        let result = Arc::new(compute());
        // Looks back do not push out what the next call wants.
        if latest.as_ref().is_none_or(|(of, _)| *of < at) {
            *latest = Some((at, Arc::clone(&result)));
        }
        result
    }
}
