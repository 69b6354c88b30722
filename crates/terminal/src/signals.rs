//! Signals, as flags that the loop looks at.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP},
    flag,
    low_level::{emulate_default_handler, unregister},
};

/// Signals that were caught. They have their usual effect again once this goes.
pub(crate) struct Signals {
    end: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    go_on: Arc<AtomicBool>,
    ids: Vec<signal_hook::SigId>,
}

impl Signals {
    /// Begins to catch them.
    pub(crate) fn catch() -> io::Result<Self> {
        let mut signals = Self {
            end: Arc::default(),
            stop: Arc::default(),
            go_on: Arc::default(),
            ids: Vec::new(),
        };
        let ends = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];
        let mut wanted: Vec<_> = ends.map(|signal| (signal, Arc::clone(&signals.end))).into();
        wanted.push((SIGTSTP, Arc::clone(&signals.stop)));
        wanted.push((SIGCONT, Arc::clone(&signals.go_on)));
        for (signal, flag) in wanted {
            signals.ids.push(flag::register(signal, flag)?);
        }
        Ok(signals)
    }

    /// Whether one asked for the end.
    pub(crate) fn asked_to_end(&self) -> bool {
        self.end.load(Ordering::SeqCst)
    }

    /// Whether one asked to be suspended, once.
    pub(crate) fn asked_to_stop(&self) -> bool {
        self.stop.swap(false, Ordering::SeqCst)
    }

    /// Whether the process goes on after somebody else had the terminal, once.
    pub(crate) fn goes_on(&self) -> bool {
        self.go_on.swap(false, Ordering::SeqCst)
    }

    /// Stops the process until somebody continues it.
    pub(crate) fn stop(&self) {
        // Where a process cannot be stopped it just goes on.
        let _ = emulate_default_handler(SIGTSTP);
        self.go_on.store(false, Ordering::SeqCst);
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            unregister(id);
        }
    }
}
