//! Whose counters are whose. They go with the GPU and not with its index, which another GPU may have after the next
//! initialisation.

use std::{
    collections::BTreeMap,
    mem::{replace, take},
};

use gpulse_models::{EventCounters, EventGpu, GpuId, XidTally};

use super::XIDS_COUNTED;

/// The counters of every GPU that was ever in the roster.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// Of the GPUs in the roster, by index.
    present: BTreeMap<u32, (GpuId, EventCounters)>,
    /// Of GPUs that are not in the roster for now, with the index that they had last.
    gone: BTreeMap<GpuId, (u32, EventCounters)>,
}

impl Tallies {
    /// There is a new roster: which GPU is at which index will be said anew.
    pub(super) fn leave(&mut self) {
        for (index, (id, counters)) in take(&mut self.present) {
            // Only what has no name of its own is there already.
            match self.gone.get_mut(&id) {
                Some((_, before)) => add(before, counters),
                None => {
                    self.gone.insert(id, (index, counters));
                }
            }
        }
    }

    /// The counters of the GPU at `index`.
    pub(super) fn of(&mut self, index: u32, id: &GpuId) -> &mut EventCounters {
        let gone = &mut self.gone;
        let mut back = || {
            // Nobody knows whether a GPU without a name is the one that had none there before.
            let named = *id != GpuId::unidentified(index);
            named
                .then(|| gone.remove(id))
                .flatten()
                .map(|(_, counters)| counters)
        };
        let (known, counters) = self
            .present
            .entry(index)
            .or_insert_with(|| (id.clone(), back().unwrap_or_else(EventCounters::new)));
        if known != id {
            // It has said its name: what was counted before that is its own.
            known.clone_from(id);
            if let Some(before) = back() {
                let unnamed = replace(counters, before);
                add(counters, unnamed);
            }
        }
        counters
    }

    /// Those of the GPU at `index`, if there is one.
    pub(super) fn at(&mut self, index: u32) -> Option<&mut EventCounters> {
        self.present.get_mut(&index).map(|(_, counters)| counters)
    }

    /// The GPUs of the roster, by index.
    pub(super) fn present(&self) -> Vec<(EventGpu, EventCounters)> {
        let present = self.present.iter();
        present
            .map(|(&index, (id, counters))| (gpu(index, id), counters.clone()))
            .collect()
    }

    /// The GPUs that are not in the roster for now.
    pub(super) fn gone(&self) -> Vec<(EventGpu, EventCounters)> {
        let gone = self.gone.iter();
        gone.map(|(id, (index, counters))| (gpu(*index, id), counters.clone()))
            .collect()
    }
}

fn gpu(index: u32, id: &GpuId) -> EventGpu {
    EventGpu {
        index,
        id: id.clone(),
        instance: None,
    }
}

/// Adds what was counted later to `counters`.
fn add(counters: &mut EventCounters, later: EventCounters) {
    for (kind, count) in later.kinds {
        *counters.kinds.entry(kind).or_default() += count;
    }
    for (code, tally) in later.xids {
        add_xid(counters, code, tally);
    }
    counters.other_xids += later.other_xids;
    counters.last_xid = later.last_xid.or(counters.last_xid);
    counters.unwatched = later.unwatched;
}

fn add_xid(counters: &mut EventCounters, code: u64, later: XidTally) {
    if let Some(tally) = counters.xids.get_mut(&code) {
        tally.count += later.count;
        tally.at = later.at;
        tally.recent.extend(&later.recent);
    } else if counters.xids.len() < XIDS_COUNTED {
        counters.xids.insert(code, later);
    } else {
        counters.other_xids += later.count;
    }
}
