//! Tells the parts of the agent that keep something from a file that the file is to be looked at again.

use tokio::sync::watch;

/// Where a look at files is asked for. What is heard is a number that goes up: asking twice before anybody looked is
/// asking once.
#[derive(Debug)]
pub(crate) struct Reload(watch::Sender<u64>);

impl Reload {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Hears of each time from now on.
    #[cfg_attr(not(test), expect(dead_code, reason = "no part keeps a file yet"))]
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }

    /// Asks for a look and says how many listen.
    pub(crate) fn ask(&self) -> usize {
        self.0.send_modify(|times| *times += 1);
        self.0.receiver_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_hears_of_it_and_who_does_not_holds_nobody_back() {
        let reload = Reload::new();
        assert_eq!(reload.ask(), 0);
        let mut heard = reload.subscribe();
        assert!(!heard.has_changed().unwrap());
        assert_eq!((reload.ask(), reload.ask()), (1, 1));
        assert!(heard.has_changed().unwrap());
        heard.mark_unchanged();
        assert!(!heard.has_changed().unwrap());
    }
}
