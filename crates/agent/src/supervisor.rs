//! Tells the service manager how the agent is: systemd's `sd_notify` protocol.
//!
//! A plain thread of its own does it, since the manager's socket may be full, and nobody waits for it. It looks at the
//! cache at least once a second:
//!
//! 1. `STATUS=` whenever the counts of GPUs by state change.
//! 2. `WATCHDOG=1` as long as the aggregator's heart beats ([`feeder`]). A GPU that hangs does not stop that.
//! 3. `WATCHDOG=trigger` once nothing of NVML has returned for long enough, if that was configured ([`total`]).
//!
//! Without a service manager there is no such thread.

use std::{
    env, io,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use gpulse_aggregator::SnapshotCache;
use sd_notify::NotifyState;

use crate::config::{OnTotalHang, Watchdog};

mod feeder;
mod status;
mod total;

use feeder::{Feeder, Sign};

/// Where the service manager listens.
const SOCKET: &str = "NOTIFY_SOCKET";

/// How often the cache is looked at, at least.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// Looks within the watchdog's time. The heart beats once a second, so that a time of three seconds is safe.
const LOOKS_PER_WATCHDOG: u32 = 4;

/// A shorter time of the watchdog leaves a busy machine no room.
const SHORTEST_WATCHDOG: Duration = Duration::from_secs(3);

/// How long the end of the agent waits for the service manager to hear of it.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Notes that may wait: the agent has three to tell, and reloads at a person's pace.
const WAITING_NOTES: usize = 16;

/// What the service manager is told by the rest of the agent.
#[derive(Debug)]
enum Note {
    Ready,
    Reloading,
    /// With a channel to say that it was told.
    Stopping(mpsc::SyncSender<()>),
}

/// The service manager, if there is one.
#[derive(Debug)]
pub(crate) struct Supervisor(Option<mpsc::SyncSender<Note>>);

impl Supervisor {
    /// Starts to tell the service manager how the agent is that writes `cache`.
    pub(crate) fn start(cache: &Arc<SnapshotCache>, settings: &Watchdog) -> Self {
        let restart = settings.on_total_hang == OnTotalHang::Restart;
        if env::var_os(SOCKET).is_none() {
            if restart {
                tracing::warn!(
                    "watchdog.on_total_hang is \"restart\", but no service manager listens (NOTIFY_SOCKET)"
                );
            }
            return Self(None);
        }
        let watchdog = sd_notify::watchdog_enabled();
        if let Some(time) = watchdog.filter(|time| *time < SHORTEST_WATCHDOG) {
            tracing::warn!(
                ?time,
                "the watchdog of the service manager is short: three seconds are safe"
            );
        }
        let feeder = Feeder::new(
            watchdog.is_some(),
            restart.then_some(settings.total_hang_after),
            total::is_beyond_signals,
        );
        let pause = watchdog.map_or(LONGEST_LOOK, |time| (time / LOOKS_PER_WATCHDOG).min(LONGEST_LOOK));
        let cache = Arc::clone(cache);
        let (notes, waiting) = mpsc::sync_channel(WAITING_NOTES);
        let mut teller = Teller::default();
        let thread = thread::Builder::new()
            .name("supervisor".to_owned())
            .spawn(move || run(&waiting, &cache, feeder, pause, |states| teller.tell(states)));
        match thread {
            Ok(_) => Self(Some(notes)),
            Err(error) => {
                tracing::error!(%error, "no thread can be started to tell the service manager anything");
                Self(None)
            }
        }
    }

    /// The listener serves. Whether GPUs do is not the question: without any the agent says why.
    pub(crate) fn ready(&self) {
        self.note(Note::Ready);
    }

    /// Files are looked at again; [`Supervisor::ready`] ends that.
    pub(crate) fn reloading(&self) {
        self.note(Note::Reloading);
    }

    /// The agent ends. Returns once that was told, or after a second.
    pub(crate) fn stopping(&self) {
        let (tell, told) = mpsc::sync_channel(1);
        if self.note(Note::Stopping(tell)) {
            // Whoever does not listen is not waited for.
            let _ = told.recv_timeout(LAST_WORD);
        }
    }

    /// A service manager that takes nothing is left alone.
    fn note(&self, note: Note) -> bool {
        self.0.as_ref().is_some_and(|notes| notes.try_send(note).is_ok())
    }
}

/// Tells what comes, and what the cache shows, until nobody is left who could note anything.
fn run(
    notes: &mpsc::Receiver<Note>,
    cache: &SnapshotCache,
    mut feeder: Feeder,
    pause: Duration,
    mut tell: impl FnMut(&[NotifyState<'_>]),
) {
    let mut status = String::new();
    loop {
        match notes.recv_timeout(pause) {
            Ok(Note::Ready) => tell(&[NotifyState::Ready]),
            Ok(Note::Reloading) => match NotifyState::monotonic_usec_now() {
                Ok(now) => tell(&[NotifyState::Reloading, now]),
                // Without the time systemd takes the reload for failed.
                Err(_) => continue,
            },
            Ok(Note::Stopping(told)) => {
                tell(&[NotifyState::Stopping]);
                // Nobody waits any more if that took long.
                let _ = told.try_send(());
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        let host = Arc::clone(&cache.host());
        feeder.park(cache.parking().is_wanted());
        let sign = feeder.look(&host, cache.heartbeat(), Instant::now());
        let now = status::status(&host, &feeder);
        if now != status {
            tell(&[NotifyState::Status(&now)]);
            status = now;
        }
        match sign {
            Sign::None => {}
            Sign::Feed => tell(&[NotifyState::Watchdog]),
            Sign::Trigger => tell(&[NotifyState::WatchdogTrigger]),
        }
    }
}

/// Sends, and logs once that it cannot.
#[derive(Default)]
struct Teller {
    failing: bool,
}

impl Teller {
    fn tell(&mut self, states: &[NotifyState<'_>]) {
        let sent: io::Result<()> = sd_notify::notify(states);
        if let Err(error) = &sent
            && !self.failing
        {
            tracing::warn!(%error, "the service manager cannot be told anything");
        }
        self.failing = sent.is_err();
    }
}

#[cfg(test)]
mod tests;
