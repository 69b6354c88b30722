//! What streams of one kind are sent: a snapshot is encoded once for all of them, and so are events.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use bytes::Bytes;
use gpulse_models::HostSnapshot;

use super::wish::What;
use crate::{
    bodies::Set, problem::DriverAbsence, rendered::to_json, routes::v1::events::LoggedEvent, state::State,
};

/// Kinds of streams that share what they are sent: more than the dashboards of a node have between them. Further ones are
/// encoded for each stream, which costs time and no more memory.
const MOST_SHARED: usize = 64;

/// Snapshots that a feed remembers: the present one, and those before it for streams that catch up side by side.
const SNAPSHOTS_REMEMBERED: usize = 4;

/// Events that are sent in one piece: some twenty kilobytes, so that a snapshot is not far behind them.
const EVENTS_AT_ONCE: usize = 32;

/// The feeds that streams share.
#[derive(Debug, Default)]
pub(crate) struct Feeds(Mutex<Vec<Weak<Feed>>>);

/// What all streams are sent that ask for the same.
#[derive(Debug)]
pub(crate) struct Feed {
    what: What,
    snapshots: Mutex<VecDeque<(Arc<HostSnapshot>, Bytes)>>,
    events: Mutex<VecDeque<Events>>,
}

/// Some events in a row.
#[derive(Clone, Debug)]
pub(super) struct Events {
    /// They have numbers above this one.
    after: u64,
    /// The next ones have numbers above this one.
    pub(super) next: u64,
    /// As they are sent; empty if none of them is wanted.
    pub(super) bytes: Bytes,
}

impl Feeds {
    /// The feed of those who want `what`.
    pub(crate) fn of(&self, what: What) -> Arc<Feed> {
        let mut feeds = lock(&self.0);
        feeds.retain(|feed| feed.strong_count() > 0);
        let same = feeds
            .iter()
            .filter_map(Weak::upgrade)
            .find(|feed| feed.what == what);
        same.unwrap_or_else(|| {
            let feed = Arc::new(Feed {
                what,
                snapshots: Mutex::default(),
                events: Mutex::default(),
            });
            if feeds.len() < MOST_SHARED {
                feeds.push(Arc::downgrade(&feed));
            }
            feed
        })
    }
}

impl Feed {
    /// The snapshot of `set`, ready to be sent. Two who want it at once: one encodes it, one waits.
    pub(super) fn snapshot(&self, set: &Set) -> Bytes {
        let mut snapshots = lock(&self.snapshots);
        // Held there, the snapshot cannot have been freed: the same address is the same snapshot.
        let known = snapshots
            .iter()
            .rev()
            .find(|(host, _)| Arc::ptr_eq(host, &set.host));
        if let Some((_, bytes)) = known {
            return bytes.clone();
        }
        let bytes = self.encode(set);
        if snapshots.len() == SNAPSHOTS_REMEMBERED {
            snapshots.pop_front();
        }
        snapshots.push_back((Arc::clone(&set.host), bytes.clone()));
        bytes
    }

    /// The events after this number.
    pub(super) fn events(&self, state: &State, after: u64) -> Events {
        let mut remembered = lock(&self.events);
        if let Some(same) = remembered.iter().find(|events| events.after == after) {
            return same.clone();
        }
        let page = state.cache.events().after(after, EVENTS_AT_ONCE, None);
        let host = state.cache.host();
        let mut text = Vec::new();
        if page.lost > 0 {
            text.extend_from_slice(format!(": {} events are lost\n\n", page.lost).as_bytes());
        }
        for event in page.events {
            if self.what.is_told_of(&host, event.gpu.as_ref()) {
                frame(&mut text, "event", None, &to_json(&LoggedEvent::of(event)));
            }
        }
        let events = Events {
            after,
            next: page.next,
            bytes: text.into(),
        };
        if remembered.len() == SNAPSHOTS_REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back(events.clone());
        events
    }

    fn encode(&self, set: &Set) -> Bytes {
        let What { fields, gpus } = &self.what;
        let made;
        let body: &[u8] = if fields.is_none() && gpus.is_empty() && DriverAbsence::of(&set.host).is_none() {
            // Encoded for those who do not stream, too.
            set.native_gpus().bytes()
        } else {
            made = set.native_some(fields.as_ref(), |place| self.what.is_wanted(&set.host, place));
            &made
        };
        let mut text = Vec::with_capacity(body.len() + 64);
        frame(&mut text, "snapshot", Some(set.host.generation), body);
        text.into()
    }
}

/// Adds one event of the stream. `json` has no line breaks: they are escaped in texts, and nothing else has any.
pub(super) fn frame(text: &mut Vec<u8>, kind: &str, id: Option<u64>, json: &[u8]) {
    text.extend_from_slice(b"event: ");
    text.extend_from_slice(kind.as_bytes());
    if let Some(id) = id {
        text.extend_from_slice(b"\nid: ");
        text.extend_from_slice(id.to_string().as_bytes());
    }
    text.extend_from_slice(b"\ndata: ");
    text.extend_from_slice(json);
    text.extend_from_slice(b"\n\n");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(gpu: usize) -> What {
        What {
            gpus: vec![(gpu.to_string(), gpu.to_string().parse().unwrap())],
            ..What::default()
        }
    }

    #[test]
    fn who_asks_for_the_same_shares_up_to_a_bound() {
        let feeds = Feeds::default();
        let held: Vec<_> = (0..MOST_SHARED).map(|gpu| feeds.of(about(gpu))).collect();
        for (gpu, feed) in held.iter().enumerate() {
            assert!(Arc::ptr_eq(feed, &feeds.of(about(gpu))));
        }
        let beyond = feeds.of(about(MOST_SHARED));
        assert!(!Arc::ptr_eq(&beyond, &feeds.of(about(MOST_SHARED))));
        drop(held);
        let again = feeds.of(about(MOST_SHARED));
        assert!(
            Arc::ptr_eq(&again, &feeds.of(about(MOST_SHARED))),
            "there is room once others are gone"
        );
        assert_eq!(lock(&feeds.0).len(), 1);
    }
}
