//! Wakes the streams of one worker: the aggregator wakes one task of each worker, however many streams there are, and that task
//! wakes the others on its own thread.

use std::{cell::Cell, rc::Rc, sync::Arc};

use gpulse_aggregator::SnapshotCache;
use tokio::sync::watch;

use crate::drain::Drain;

/// Wakes who waits on one worker.
#[derive(Debug)]
pub(crate) struct Hub {
    cache: Arc<SnapshotCache>,
    drain: Arc<Drain>,
    generation: watch::Sender<u64>,
    urgent: watch::Sender<Urgent>,
    is_relaying: Cell<bool>,
}

/// What no stream waits to be due for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Urgent {
    /// Number of the latest event.
    event: u64,
    /// Whether the server ends.
    is_ending: bool,
}

/// Who waits.
#[derive(Debug)]
pub(crate) struct Follower {
    generation: watch::Receiver<u64>,
    urgent: watch::Receiver<Urgent>,
    /// Without it nobody would wake.
    _hub: Rc<Hub>,
}

impl Hub {
    pub(crate) fn new(cache: &Arc<SnapshotCache>, drain: &Arc<Drain>) -> Rc<Self> {
        Rc::new(Self {
            cache: Arc::clone(cache),
            drain: Arc::clone(drain),
            generation: watch::Sender::default(),
            urgent: watch::Sender::default(),
            is_relaying: Cell::new(false),
        })
    }

    /// Waits from now on. Must be called on the worker's thread.
    pub(crate) fn follow(self: &Rc<Self>) -> Follower {
        let follower = Follower {
            generation: self.generation.subscribe(),
            urgent: self.urgent.subscribe(),
            _hub: Rc::clone(self),
        };
        if !self.is_relaying.replace(true) {
            actix_web::rt::spawn(relay(Rc::clone(self)));
        }
        // What has happened meanwhile counts as seen.
        self.tell();
        follower
    }

    fn tell(&self) {
        let urgent = Urgent {
            event: self.cache.events().newest(),
            is_ending: self.drain.has_begun(),
        };
        let generation = self.cache.host().generation;
        put(&self.urgent, urgent);
        put(&self.generation, generation);
    }
}

/// Passes on what happens as long as somebody waits.
async fn relay(hub: Rc<Hub>) {
    let (mut generation, mut events) = (hub.cache.follow(), hub.cache.events().follow());
    let mut ending = hub.drain.follow();
    loop {
        hub.tell();
        // The senders are kept by the hub, so that none of these fails.
        tokio::select! {
            _ = generation.changed() => {}
            _ = events.changed() => {}
            _ = ending.changed() => {}
            () = hub.generation.closed() => break,
        }
    }
    hub.is_relaying.set(false);
}

fn put<T: PartialEq>(sender: &watch::Sender<T>, value: T) {
    sender.send_if_modified(|known| {
        let is_new = *known != value;
        *known = value;
        is_new
    });
}

impl Follower {
    /// Whether the server ends.
    pub(crate) fn is_ending(&self) -> bool {
        self.urgent.borrow().is_ending
    }

    /// Done once there is another event or the server ends; and, if `with_snapshots`, another snapshot. May be done without
    /// either: look, and wait again.
    pub(crate) async fn wait(&mut self, with_snapshots: bool) {
        // The hub lives, so that neither fails.
        tokio::select! {
            _ = self.urgent.changed() => {}
            _ = self.generation.changed(), if with_snapshots => {}
        }
    }
}
