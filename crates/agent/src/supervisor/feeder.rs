//! Whether the watchdog is fed: pure state, with time passed in.

use std::time::{Duration, Instant};

use gpulse_models::HostSnapshot;

use super::total;

/// Looks without a beat after which the aggregator is said to stand still: one or two are a busy machine.
const PATIENCE: u32 = 3;

/// What the watchdog is told after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing.
    None,
    /// The agent moves.
    Feed,
    /// The agent is to be started anew.
    Trigger,
}

/// How the agent moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pulse {
    /// The aggregator takes in what it is sent.
    Moving,
    /// It does not.
    Still,
    /// Nothing of NVML has returned for so long that a new process is asked for.
    Restarting,
    /// The same, but a new process would not help.
    Hopeless,
}

/// Looks at the agent's heartbeat, and at whether anything of NVML returns.
#[derive(Debug)]
pub(super) struct Feeder {
    watchdog: bool,
    restart_after: Option<Duration>,
    is_beyond_signals: fn() -> bool,
    /// Whether an operator wants the GPUs to be let go, which a new process would not know.
    parked: bool,
    heartbeat: Option<u64>,
    /// Looks in a row that saw no beat.
    missed: u32,
    /// Since when nothing of NVML returns.
    stuck_since: Option<Instant>,
    pulse: Pulse,
}

impl Feeder {
    /// Feeds if the service manager has a `watchdog`, and asks for a new process once nothing of NVML has returned for
    /// `restart_after`, unless `is_beyond_signals` says that this one could not even be ended.
    pub(super) fn new(
        watchdog: bool,
        restart_after: Option<Duration>,
        is_beyond_signals: fn() -> bool,
    ) -> Self {
        Self {
            watchdog,
            restart_after,
            is_beyond_signals,
            parked: false,
            heartbeat: None,
            missed: 0,
            stuck_since: None,
            pulse: Pulse::Moving,
        }
    }

    pub(super) fn pulse(&self) -> Pulse {
        self.pulse
    }

    /// Notes whether an operator wants the GPUs to be let go. No new process is asked for then: it would load the driver again
    /// that is about to be replaced.
    pub(super) fn park(&mut self, parked: bool) {
        self.parked = parked;
    }

    /// Takes a look. Between two looks the heart has to beat.
    pub(super) fn look(&mut self, host: &HostSnapshot, heartbeat: u64, now: Instant) -> Sign {
        let before = self.heartbeat.replace(heartbeat);
        let moves = before.is_none_or(|before| before != heartbeat);
        self.missed = if moves { 0 } else { self.missed.saturating_add(1) };
        let is_stuck = !self.parked && total::is_stuck(host);
        let since = is_stuck.then(|| self.stuck_since.unwrap_or(now));
        self.stuck_since = since;
        let overdue = since
            .zip(self.restart_after)
            .is_some_and(|(since, after)| now.saturating_duration_since(since) >= after);
        let pulse = match self.pulse {
            // Stays so until something returns: a service manager that does not know the trigger misses its food.
            Pulse::Restarting if overdue => Pulse::Restarting,
            _ if overdue && (self.is_beyond_signals)() => Pulse::Hopeless,
            _ if overdue => Pulse::Restarting,
            _ if self.missed >= PATIENCE => Pulse::Still,
            _ => Pulse::Moving,
        };
        let is_new = pulse != self.pulse;
        self.pulse = pulse;
        if is_new {
            log(pulse);
        }
        match pulse {
            Pulse::Restarting if is_new => Sign::Trigger,
            // The first look has nothing to compare with.
            Pulse::Moving | Pulse::Hopeless if self.watchdog && moves && before.is_some() => Sign::Feed,
            _ => Sign::None,
        }
    }
}

fn log(pulse: Pulse) {
    match pulse {
        Pulse::Moving => tracing::info!("the agent moves again"),
        Pulse::Still => tracing::error!("the aggregator stands still: the watchdog is not fed"),
        Pulse::Restarting => {
            tracing::error!(
                "nothing of NVML returns any more: the service manager is asked for a new process"
            );
        }
        Pulse::Hopeless => tracing::error!(
            "nothing of NVML returns any more, and a thread sleeps in the kernel where no signal reaches it: \
             a new process would not help, only a reset of the GPU or a reboot"
        ),
    }
}
