//! Takes in what samplers and driver report, and publishes it.
//!
//! 1. A [`Roster`] seeds a slot per GPU, so that a GPU which never answers is visible from the first second.
//! 2. Each [`Record`] goes into its slot and makes a new generation of the host snapshot.
//! 3. A timer ages the slots: silence makes a GPU stale without anybody reporting it.
//! 4. [`DriverDown`] empties the roster and says why.
//! 5. A [`Joined`] says how the GPUs are joined.
//! 6. An [`Inventoried`] says what GPUs the machine should have.
//! 7. An [`Assigned`] says which containers hold which GPUs.
//! 8. An [`EventBatch`] goes into the log of events, beside what the aggregator itself sees change.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix::{Actor, AsyncContext, Context, Handler, Message};
use gpulse_models::{
    DriverFault, DriverInfo, DriverStatus, EventGpu, EventKind, Failure, GpuFacts, GpuId, GpuSnapshot,
    GpuState, HostSnapshot, Inventory, PodAssignments, Reading, Reason, Sample, Timestamp, Topology, Totals,
    microseconds,
};
use tokio::time::Instant;

use crate::{
    SnapshotCache,
    absentees::Absentees,
    notices::Notices,
    slot::{Counted, Moment, Slot},
};

mod assigned;
mod event_batch;
mod inventoried;
mod joined;
pub use assigned::Assigned;
pub use event_batch::{EventBatch, GpuEvent, Watch};
pub use inventoried::Inventoried;
pub use joined::Joined;

/// Messages that may wait: several ticks of 64 GPUs, so that only an aggregator that stands still refuses any.
pub const MAILBOX_CAPACITY: usize = 256;

/// Ages are looked at this many times within `stale_after`, but not more often than [`SHORTEST_CHECK`] demands.
const CHECKS_PER_STALE_AFTER: u32 = 4;

/// Looking at ages more often than this would cost more than it tells.
const SHORTEST_CHECK: Duration = Duration::from_millis(10);

/// Looking at ages less often than this would be noticed by a person.
const LONGEST_CHECK: Duration = Duration::from_secs(1);

/// NVML was initialised and sees this many GPUs.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Roster {
    /// Number of this initialisation; records of an earlier one are dropped.
    pub epoch: u64,
    /// What NVML says of itself.
    pub driver: DriverInfo,
    /// GPUs with index 0 to this number less one.
    pub gpus: u32,
}

/// NVML cannot be used.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct DriverDown(pub DriverFault);

/// The outcome of one tick of one GPU.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Record {
    /// The initialisation in which it was read.
    pub epoch: u64,
    /// The GPU's place in that roster.
    pub index: u32,
    /// The GPU's static facts, once read.
    pub facts: Option<Arc<GpuFacts>>,
    /// What was read, or why nothing was.
    pub outcome: Result<Arc<Sample>, Failure>,
    /// When the reading began; ages are counted from here.
    pub at: Instant,
    /// Ticks so far that found the reader still busy.
    pub overruns: u64,
    /// Records so far that this actor's mailbox refused.
    pub dropped: u64,
}

/// The single writer of the [`SnapshotCache`].
#[derive(Debug)]
pub struct Aggregator {
    cache: Arc<SnapshotCache>,
    stale_after: Duration,
    driver: DriverStatus,
    epoch: u64,
    slots: Vec<Slot>,
    generation: u64,
    topology: Reading<Arc<Topology>>,
    /// What was counted of GPUs that are not in the roster for now: it goes on when they come back.
    retired: HashMap<GpuId, Counted>,
    inventory: Arc<Inventory>,
    pods: Arc<PodAssignments>,
    absentees: Absentees,
    notices: Notices,
}

impl Aggregator {
    /// An aggregator that writes `cache` and calls a GPU stale once its last sample is older than `stale_after`.
    pub fn new(cache: Arc<SnapshotCache>, stale_after: Duration) -> Self {
        Self {
            cache,
            stale_after,
            driver: DriverStatus::Starting,
            epoch: 0,
            slots: Vec::new(),
            generation: 0,
            topology: Reading::Unavailable(Reason::NotReady),
            retired: HashMap::new(),
            inventory: Arc::new(Inventory::unread()),
            pods: Arc::new(PodAssignments::unread()),
            absentees: Absentees::default(),
            notices: Notices::default(),
        }
    }

    fn now(&self) -> Moment {
        Moment {
            monotonic: Instant::now(),
            wall: microseconds(Timestamp::now()),
            stale_after: self.stale_after,
        }
    }

    /// Makes what the slots hold the latest generation.
    fn publish(&mut self, at: Timestamp) {
        self.generation += 1;
        let gpus: Vec<_> = self.slots.iter().map(|slot| Arc::clone(slot.latest())).collect();
        let totals = Totals::over(gpus.iter().filter_map(|gpu| gpu.served_sample()));
        let host = HostSnapshot {
            generation: self.generation,
            published_at: at,
            driver: self.driver.clone(),
            gpus,
            totals,
            topology: self.topology.clone(),
            inventory: Arc::clone(&self.inventory),
            pods: Arc::clone(&self.pods),
        };
        self.absentees.notice(&host, self.cache.events());
        self.cache.publish(host);
    }

    fn empty_roster(&mut self) {
        self.topology = Reading::Unavailable(Reason::NotReady);
        for slot in self.slots.drain(..) {
            let gpu = slot.latest();
            self.cache.remove(&gpu.id);
            if let Some(uuid) = gpu.uuid() {
                self.retired.insert(uuid.clone(), Counted::of(gpu));
            }
        }
    }

    fn check_ages(&mut self, ctx: &mut Context<Self>) {
        self.cache.beat();
        let now = self.now();
        let mut changed = false;
        for slot in &mut self.slots {
            let before = slot.latest().health.state;
            if slot.age(now, self.generation + 1) {
                let gpu = slot.latest();
                let kind = EventKind::GpuState {
                    before,
                    now: gpu.health.state,
                };
                self.cache
                    .events()
                    .append(now.wall, Some(EventGpu::of(gpu)), kind);
                tracing::warn!(
                    gpu = gpu.index,
                    state = gpu.health.state.as_str(),
                    "GPU changed its state"
                );
                self.cache.put(Arc::clone(gpu));
                changed = true;
            }
        }
        if changed {
            self.publish(now.wall);
        }
        self.notices.flush(now.monotonic);
        let pause = (self.stale_after / CHECKS_PER_STALE_AFTER).clamp(SHORTEST_CHECK, LONGEST_CHECK);
        ctx.run_later(pause, Self::check_ages);
    }
}

impl Actor for Aggregator {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX_CAPACITY);
        self.check_ages(ctx);
    }
}

impl Handler<Roster> for Aggregator {
    type Result = ();

    fn handle(&mut self, roster: Roster, _: &mut Self::Context) {
        let now = self.now();
        self.empty_roster();
        self.cache.events().leave();
        self.epoch = roster.epoch;
        self.driver = DriverStatus::Ready(Arc::new(roster.driver));
        self.cache
            .events()
            .append(now.wall, None, EventKind::Driver(None));
        for index in 0..roster.gpus {
            let gpu = Arc::new(GpuSnapshot::pending(index, self.generation + 1, now.wall));
            self.cache.put(Arc::clone(&gpu));
            self.cache.events().know(index, &gpu.id);
            self.slots.push(Slot::new(gpu));
        }
        self.publish(now.wall);
    }
}

impl Handler<DriverDown> for Aggregator {
    type Result = ();

    fn handle(&mut self, DriverDown(fault): DriverDown, _: &mut Self::Context) {
        let now = self.now();
        self.empty_roster();
        // It is tried again and again: only what is new is worth an entry.
        let known =
            matches!(&self.driver, DriverStatus::Unavailable(before) if before.reason == fault.reason);
        if !known {
            self.cache
                .events()
                .append(now.wall, None, EventKind::Driver(Some(fault.reason)));
        }
        self.driver = DriverStatus::Unavailable(Arc::new(fault));
        self.publish(now.wall);
    }
}

impl Handler<Record> for Aggregator {
    type Result = ();

    fn handle(&mut self, record: Record, _: &mut Self::Context) {
        let now = self.now();
        let place = record.index as usize;
        if record.epoch != self.epoch || place >= self.slots.len() {
            tracing::debug!(
                gpu = record.index,
                epoch = record.epoch,
                "record of an earlier roster dropped"
            );
            self.cache.counters().aggregator().refused_record();
            return;
        }
        self.cache.counters().aggregator().took_record();
        let slot = &mut self.slots[place];
        let before = Arc::clone(slot.latest());
        if before.facts.is_none()
            && let Some(facts) = &record.facts
            && let Some(before) = self.retired.remove(&facts.id)
        {
            slot.go_on_from(before);
        }
        let is_good = record.outcome.is_ok();
        slot.take(record, now, self.generation + 1);
        let after = Arc::clone(slot.latest());
        if let Some(history) = self.cache.history().filter(|_| is_good) {
            history.note(&after);
        }
        if before.id != after.id {
            self.cache.remove(&before.id);
            self.cache.events().know(after.index, &after.id);
        }
        if before.health.state != after.health.state {
            let kind = EventKind::GpuState {
                before: before.health.state,
                now: after.health.state,
            };
            self.cache
                .events()
                .append(now.wall, Some(EventGpu::of(&after)), kind);
        }
        log_change(&before, &after);
        self.cache.put(after);
        self.publish(now.wall);
    }
}

/// A line per change of state: a GPU that stays hung is not worth a line per tick.
fn log_change(before: &GpuSnapshot, after: &GpuSnapshot) {
    if before.health.state == after.health.state {
        return;
    }
    let (gpu, uuid, state) = (after.index, after.id.as_str(), after.health.state.as_str());
    match &after.health.last_error {
        _ if after.health.state == GpuState::Ok => tracing::info!(gpu, uuid, state, "GPU is read"),
        None => tracing::warn!(gpu, uuid, state, "GPU changed its state"),
        Some(error) => {
            tracing::warn!(gpu, uuid, state, call = %error.call, error = error.message, "GPU changed its state")
        }
    }
}

#[cfg(test)]
mod tests;
