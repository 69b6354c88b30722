//! What the driver reports by itself: counted, and appended to the log under the GPUs' own names.

use actix::{Handler, Message};
use gpulse_models::{EventGpu, EventKind, MigInstance, Reason, Timestamp};
use tokio::time::Instant;

use super::Aggregator;

/// What the driver reported since the last batch: a storm of events is a few messages a second, not thousands.
#[derive(Debug, Default, Message)]
#[rtype(result = "()")]
pub struct EventBatch {
    /// The initialisation in which it was reported.
    pub epoch: u64,
    /// What happened, the oldest first.
    pub events: Vec<GpuEvent>,
    /// GPUs of which it became known whether their events reach the agent.
    pub watches: Vec<Watch>,
    /// Events that were reported since the last batch and could not be kept.
    pub dropped: u64,
}

/// Something that the driver reported of one GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuEvent {
    /// The GPU's place in the roster.
    pub index: u32,
    /// When it was heard of.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// The MIG instance concerned, if that is known.
    pub instance: Option<MigInstance>,
}

/// Whether the driver's events of one GPU reach the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The GPU's place in the roster.
    pub index: u32,
    /// Why they do not; nothing if they do.
    pub unwatched: Option<Reason>,
}

impl Handler<EventBatch> for Aggregator {
    type Result = ();

    fn handle(&mut self, batch: EventBatch, _: &mut Self::Context) {
        let events = self.cache.events();
        events.dropped(batch.dropped);
        if batch.epoch != self.epoch {
            events.dropped(batch.events.len() as u64);
            return;
        }
        for watch in batch.watches {
            events.watched(watch.index, watch.unwatched);
        }
        let known = batch.events.len();
        let slots = &self.slots;
        let of_the_roster: Vec<_> = batch
            .events
            .into_iter()
            .filter_map(|event| {
                let gpu = slots.get(event.index as usize)?.latest();
                let instance = event.instance;
                Some((
                    event.at,
                    EventGpu {
                        instance,
                        ..EventGpu::of(gpu)
                    },
                    event.kind,
                ))
            })
            .collect();
        events.dropped((known - of_the_roster.len()) as u64);
        let now = Instant::now();
        for (_, gpu, kind) in &of_the_roster {
            self.notices.add(gpu, kind, now);
        }
        self.cache
            .counters()
            .aggregator()
            .took_events(of_the_roster.len());
        events.append_all(of_the_roster);
        self.notices.flush(now);
    }
}
