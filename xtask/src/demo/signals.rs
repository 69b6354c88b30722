//! Hands the signals of this process on to the agent, so that it is the agent that decides how to stop.

use std::thread;

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

/// The first signal asks, the second insists; whoever sends a third does not want to wait.
const PATIENCE: usize = 3;

/// Holds signals back until there is somebody to hand them to.
pub(crate) struct Forwarder {
    signals: Signals,
}

impl Forwarder {
    /// From here on no signal ends this process.
    pub(crate) fn install() -> Result<Self> {
        Ok(Self {
            signals: Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?,
        })
    }

    /// Hands on what arrived so far and what will arrive.
    pub(crate) fn forward_to(mut self, pid: Pid) {
        thread::spawn(move || {
            for (count, signal) in self.signals.forever().enumerate() {
                // A failure means that the agent is gone, which the main thread notices.
                let _ = kill_process(pid, translate(signal, count + 1));
            }
        });
    }
}

/// A closed terminal (`SIGHUP`) and `SIGQUIT` ask the agent for an orderly end, too.
fn translate(signal: i32, count: usize) -> Signal {
    match signal {
        _ if count >= PATIENCE => Signal::KILL,
        SIGINT => Signal::INT,
        _ => Signal::TERM,
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::Signal;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    use super::translate;

    #[test]
    fn the_third_signal_kills() {
        assert_eq!(translate(SIGINT, 1), Signal::INT);
        assert_eq!(translate(SIGHUP, 1), Signal::TERM);
        assert_eq!(translate(SIGTERM, 2), Signal::TERM);
        assert_eq!(translate(SIGINT, 3), Signal::KILL);
    }
}
