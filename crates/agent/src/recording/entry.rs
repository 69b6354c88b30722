//! A line of a recording: one report of the samplers, and its way back into a message.

use std::sync::Arc;

use gpulse_aggregator::{DriverDown, EventBatch, GpuEvent, Joined, Record, Roster, Watch};
use gpulse_models::{
    DriverFault, DriverInfo, DriverReason, EventKind, Failure, GpuFacts, MigInstance, Reading, Reason,
    Sample, Timestamp, Topology,
};
use serde::{Deserialize, Serialize};

/// What was reported, and when.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Microseconds since the beginning of the recording.
    pub(super) after: u64,
    /// What it was.
    #[serde(flatten)]
    pub(super) what: What,
}

/// What was reported.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    Roster {
        epoch: u64,
        driver: DriverInfo,
        gpus: u32,
    },
    Down {
        reason: DriverReason,
        message: String,
        library_loaded: bool,
        attempts: u32,
        since: Timestamp,
    },
    Record {
        epoch: u64,
        index: u32,
        /// Only where they are others than in the record before.
        facts: Option<Arc<GpuFacts>>,
        outcome: Result<Arc<Sample>, Failure>,
        overruns: u64,
        dropped: u64,
    },
    Events {
        epoch: u64,
        events: Vec<(u32, Timestamp, EventKind, Option<MigInstance>)>,
        watches: Vec<(u32, Option<Reason>)>,
        dropped: u64,
    },
    Joined {
        epoch: u64,
        topology: Reading<Arc<Topology>>,
    },
}

impl From<Roster> for What {
    fn from(roster: Roster) -> Self {
        Self::Roster {
            epoch: roster.epoch,
            driver: roster.driver,
            gpus: roster.gpus,
        }
    }
}

impl From<DriverDown> for What {
    fn from(DriverDown(fault): DriverDown) -> Self {
        Self::Down {
            reason: fault.reason,
            message: fault.message,
            library_loaded: fault.library_loaded,
            attempts: fault.attempts,
            since: fault.since,
        }
    }
}

impl From<EventBatch> for What {
    fn from(batch: EventBatch) -> Self {
        let event = |event: GpuEvent| (event.index, event.at, event.kind, event.instance);
        let watch = |watch: Watch| (watch.index, watch.unwatched);
        Self::Events {
            epoch: batch.epoch,
            events: batch.events.into_iter().map(event).collect(),
            watches: batch.watches.into_iter().map(watch).collect(),
            dropped: batch.dropped,
        }
    }
}

impl From<Joined> for What {
    fn from(joined: Joined) -> Self {
        Self::Joined {
            epoch: joined.epoch,
            topology: joined.topology,
        }
    }
}

/// A report as the aggregator takes it.
#[derive(Debug)]
pub(super) enum Report {
    Roster(Roster),
    Down(DriverDown),
    Record(Record),
    Events(EventBatch),
    Joined(Joined),
}

impl What {
    /// The report, as one of now, in the epochs that begin with `first`. `known` are the facts of the GPUs so far, by index.
    pub(super) fn report(self, first: u64, known: &mut Vec<Option<Arc<GpuFacts>>>) -> Report {
        match self {
            Self::Roster { epoch, driver, gpus } => {
                known.clear();
                Report::Roster(Roster {
                    epoch: first + epoch,
                    driver,
                    gpus,
                })
            }
            Self::Down {
                reason,
                message,
                library_loaded,
                attempts,
                since,
            } => Report::Down(DriverDown(DriverFault {
                reason,
                message,
                hint: "this is a recording: look at the machine that it was made on",
                library_loaded,
                attempts,
                since,
            })),
            Self::Record {
                epoch,
                index,
                facts,
                outcome,
                overruns,
                dropped,
            } => {
                let place = index as usize;
                if known.len() <= place && place < MOST_GPUS {
                    known.resize(place + 1, None);
                }
                let facts = match known.get_mut(place) {
                    Some(before) => {
                        if facts.is_some() {
                            before.clone_from(&facts);
                        }
                        before.clone()
                    }
                    None => facts,
                };
                Report::Record(Record {
                    epoch: first + epoch,
                    index,
                    facts,
                    outcome,
                    at: tokio::time::Instant::now(),
                    overruns,
                    dropped,
                })
            }
            Self::Events {
                epoch,
                events,
                watches,
                dropped,
            } => {
                let event = |(index, at, kind, instance)| GpuEvent {
                    index,
                    at,
                    kind,
                    instance,
                };
                Report::Events(EventBatch {
                    epoch: first + epoch,
                    events: events.into_iter().map(event).collect(),
                    watches: watches
                        .into_iter()
                        .map(|(index, unwatched)| Watch { index, unwatched })
                        .collect(),
                    dropped,
                })
            }
            Self::Joined { epoch, topology } => Report::Joined(Joined {
                epoch: first + epoch,
                topology,
            }),
        }
    }
}

/// More GPUs than any machine has: a larger index is a mistake.
const MOST_GPUS: usize = 1_024;
