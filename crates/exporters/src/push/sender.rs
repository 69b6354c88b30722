//! What is asked of a protocol: to encode a snapshot, and to send what it encoded.

use std::time::Duration;

use bytes::Bytes;
use gpulse_models::DropReason;

use super::buffer::Batch;
use crate::View;

/// Encodes snapshots.
pub(crate) trait Encoder {
    /// All that is said of `view`; nothing if there is nothing to say.
    fn encode(&mut self, view: &View<'_>) -> Option<Batch>;
}

/// Sends what its encoder made.
pub(crate) trait Sender {
    /// Makes one attempt. Whoever calls it bounds the time.
    async fn send(&mut self, body: Bytes) -> Result<Accepted, Refusal>;
}

/// The receiver took a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Samples of it that it refused.
    pub(crate) rejected_samples: u64,
    /// What it said about them.
    pub(crate) why: String,
}

/// The receiver did not take a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It may take it later, and at the earliest after the time that it asked for.
    Later { asked: Option<Duration>, why: String },
    /// It will not take this one.
    Never { reason: DropReason, why: String },
}

impl Refusal {
    /// It may take it later.
    pub(crate) fn later(why: impl Into<String>) -> Self {
        Self::Later {
            asked: None,
            why: why.into(),
        }
    }
}
