//! Keys and the mouse: a thread of its own listens, so that a terminal that goes away, or sends half a sequence, never keeps the
//! one that draws from ending.
//!
//! `crossterm` reads again and again from a terminal that has hung up, without looking at the time. So it is called only once
//! there is something to read and the terminal is there; should the terminal go in between, it is this thread alone that
//! does not come back, and nobody waits for it.
//!
//! It is told of new input once, and forgets that where a change of size comes at the same time: the input is then announced
//! anew ([`crate::terminal::announce_input`]), or the key would do nothing until another one comes.

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

use crate::terminal::announce_input;

/// Events that wait to be taken in. What comes beyond them waits in the terminal, which has bounds of its own.
const WAITING: usize = 64;

/// How long the thread listens before it looks whether it is still wanted.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// How long input may lie that `crossterm` was told of and does not take.
const PAUSE: Duration = Duration::from_millis(100);

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
    let mut is_announced = false;
    while !is_unwanted.load(Ordering::SeqCst) {
        let Ok(Some(is_readable)) = look(&LOOK) else {
            return;
        };
        // Asked without input, too: it takes in changes of size, so that they seldom come together with a key.
        let Ok(passed_on) = pass_on(tell) else { return };
        if passed_on > 0 || !is_readable {
            is_announced = false;
            continue;
        }
        if is_announced {
            // It was told and takes nothing in all the same: what is there waits for more, which is no reason to be busy.
            thread::sleep(PAUSE);
        }
        announce_input();
        is_announced = true;
    }
}

/// Passes on what there is. Returns how many events that were; an error where nobody wants them any more.
fn pass_on(tell: &SyncSender<Event>) -> Result<usize, ()> {
    let mut passed_on = 0;
    while let Ok(true) = event::poll(Duration::ZERO) {
        let event = event::read().map_err(drop)?;
        tell.send(event).map_err(drop)?;
        passed_on += 1;
    }
    Ok(passed_on)
}

/// Whether there is something to read; nothing where there is no terminal any more.
fn look(time: &Timespec) -> Result<Option<bool>, Errno> {
    let stdin = io::stdin();
    let mut terminal = [PollFd::new(&stdin, PollFlags::IN)];
    match poll(&mut terminal, Some(time)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error),
    }
    let said = terminal[0].revents();
    if said.intersects(GONE) {
        return Ok(None);
    }
    Ok(Some(said.contains(PollFlags::IN)))
}
