//! The fetcher: a thread that asks the agent again and again, so that one that is slow never keeps keys waiting.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    body::{self, Event, Events, FIELDS, Gpus, History, Host, Processes},
    frame::{Delivery, Frame},
    parents,
    seen::Metric,
    source::Source,
};

/// One order is enough: a second one before the first is carried out would ask for the same.
const ORDERS: usize = 1;

/// Events that are kept: what a person looks through.
const EVENTS_KEPT: usize = 1_000;

/// Pages of the log that are asked for at a time: a storm does not keep the GPUs waiting.
const PAGES: usize = 5;

/// The longest pause between two attempts to reach an agent that does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What is shown of the host: its sums are not, and would be added up for nothing.
const HOST: &str = "/api/v1/host?fields=agent,driver,expected";

/// How long the agent may wait for GPUs that are newer than those that were seen, beyond the interval. Less than `GRACE`.
const WAIT: &str = "1s";

/// How long the end of the UI waits for that of the fetcher, whose source may have files to remove. One that is kept waiting
/// by its agent is left behind.
const GRACE: Duration = Duration::from_secs(2);

/// The UI's end of the fetcher. The fetcher ends when this goes and its call returns.
#[derive(Debug)]
pub(crate) struct Fetcher {
    shared: Arc<Shared>,
    orders: Option<SyncSender<()>>,
}

/// What both ends know.
#[derive(Debug, Default)]
struct Shared {
    slot: Mutex<Slot>,
    ended: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for one delivery: a newer one takes the place of one that nobody took.
#[derive(Debug, Default)]
struct Slot {
    delivery: Option<Delivery>,
    /// Not lost with the delivery that it came with.
    history: Option<History>,
    /// The fetcher has ended.
    ended: bool,
}

/// What the UI finds.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing new.
    Nothing,
    /// Something new.
    New(Delivery),
    /// Nothing will ever come again.
    Ended,
}

impl Fetcher {
    /// Starts to ask `source` every `interval`. With `local` the processes are those of this host.
    pub(crate) fn start(source: Box<dyn Source>, interval: Duration, local: bool) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (orders, ordered) = sync_channel(ORDERS);
        let ending = Ending(Arc::clone(&shared));
        thread::Builder::new().name("fetcher".to_owned()).spawn(move || {
            let asking = Asking::new(source, local);
            fetch(asking, &ending.0, &ordered, interval);
        })?;
        Ok(Self {
            shared,
            orders: Some(orders),
        })
    }

    /// The newest delivery, once.
    pub(crate) fn take(&self) -> Found {
        let mut slot = self.shared.lock();
        match slot.delivery.take() {
            Some(Delivery::Seen(frame, _)) => Found::New(Delivery::Seen(frame, slot.history.take())),
            Some(failed) => Found::New(failed),
            None if slot.ended => Found::Ended,
            None => Found::Nothing,
        }
    }

    /// Asks now and not only when it is time.
    pub(crate) fn hurry(&self) {
        match self.orders.as_ref().map(|orders| orders.try_send(())) {
            // One that is waiting already will do, and one that ended says so itself.
            None | Some(Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(()))) => {}
        }
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        // It sees that as soon as its call returns.
        self.orders = None;
        let slot = self.shared.lock();
        let _ = self
            .shared
            .ended
            .wait_timeout_while(slot, GRACE, |slot| !slot.ended);
    }
}

/// Says that the fetcher has ended, however it does.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.ended.notify_all();
    }
}

fn fetch(mut asking: Asking, shared: &Shared, ordered: &Receiver<()>, interval: Duration) {
    let mut failures = 0;
    loop {
        let looked_at = Instant::now();
        let looked = asking.look();
        let pause = match &looked {
            Ok(_) => interval.saturating_sub(looked_at.elapsed()),
            Err(_) => pause_after(failures, interval),
        };
        let (delivery, history) = match looked {
            Ok((frame, history)) => (Delivery::Seen(Box::new(frame), None), history),
            Err(why) => {
                let retry_at = Instant::now() + pause;
                (Delivery::Failed { why, retry_at }, None)
            }
        };
        failures = match delivery {
            Delivery::Seen(..) => 0,
            Delivery::Failed { .. } => failures + 1,
        };
        {
            let mut slot = shared.lock();
            slot.delivery = Some(delivery);
            slot.history = history.or_else(|| slot.history.take());
        }
        if ordered.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

/// The pause doubles with every failure, from one interval on.
fn pause_after(failures: u32, interval: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(failures.min(16));
    interval.saturating_mul(factor).min(LONGEST_PAUSE)
}

/// What is remembered from one look to the next.
struct Asking {
    source: Box<dyn Source>,
    local: bool,
    events: Arc<Vec<Event>>,
    after: u64,
    instance: Option<String>,
    /// That of the GPUs that were seen last.
    generation: u64,
}

impl Asking {
    fn new(source: Box<dyn Source>, local: bool) -> Self {
        Self {
            source,
            local,
            events: Arc::default(),
            after: 0,
            instance: None,
            generation: 0,
        }
    }

    fn get<T: serde::de::DeserializeOwned>(&mut self, path: &str) -> Result<T, String> {
        let body = self.source.get(path)?;
        body::read(path, body)
    }

    /// One look at everything. The first one of an agent's life brings its history along.
    fn look(&mut self) -> Result<(Frame, Option<History>), String> {
        let mut host: Host = self.get(HOST)?;
        let is_new = self.instance.is_none() || host.agent.instance != self.instance;
        if is_new {
            self.instance = Some(host.agent.instance.clone().unwrap_or_default());
            (self.events, self.after) = (Arc::default(), 0);
        }
        // Without a driver these are refused, and the host says why.
        let (gpus, processes): (Gpus, Processes) = if host.driver.is_ready() {
            match self.look_at_gpus() {
                Ok(seen) => seen,
                Err(why) => {
                    // It may have gone in between, which is an answer as well.
                    host = self.get(HOST)?;
                    if host.driver.is_ready() {
                        return Err(why);
                    }
                    Default::default()
                }
            }
        } else {
            Default::default()
        };
        self.look_at_events()?;
        let history = if is_new { self.history() } else { None };
        let parents = if self.local {
            parents::of(processes.processes.iter().map(|process| process.pid))
        } else {
            Default::default()
        };
        let frame = Frame {
            host,
            gpus,
            processes,
            events: Arc::clone(&self.events),
            parents,
            received: Instant::now(),
        };
        Ok((frame, history))
    }

    /// Once there is something newer: an agent that reads its GPUs less often than that is not asked in vain, and what it has
    /// read is here at once. One that was started anew is behind, which it answers at once as well.
    fn look_at_gpus(&mut self) -> Result<(Gpus, Processes), String> {
        let newer = format!("wait_for={}&wait={WAIT}", self.generation);
        let gpus: Gpus = self.get(&format!("/api/v1/gpus?fields={FIELDS}&{newer}"))?;
        self.generation = gpus.generation;
        Ok((gpus, self.get("/api/v1/processes")?))
    }

    fn look_at_events(&mut self) -> Result<(), String> {
        for _ in 0..PAGES {
            let page: Events = self.get(&format!("/api/v1/events?limit=1000&after={}", self.after))?;
            if page.events.is_empty() {
                break;
            }
            let mut events = self.events.to_vec();
            events.extend(page.events);
            let surplus = events.len().saturating_sub(EVENTS_KEPT);
            events.drain(..surplus);
            self.events = Arc::new(events);
            if page.next <= self.after {
                break;
            }
            self.after = page.next;
        }
        Ok(())
    }

    /// What the agent remembers; nothing from one that remembers nothing.
    fn history(&mut self) -> Option<History> {
        let metrics = Metric::ALL.map(Metric::path).join(",");
        self.get(&format!("/api/v1/history?from=-10m&metric={metrics}"))
            .ok()
    }
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
