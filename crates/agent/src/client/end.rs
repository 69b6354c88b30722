//! The signals that ask a command for its end: what it made is removed before it goes.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether a signal has come that asks for the end.
#[derive(Debug)]
pub(super) struct End {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    seen: Option<&'static str>,
}

impl End {
    /// Catches the signals from now on. To be called inside of a runtime.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            seen: None,
        })
    }

    /// Waits for the first one and names it, at once if it has come already.
    pub(super) async fn wait(&mut self) -> &'static str {
        if let Some(seen) = self.seen {
            return seen;
        }
        let signal = tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        };
        self.seen = Some(signal);
        signal
    }

    /// The one that was noticed.
    pub(super) fn seen(&self) -> Option<&'static str> {
        self.seen
    }
}
