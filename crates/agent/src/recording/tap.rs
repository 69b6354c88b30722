//! Takes the place of the aggregator while a recording is made: writes down what the samplers report.

use std::sync::Arc;

use actix::{Actor, Context, Handler};
use gpulse_aggregator::{DriverDown, EventBatch, Joined, MAILBOX_CAPACITY, Record, Roster};
use gpulse_models::GpuFacts;

use super::{What, writer::Lines};

/// Writes down what it is told.
#[derive(Debug)]
pub(crate) struct Tap {
    lines: Lines,
    /// The facts that were written last, by index.
    facts: Vec<Option<Arc<GpuFacts>>>,
}

impl Tap {
    pub(crate) fn new(lines: Lines) -> Self {
        Self {
            lines,
            facts: Vec::new(),
        }
    }

    fn facts_if_new(&mut self, index: u32, facts: Option<Arc<GpuFacts>>) -> Option<Arc<GpuFacts>> {
        let place = index as usize;
        if self.facts.len() <= place {
            self.facts.resize(place + 1, None);
        }
        let facts = facts?;
        let before = self.facts.get_mut(place)?;
        let is_new = before.as_ref().is_none_or(|before| *before != facts);
        *before = Some(Arc::clone(&facts));
        is_new.then_some(facts)
    }
}

impl Actor for Tap {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX_CAPACITY);
    }
}

impl Handler<Roster> for Tap {
    type Result = ();

    fn handle(&mut self, roster: Roster, _: &mut Self::Context) {
        self.facts.clear();
        self.lines.write(roster.into());
    }
}

impl Handler<DriverDown> for Tap {
    type Result = ();

    fn handle(&mut self, down: DriverDown, _: &mut Self::Context) {
        self.lines.write(down.into());
    }
}

impl Handler<Record> for Tap {
    type Result = ();

    fn handle(&mut self, record: Record, _: &mut Self::Context) {
        let facts = self.facts_if_new(record.index, record.facts);
        self.lines.write(What::Record {
            epoch: record.epoch,
            index: record.index,
            facts,
            outcome: record.outcome,
            overruns: record.overruns,
            dropped: record.dropped,
        });
    }
}

impl Handler<EventBatch> for Tap {
    type Result = ();

    fn handle(&mut self, batch: EventBatch, _: &mut Self::Context) {
        self.lines.write(batch.into());
    }
}

impl Handler<Joined> for Tap {
    type Result = ();

    fn handle(&mut self, joined: Joined, _: &mut Self::Context) {
        self.lines.write(joined.into());
    }
}
