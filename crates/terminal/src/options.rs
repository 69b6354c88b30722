//! How the screens are to behave, and why they may end early.

use std::{fmt, io, time::Duration};

use crate::{look::Colors, signaller::Signaller};

/// How the screens are to behave.
pub struct Options {
    /// Where the data comes from, for a person: an URL, or `this host`.
    pub place: String,
    /// From one look at the agent to the next.
    pub interval: Duration,
    /// As many colours as this.
    pub colors: Colors,
    /// Only characters of ASCII.
    pub ascii: bool,
    /// Take clicks and the wheel of the mouse. Terminals then select text only with Shift held.
    pub mouse: bool,
    /// Whether the processes are those of this host, so that `/proc` says who started them.
    pub local: bool,
    /// Who ends processes when that is asked for; or why that cannot be asked for.
    pub signaller: Result<Box<dyn Signaller>, String>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("place", &self.place)
            .field("interval", &self.interval)
            .field("colors", &self.colors)
            .field("ascii", &self.ascii)
            .field("may_kill", &self.signaller.is_ok())
            .finish_non_exhaustive()
    }
}

/// Why the screens cannot be shown, or not any longer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nobody to show them to.
    #[error("standard output is no terminal: `gpulse snapshot` prints the same once, for scripts and files")]
    NoTerminal,
    /// Nobody could press a key.
    #[error("standard input is no terminal, from where keys would come: `gpulse snapshot` needs none")]
    NoKeys,
    /// The terminal failed.
    #[error("the terminal: {0}")]
    Terminal(#[from] io::Error),
    /// It went away.
    #[error("the terminal is gone")]
    TerminalGone,
    /// The thread that asks the agent is gone.
    #[error("the thread that asks the agent has ended, which is a fault of gpulse; its message stands above")]
    FetcherEnded,
}
