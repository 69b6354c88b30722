//! Where the screens get their data from.

use serde_json::Value;

/// An agent as the screens see it: one that answers `GET`. It is called by one thread, which may be kept waiting.
pub trait Source: Send {
    /// The JSON that the agent answers `path` with, such as `/api/v1/gpus`.
    ///
    /// # Errors
    ///
    /// With a sentence for a person, if there is no answer or it is not one of success.
    fn get(&mut self, path: &str) -> Result<Value, String>;
}
