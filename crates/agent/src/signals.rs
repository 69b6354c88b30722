//! SIGTERM and SIGINT: the first asks for an orderly end, the second does not wait for it. SIGHUP asks for a look at
//! files that may have changed. SIGXFSZ, which would end the agent where a file may not grow, asks for nothing: the write fails,
//! and who writes says so.

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// The end, by the signal of this name.
    End(&'static str),
    /// A look at files that may have changed.
    Reload,
}

/// The signals that the agent hears.
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    /// Caught, and never looked at.
    _file_too_large: tokio::signal::unix::Signal,
}

impl Signals {
    /// Catches the signals from now on.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            _file_too_large: signal(SignalKind::from_raw(Number::XFSZ.as_raw()))?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::End("SIGTERM"),
            _ = self.interrupt.recv() => Request::End("SIGINT"),
            _ = self.hangup.recv() => Request::Reload,
        }
    }

    /// Waits for the next one that asks for the end, and names it.
    pub(crate) async fn end(&mut self) -> &'static str {
        loop {
            if let Request::End(signal) = self.next().await {
                return signal;
            }
        }
    }
}
