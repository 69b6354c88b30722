//! Asks one GPU's reader for a read per tick, and never waits for it.
//!
//! 1. A tick re-arms itself first. A reader that is still busy is an overrun and is not asked again.
//! 2. An answer becomes a [`Record`] for the aggregator; a full mailbox is counted, a closed one ends the sampler.
//! 3. A read past its deadline becomes a record with the failure `timeout`, and its reader is abandoned.
//! 4. An abandoned reader is replaced, with back-off and never by more than a few: its thread is stuck in the
//!    driver and cannot be ended. Once it returns it ends itself, and its late answer is dropped.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    time::Duration,
};

use actix::{
    Actor, ActorContext, AsyncContext, Context, Handler, Message, Recipient, SpawnHandle, StreamHandler,
    prelude::SendError,
};
use gpulse_aggregator::{Counters, Record, SamplerCounters};
use gpulse_models::{Failure, GpuFacts, Reason, Sample};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use crate::{
    Schedule,
    asker::failure,
    lateness::is_late,
    port::{Alive, Answer, CurrentCall, ONE, ReaderPort, Request},
    processes::ProcessSettings,
};

/// Below this the driver answers with the same values again.
pub const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// Beyond this a sample says nothing about the present.
pub const MAX_INTERVAL: Duration = Duration::from_secs(3_600);

/// Readers of one GPU that may live at a time, stuck ones included. A wedged GPU keeps each new reader as well:
/// a second and a third try tell a passing stall from a lasting one, more would only cost memory.
const MAX_READERS: usize = 3;

/// First reads are spread over this, or over one interval if that is shorter: the driver serialises calls.
const START_SPREAD: Duration = Duration::from_millis(250);

/// The longest pause before a further reader is tried, so that a GPU which is well again is read again soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often and for how long a GPU is read.
#[derive(Clone, Copy, Debug)]
pub struct SamplerSettings {
    /// From one read to the next.
    pub interval: Duration,
    /// A read that takes longer makes the GPU hung.
    pub deadline: Duration,
    /// When each group of readings is read.
    pub schedule: Schedule,
    /// What is said of the processes on it.
    pub processes: ProcessSettings,
}

/// A GPU's place in the roster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) epoch: u64,
    pub(crate) index: u32,
}

/// Starts a reader behind the port.
pub(crate) type SpawnReader = Box<dyn FnMut(ReaderPort) -> io::Result<()> + Send>;

/// The actor of one GPU.
pub struct Sampler {
    place: Place,
    settings: SamplerSettings,
    aggregator: Recipient<Record>,
    spawn_reader: SpawnReader,
    reader: Option<ReaderLink>,
    /// Readers that live, abandoned ones included.
    alive: Arc<AtomicUsize>,
    last_reader: u64,
    /// Readers abandoned since the last answer.
    abandoned: u32,
    /// Until when no further one is tried, unless one of those that lived at the time of the hang has returned.
    retry_at: Instant,
    alive_at_hang: usize,
    pending: Option<Pending>,
    /// The last hang, reported at every tick until something is heard again.
    hang: Option<Failure>,
    facts: Option<Arc<GpuFacts>>,
    next_tick: Instant,
    overruns: u64,
    dropped: u64,
    counters: Arc<Counters>,
    /// What is counted of this GPU for as long as the agent lives.
    counted: Arc<SamplerCounters>,
}

/// The sampler's end of the connection to its reader.
struct ReaderLink {
    requests: SyncSender<Request>,
    call: CurrentCall,
    answers: SpawnHandle,
}

/// A read that was asked for.
struct Pending {
    asked_at: Instant,
    /// When the deadline is over.
    due: Instant,
    deadline: SpawnHandle,
    /// Whether it got its time a second time. It does once: a machine on which all is late always has hangs, too.
    is_extended: bool,
}

/// What comes over the connection.
enum FromReader {
    Answer(Answer),
    Ended(u64),
}

impl Sampler {
    pub(crate) fn new(
        place: Place,
        settings: SamplerSettings,
        aggregator: Recipient<Record>,
        spawn_reader: SpawnReader,
        counters: Arc<Counters>,
    ) -> Self {
        let now = Instant::now();
        Self {
            place,
            settings,
            aggregator,
            spawn_reader,
            reader: None,
            alive: Arc::default(),
            last_reader: 0,
            abandoned: 0,
            retry_at: now,
            alive_at_hang: 0,
            pending: None,
            hang: None,
            facts: None,
            next_tick: now,
            overruns: 0,
            dropped: 0,
            counted: counters.sampler(place.index),
            counters,
        }
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        self.rearm(ctx);
        self.counted.ticked();
        if self.pending.is_some() {
            self.overruns += 1;
            self.counted.overran();
            return;
        }
        match self.ask(ctx) {
            Ok(()) => {}
            Err(failure) => self.report(Err(failure), Instant::now(), ctx),
        }
    }

    /// The next tick comes one interval after this one was due; ticks that were missed are not caught up.
    fn rearm(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        self.next_tick += self.settings.interval;
        if self.next_tick <= now {
            self.next_tick = now + self.settings.interval;
        }
        ctx.run_later(self.next_tick - now, Self::tick);
    }

    /// Asks for one read, if there is a reader that can be asked.
    fn ask(&mut self, ctx: &mut Context<Self>) -> Result<(), Failure> {
        if self.reader.is_none() {
            self.reader = Some(self.start_reader(ctx)?);
        }
        let asked = self
            .reader
            .as_ref()
            .is_some_and(|reader| reader.requests.try_send(Request).is_ok());
        if !asked {
            self.forget_reader(ctx);
            return Err(failure(
                "reader thread",
                Reason::Error,
                "ended; it is started again",
            ));
        }
        let now = Instant::now();
        self.pending = Some(Pending {
            asked_at: now,
            due: now + self.settings.deadline,
            deadline: ctx.run_later(self.settings.deadline, Self::overdue),
            is_extended: false,
        });
        Ok(())
    }

    fn start_reader(&mut self, ctx: &mut Context<Self>) -> Result<ReaderLink, Failure> {
        let alive = self.alive.load(Ordering::Relaxed);
        let returned = alive < self.alive_at_hang;
        let too_early = Instant::now() < self.retry_at && !returned;
        if let (true, Some(hang)) = (alive >= MAX_READERS || too_early, &self.hang) {
            return Err(hang.clone());
        }
        self.last_reader += 1;
        let (requests, wishes) = sync_channel(ONE);
        let (answers, answered) = mpsc::channel(ONE);
        let call = CurrentCall::new(Arc::clone(&self.counters));
        let port = ReaderPort {
            reader: self.last_reader,
            requests: wishes,
            answers,
            call: call.clone(),
            _alive: Alive::count_in(&self.alive),
        };
        (self.spawn_reader)(port)
            .map_err(|error| failure("reader thread", Reason::Error, &error.to_string()))?;
        if self.last_reader > 1 {
            self.counted.replaced_reader();
        }
        let ended = tokio_stream::once(FromReader::Ended(self.last_reader));
        let answers = ctx.add_stream(ReceiverStream::new(answered).map(FromReader::Answer).chain(ended));
        Ok(ReaderLink {
            requests,
            call,
            answers,
        })
    }

    /// Closes the connection: the reader ends as soon as it notices.
    fn forget_reader(&mut self, ctx: &mut Context<Self>) {
        if let Some(reader) = self.reader.take() {
            reader.call.abandon();
            ctx.cancel_future(reader.answers);
        }
        if let Some(pending) = self.pending.take() {
            ctx.cancel_future(pending.deadline);
        }
    }

    fn overdue(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        let is_excused = |pending: &&mut Pending| !pending.is_extended && is_late(pending.due, now);
        if let Some(pending) = self.pending.as_mut().filter(is_excused) {
            // The reader stood still as well, and gets its time.
            pending.is_extended = true;
            pending.due = now + self.settings.deadline;
            pending.deadline = ctx.run_later(self.settings.deadline, Self::overdue);
            return;
        }
        let call = self
            .reader
            .as_ref()
            .map_or("reader thread", |reader| reader.call.get());
        let asked_at = self
            .pending
            .as_ref()
            .map_or_else(Instant::now, |pending| pending.asked_at);
        let message = format!("{call} has not returned for {:?}", self.settings.deadline);
        let hang = Failure {
            message,
            ..failure(call, Reason::Timeout, "")
        };
        self.counters.calls().hung(call);
        self.counted.hung();
        self.forget_reader(ctx);
        let pause = self.settings.deadline.saturating_mul(1 << self.abandoned.min(8));
        self.retry_at = Instant::now() + pause.min(LONGEST_PAUSE);
        self.alive_at_hang = self.alive.load(Ordering::Relaxed);
        self.abandoned += 1;
        self.hang = Some(hang.clone());
        self.report(Err(hang), asked_at, ctx);
    }

    fn answered(&mut self, answer: Answer, ctx: &mut Context<Self>) {
        if answer.reader != self.last_reader {
            return;
        }
        let Some(pending) = self.pending.take() else {
            return;
        };
        ctx.cancel_future(pending.deadline);
        self.abandoned = 0;
        self.hang = None;
        if answer.facts.is_some() {
            self.facts = answer.facts;
        }
        self.report(answer.outcome, pending.asked_at, ctx);
    }

    fn report(&mut self, outcome: Result<Arc<Sample>, Failure>, at: Instant, ctx: &mut Context<Self>) {
        match &outcome {
            Ok(_) => self.counted.sampled(),
            Err(_) => self.counted.failed(),
        }
        let record = Record {
            epoch: self.place.epoch,
            index: self.place.index,
            facts: self.facts.clone(),
            outcome,
            at,
            overruns: self.overruns,
            dropped: self.dropped,
        };
        match self.aggregator.try_send(record) {
            Ok(()) => {}
            Err(SendError::Full(_)) => {
                self.dropped += 1;
                self.counted.dropped();
            }
            Err(SendError::Closed(_)) => ctx.stop(),
        }
    }
}

impl Actor for Sampler {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let spread = START_SPREAD.min(self.settings.interval).mul_f64(fastrand::f64());
        self.next_tick = Instant::now() + spread;
        ctx.run_later(spread, Self::tick);
    }
}

/// The driver is let go: read nothing more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Retire;

impl Handler<Retire> for Sampler {
    type Result = ();

    fn handle(&mut self, _: Retire, ctx: &mut Self::Context) {
        self.forget_reader(ctx);
        ctx.stop();
    }
}

impl StreamHandler<FromReader> for Sampler {
    fn handle(&mut self, message: FromReader, ctx: &mut Self::Context) {
        match message {
            FromReader::Answer(answer) => self.answered(answer, ctx),
            FromReader::Ended(reader) if reader == self.last_reader && self.reader.is_some() => {
                let asked_at = self
                    .pending
                    .as_ref()
                    .map_or_else(Instant::now, |pending| pending.asked_at);
                self.forget_reader(ctx);
                let ended = failure("reader thread", Reason::Error, "ended; it is started again");
                self.report(Err(ended), asked_at, ctx);
            }
            FromReader::Ended(_) => {}
        }
    }

    /// The end of a connection is a message of its own; it does not end the actor.
    fn finished(&mut self, _: &mut Self::Context) {}
}

#[cfg(test)]
mod tests;
