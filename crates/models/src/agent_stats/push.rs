//! What the exporters that push have done.

use serde::Serialize;

use crate::Timestamp;

/// Why samples did not reach the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// The buffer was full, and these were the oldest.
    BufferFull,
    /// They waited longer than receivers take samples from the past.
    Expired,
    /// The receiver does not take them and would not the next time either.
    Rejected,
    /// The receiver does not let this agent write.
    Unauthorized,
    /// The receiver finds them too many at once.
    TooLarge,
}

impl DropReason {
    /// All there are.
    pub const ALL: [Self; 5] = [
        Self::BufferFull,
        Self::Expired,
        Self::Rejected,
        Self::Unauthorized,
        Self::TooLarge,
    ];

    /// The name used on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BufferFull => "buffer_full",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Unauthorized => "unauthorized",
            Self::TooLarge => "too_large",
        }
    }
}

/// What one exporter that pushes has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PushStats {
    /// The exporter: `otlp` or `remote_write`.
    pub exporter: &'static str,
    /// Batches that the receiver took.
    pub sent: u64,
    /// Batches that it will never get.
    pub dropped: u64,
    /// Attempts that failed in such a way that they are made again.
    pub retried: u64,
    /// Samples that it will never get, by reason.
    pub dropped_samples: [(DropReason, u64); DropReason::ALL.len()],
    /// What waits, in bytes as it is kept: compressed.
    pub buffered_bytes: u64,
    /// When the receiver last took a batch.
    pub last_success: Option<Timestamp>,
}
