//! Keys and the mouse: a thread of its own listens, so that a terminal that goes away, or sends half a sequence, never keeps the
//! one that draws from ending.
//!
//! `crossterm` reads again and again from a terminal that has hung up, without looking at the time. So it is called only once
//! there is something to read and the terminal is there; should the terminal go in between, it is this thread alone that
//! does not come back, and nobody waits for it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use ratatui::crossterm::event::{self, Event};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

/// Events that wait to be taken in. What comes beyond them waits in the terminal, which has bounds of its own.
const WAITING: usize = 64;

/// How long the thread listens before it looks whether it is still wanted.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// What a terminal that cannot be read any more says of itself.
const GONE: PollFlags = PollFlags::HUP.union(PollFlags::ERR).union(PollFlags::NVAL);

/// The thread that listens. It ends soon after this goes.
pub(crate) struct Input {
    events: Receiver<Event>,
    is_unwanted: Arc<AtomicBool>,
}

/// What has come.
#[derive(Debug)]
pub(crate) enum Came {
    /// Nothing.
    Nothing,
    /// A key, or something else.
    Event(Event),
    /// The terminal cannot be read any more.
    Gone,
}

impl Input {
    /// Begins to listen.
    pub(crate) fn start() -> io::Result<Self> {
        let (tell, events) = sync_channel(WAITING);
        let is_unwanted = Arc::<AtomicBool>::default();
        let seen = Arc::clone(&is_unwanted);
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || listen(&tell, &seen))?;
        Ok(Self { events, is_unwanted })
    }

    /// Waits for what comes, but no longer than `time`.
    pub(crate) fn wait(&self, time: Duration) -> Came {
        match self.events.recv_timeout(time) {
            Ok(event) => Came::Event(event),
            Err(RecvTimeoutError::Timeout) => Came::Nothing,
            Err(RecvTimeoutError::Disconnected) => Came::Gone,
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.is_unwanted.store(true, Ordering::SeqCst);
    }
}

/// Passes events on until nobody wants them, or the terminal is gone.
fn listen(tell: &SyncSender<Event>, is_unwanted: &AtomicBool) {
    while !is_unwanted.load(Ordering::SeqCst) {
        match look() {
            Ok(Some(true)) => {}
            Ok(Some(false)) => continue,
            Ok(None) | Err(_) => return,
        }
        while let Ok(true) = event::poll(Duration::ZERO) {
            let Ok(event) = event::read() else { return };
            if tell.send(event).is_err() {
                return;
            }
        }
    }
}

/// Whether there is something to read; nothing where there is no terminal any more.
fn look() -> Result<Option<bool>, Errno> {
    let stdin = io::stdin();
    let mut terminal = [PollFd::new(&stdin, PollFlags::IN)];
    match poll(&mut terminal, Some(&LOOK)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error),
    }
    let said = terminal[0].revents();
    if said.intersects(GONE) {
        return Ok(None);
    }
    Ok(Some(said.contains(PollFlags::IN)))
}
