//! Names what is absent while a body is put together.

use std::collections::BTreeMap;

use crate::{Reading, Reason};

/// Path of each value that is absent, and why.
pub type Unavailable = BTreeMap<String, Reason>;

/// Collects the gaps of one body.
#[derive(Debug, Default)]
pub(super) struct Gaps(Unavailable);

impl Gaps {
    /// The number, or 0.0 with the gap named under `path`.
    pub(super) fn required(&mut self, path: &str, reading: Reading<f64>) -> f64 {
        self.optional(path, reading).unwrap_or_default()
    }

    /// The value, or nothing with the gap named under `path`.
    pub(super) fn optional<T>(&mut self, path: &str, reading: Reading<T>) -> Option<T> {
        match reading {
            Reading::Value(value) => Some(value),
            Reading::Unavailable(reason) => {
                self.0.insert(path.to_owned(), reason);
                None
            }
        }
    }

    /// The gaps that were found.
    pub(super) fn into_map(self) -> Unavailable {
        self.0
    }
}
