//! The log of what happened: the latest events in a ring, and counters that miss none.
//!
//! The aggregator alone writes it; any number of readers ask for what came after the last number they saw.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use gpulse_models::{Event, EventCounters, EventGpu, EventKind, GpuId, LastXid, Reason, Timestamp, XidTally};
use tokio::sync::watch;

mod tallies;

use tallies::Tallies;

/// Events that the ring holds: some days of a healthy node, four seconds of a storm of 1,000 a second (which the
/// counters hold in full), and less than half a megabyte.
pub const EVENTS_KEPT: usize = 4_096;

/// Different XIDs that are counted apart for each GPU: more than a sick one reports, few enough that made-up codes
/// cannot fill the memory. The rest is counted together.
pub const XIDS_COUNTED: usize = 64;

/// What happened lately, and how often what happened since the start.
///
/// A mutex and not an immutable snapshot: a storm would copy the ring for every batch, while a reader holds the lock
/// only as long as it takes to copy one page, some microseconds. The writer waits no longer than that.
#[derive(Debug, Default)]
pub struct EventLog {
    ring: Mutex<Ring>,
    /// The number of the latest event, for those who wait for the next one.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    events: VecDeque<Event>,
    /// The number of the latest event; 0 before the first.
    newest: u64,
    tallies: Tallies,
    dropped: u64,
}

/// A part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events, the oldest first.
    pub events: Vec<Event>,
    /// Ask for what comes after this number next.
    pub next: u64,
    /// The number of the oldest event that the log still holds, or will hold.
    pub oldest: u64,
    /// Events after the number asked for that the log no longer holds, of whatever GPU.
    pub lost: u64,
}

/// How often what happened since the agent started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTotals {
    /// The GPUs of the roster, by index.
    pub gpus: Vec<(EventGpu, EventCounters)>,
    /// GPUs that were in it, with the index that they had last.
    pub gone: Vec<(EventGpu, EventCounters)>,
    /// Events that the agent heard of and could not take in.
    pub dropped: u64,
}

impl EventLog {
    /// At most `limit` events with numbers above `after`, of the GPU at `gpu` or of all and the driver.
    ///
    /// A number above the latest one is of a process that has ended: it stands for the beginning.
    pub fn after(&self, after: u64, limit: usize, gpu: Option<u32>) -> EventPage {
        let ring = self.ring();
        let oldest = ring.newest + 1 - ring.events.len() as u64;
        let after = if after > ring.newest { 0 } else { after };
        let wanted =
            |event: &&Event| gpu.is_none_or(|index| event.gpu.as_ref().is_some_and(|gpu| gpu.index == index));
        let known = usize::try_from((after + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
        let mut rest = ring.events.iter().skip(known).filter(wanted);
        let events: Vec<_> = rest.by_ref().take(limit).cloned().collect();
        let next = match (rest.next(), events.last()) {
            (Some(_), Some(last)) => last.sequence,
            (Some(_), None) => after,
            (None, _) => ring.newest,
        };
        EventPage {
            events,
            next,
            oldest,
            lost: (oldest - 1).saturating_sub(after),
        }
    }

    /// The number of the latest event; 0 before the first.
    pub fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// The same, for whoever waits for the next one. See [`SnapshotCache::follow`](crate::SnapshotCache::follow).
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// How often what happened since the agent started.
    pub fn totals(&self) -> EventTotals {
        let ring = self.ring();
        EventTotals {
            gpus: ring.tallies.present(),
            gone: ring.tallies.gone(),
            dropped: ring.dropped,
        }
    }

    /// Adds what happened.
    pub(crate) fn append(&self, at: Timestamp, gpu: Option<EventGpu>, kind: EventKind) {
        let mut ring = self.ring();
        ring.append(at, gpu, kind);
        self.tell(ring);
    }

    /// Adds what happened to one GPU at these times.
    pub(crate) fn append_all(&self, events: impl IntoIterator<Item = (Timestamp, EventGpu, EventKind)>) {
        let mut ring = self.ring();
        for (at, gpu, kind) in events {
            ring.append(at, Some(gpu), kind);
        }
        self.tell(ring);
    }

    /// Wakes those who wait, without the lock that they will want.
    fn tell(&self, ring: MutexGuard<'_, Ring>) {
        let newest = ring.newest;
        drop(ring);
        self.newest
            .send_if_modified(|known| std::mem::replace(known, newest) != newest);
    }

    /// Makes room for the counters of the GPU at `index`, or gives them the identity that it has said by now.
    pub(crate) fn know(&self, index: u32, id: &GpuId) {
        self.ring().tallies.of(index, id);
    }

    /// There is a new roster: what was counted goes with the GPUs, which have other indices then.
    pub(crate) fn leave(&self) {
        self.ring().tallies.leave();
    }

    /// Notes whether the driver's events of the GPU at `index` reach the agent.
    pub(crate) fn watched(&self, index: u32, unwatched: Option<Reason>) {
        if let Some(counters) = self.ring().tallies.at(index) {
            counters.unwatched = unwatched;
        }
    }

    /// Counts events that nobody could take in.
    pub(crate) fn dropped(&self, number: u64) {
        self.ring().dropped += number;
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn append(&mut self, at: Timestamp, gpu: Option<EventGpu>, kind: EventKind) {
        self.newest += 1;
        let sequence = self.newest;
        if let Some(gpu) = &gpu {
            let counters = self.tallies.of(gpu.index, &gpu.id);
            count(counters, &kind, at);
            if let EventKind::Xid(Some(code)) = kind {
                counters.last_xid = Some(LastXid { code, sequence, at });
            }
        }
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(Event {
            sequence,
            at,
            gpu,
            kind,
        });
    }
}

fn count(counters: &mut EventCounters, kind: &EventKind, at: Timestamp) {
    *counters.kinds.entry(kind.as_str()).or_default() += 1;
    let EventKind::Xid(code) = kind else { return };
    let room = counters.xids.len() < XIDS_COUNTED;
    match code {
        Some(code) if room || counters.xids.contains_key(code) => {
            let again = |tally: &mut XidTally| tally.add(at);
            let tally = counters.xids.entry(*code).and_modify(again);
            tally.or_insert_with(|| XidTally::first(at));
        }
        _ => counters.other_xids += 1,
    }
}

#[cfg(test)]
mod tests;
