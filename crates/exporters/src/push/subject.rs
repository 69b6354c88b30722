//! What push actors speak of: the latest snapshot, and who says it.

use std::sync::Arc;

use gpulse_aggregator::{EventTotals, SnapshotCache};
use gpulse_models::{AgentStats, HostSnapshot, Timestamp};

use crate::View;

/// What is told, and by whom. All push actors share one.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Where the latest snapshot is.
    pub cache: Arc<SnapshotCache>,
    /// Name under which it pushes, which no other agent has.
    pub instance: String,
    /// Name of this node.
    pub node: String,
    /// Version of the agent.
    pub version: &'static str,
    /// When the agent started, which is when its counters began.
    pub started_at: Timestamp,
    /// Whether each process has series of its own.
    pub per_process: bool,
}

/// One moment of it.
pub(super) struct Moment<'a> {
    subject: &'a Subject,
    host: Arc<HostSnapshot>,
    events: EventTotals,
    stats: AgentStats,
    at: Timestamp,
}

/// By which a moment is known to be another one than the last: the generation and the aggregator's heartbeat.
pub(super) type Sign = (u64, u64);

impl Subject {
    /// The sign of now. Where it stays the same nobody writes the cache any more, and what is in it is not known to hold.
    pub(super) fn sign(&self) -> Sign {
        (self.cache.host().generation, self.cache.heartbeat())
    }

    /// What there is to tell now.
    pub(super) fn now(&self) -> Moment<'_> {
        Moment {
            subject: self,
            host: Arc::clone(&self.cache.host()),
            events: self.cache.events().totals(),
            stats: self.cache.counters().read(),
            at: Timestamp::now(),
        }
    }
}

impl Moment<'_> {
    /// As profiles see it.
    pub(super) fn view(&self) -> View<'_> {
        View {
            host: &self.host,
            events: &self.events,
            stats: &self.stats,
            node: &self.subject.node,
            started_at: self.subject.started_at,
            at: self.at,
            per_process: self.subject.per_process,
        }
    }
}
