//! The terminal: taken over, and given back as it was whatever happens.

use std::{
    io::{self, IsTerminal as _, Write as _},
    panic,
    sync::{
        Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::Show,
        event::{DisableMouseCapture, EnableMouseCapture},
        execute,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
};

use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr};

use crate::{look::Colors, options::Error, output::Output};

/// Whether the terminal is taken over at the moment: there is one of it in a process.
static TAKEN: AtomicBool = AtomicBool::new(false);

static HOOK: Once = Once::new();

/// Held while the settings of the terminal change, so that none are written back that do not hold any more.
static SETTINGS: Mutex<()> = Mutex::new(());

fn settings() -> MutexGuard<'static, ()> {
    SETTINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks whether there is a terminal, before anything is done for it.
///
/// # Errors
///
/// If there is none, or none to press keys on.
pub fn check() -> Result<(), Error> {
    if !io::stdout().is_terminal() {
        return Err(Error::NoTerminal);
    }
    if !io::stdin().is_terminal() {
        return Err(Error::NoKeys);
    }
    Ok(())
}

/// A terminal that is taken over, for as long as this is kept.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Output<io::Stdout>>>,
    mouse: bool,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    ///
    /// If there is none, or it fails.
    pub(crate) fn take(mouse: bool, colors: Colors) -> Result<Self, Error> {
        check()?;
        HOOK.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                // First, so that the message stands on the screen that stays.
                give_back();
                previous(info);
            }));
        });
        take_over(mouse)?;
        let terminal = Terminal::new(CrosstermBackend::new(Output::new(
            io::stdout(),
            colors != Colors::Sixteen,
        )));
        let terminal = terminal.inspect_err(|_| give_back())?;
        Ok(Self { terminal, mouse })
    }

    /// Draws. Does nothing once the terminal was given back by a panic of another thread.
    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        if TAKEN.load(Ordering::SeqCst) {
            self.terminal.draw(draw)?;
        }
        Ok(())
    }

    /// Whether it is of another size than what was drawn.
    pub(crate) fn is_resized(&mut self) -> bool {
        let drawn = self.terminal.get_frame().area();
        // The kernel is asked and not the backend, which starts a program where the terminal does not say.
        tcgetwinsize(io::stdout()).is_ok_and(|size| (size.ws_col, size.ws_row) != (drawn.width, drawn.height))
    }

    /// Draws everything anew the next time.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Gives the terminal back, does something, and takes it over again.
    pub(crate) fn leave_for(&mut self, doing: impl FnOnce()) -> io::Result<()> {
        give_back();
        doing();
        self.take_again()
    }

    /// Takes over a terminal that somebody else has changed.
    pub(crate) fn take_again(&mut self) -> io::Result<()> {
        take_over(self.mouse)?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Has the kernel announce the input that is there to those who wait for news of it, by setting what is set already: Linux wakes
/// the readers of a terminal when its settings are written.
pub(crate) fn announce_input() {
    let _held = settings();
    if !TAKEN.load(Ordering::SeqCst) {
        return;
    }
    // A terminal that is gone is noticed where it is read.
    if let Ok(now) = tcgetattr(io::stdin()) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &now);
    }
}

fn take_over(mouse: bool) -> io::Result<()> {
    let raw = {
        let _held = settings();
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()
    };
    let taken = raw.and_then(|()| {
        execute!(io::stdout(), EnterAlternateScreen)?;
        if mouse {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        Ok(())
    });
    taken.inspect_err(|_| give_back())
}

/// Gives the terminal back as it was, once. A terminal that is gone is no reason to fail.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
        let _held = settings();
        let _ = disable_raw_mode();
        let _ = io::stdout().flush();
    }
}
