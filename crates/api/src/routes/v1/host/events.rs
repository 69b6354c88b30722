//! How often what happened on the host as a whole.

use std::collections::BTreeMap;

use gpulse_aggregator::EventTotals;
use gpulse_models::Reason;
use serde::Serialize;
use utoipa::ToSchema;

/// How often what happened to the GPUs since the agent started; `/api/v1/events` tells it GPU by GPU.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct HostEvents {
    /// Events by kind, of all GPUs that are watched; a kind that is not there did not occur.
    kinds: BTreeMap<&'static str, u64>,
    /// XIDs by number.
    xids: BTreeMap<u64, u64>,
    /// XIDs beyond those that are told apart, and those without a number.
    other_xids: u64,
    /// Events that the agent heard of and could not keep.
    dropped: u64,
    /// GPUs whose driver's events do not reach the agent, by index, and why.
    unwatched: BTreeMap<u32, Reason>,
}

impl HostEvents {
    pub(super) fn of(totals: EventTotals) -> Self {
        let mut events = Self {
            dropped: totals.dropped,
            ..Self::default()
        };
        let unwatched = totals.gpus.iter();
        let unwatched = unwatched.filter_map(|(gpu, counters)| Some((gpu.index, counters.unwatched?)));
        events.unwatched.extend(unwatched);
        for (_, counters) in totals.gpus.into_iter().chain(totals.gone) {
            for (kind, count) in counters.kinds {
                *events.kinds.entry(kind).or_default() += count;
            }
            for (code, tally) in counters.xids {
                *events.xids.entry(code).or_default() += tally.count;
            }
            events.other_xids += counters.other_xids;
        }
        events
    }
}
