//! The expositions of `/metrics`: rendered at most once a generation for each set of profiles and each format that is asked
//! for, and shared from then on.

use std::{
    array,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::http::header::HeaderValue;
use arc_swap::ArcSwapOption;
use gpulse_exporters::{Format, Profiles, View, to_text};
use gpulse_models::{HostSnapshot, Timestamp};

use crate::{
    config::Metrics,
    rendered::{Rendered, exact},
    state::State,
};

/// How long an exposition is good while no new snapshot is published: it tells ages and counts events, which go on
/// meanwhile. Scrapers come less often than that.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The expositions that were asked for lately.
#[derive(Debug)]
pub(crate) struct Expositions {
    settings: Metrics,
    /// By the number of the set of profiles, and the format.
    slots: Vec<[Slot; Format::ALL.len()]>,
}

/// The place of one exposition.
#[derive(Debug, Default)]
struct Slot {
    latest: ArcSwapOption<Exposition>,
    /// Held while the next one is made: whoever comes meanwhile waits for it instead of making another.
    making: Mutex<()>,
}

/// One exposition.
#[derive(Debug)]
pub(crate) struct Exposition {
    /// Held so that its address is not used again: the same address is the same snapshot.
    host: Arc<HostSnapshot>,
    made_at: Instant,
    pub(crate) rendered: Rendered,
}

impl Expositions {
    pub(crate) fn new(settings: Metrics) -> Self {
        let slot = |_| array::from_fn(|_| Slot::default());
        Self {
            settings,
            slots: (0..Profiles::SETS).map(slot).collect(),
        }
    }

    /// The profiles that are shown to who does not name any.
    pub(crate) fn usual(&self) -> Profiles {
        self.settings.profiles
    }

    /// The exposition of the snapshot of now.
    pub(crate) fn latest(&self, state: &State, profiles: Profiles, format: Format) -> Arc<Exposition> {
        let slot = &self.slots[profiles.number()][format as usize];
        let good = || slot.latest.load_full().filter(|found| found.is_good(state));
        if let Some(found) = good() {
            return found;
        }
        let _making = slot.making.lock().unwrap_or_else(PoisonError::into_inner);
        // Made while this one waited.
        if let Some(found) = good() {
            return found;
        }
        let made = Arc::new(self.make(state, profiles, format));
        slot.latest.store(Some(Arc::clone(&made)));
        made
    }

    fn make(&self, state: &State, profiles: Profiles, format: Format) -> Exposition {
        let host = Arc::clone(&state.cache.host());
        let made_at = Instant::now();
        let view = View {
            host: &host,
            events: &state.cache.events().totals(),
            stats: &state.cache.counters().read(),
            node: &self.settings.node,
            started_at: state.started_at,
            at: Timestamp::now(),
            per_process: self.settings.per_process,
        };
        let text = to_text(&view, profiles, format, self.settings.created);
        let content_type = HeaderValue::from_static(format.content_type());
        Exposition {
            rendered: Rendered::new(exact(text.into_bytes()), content_type, state.bodies.tags()),
            host,
            made_at,
        }
    }
}

impl Exposition {
    fn is_good(&self, state: &State) -> bool {
        Arc::ptr_eq(&self.host, &state.cache.host()) && self.made_at.elapsed() < GOOD_FOR
    }
}
