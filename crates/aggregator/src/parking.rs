//! Whether the GPUs are to be let go, as an operator wants it for a driver upgrade or a reset.

use tokio::sync::watch;

/// The wish to let the GPUs go: set by whoever serves operators, followed by whoever holds the driver.
#[derive(Debug)]
pub struct Parking(watch::Sender<bool>);

impl Default for Parking {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Parking {
    /// Wishes that the driver is let go and not loaded again until [`resume`](Self::resume). Costs nothing if that is so already.
    pub fn park(&self) {
        self.0.send_if_modified(|parked| !std::mem::replace(parked, true));
    }

    /// Wishes that the GPUs are read again.
    pub fn resume(&self) {
        self.0.send_if_modified(|parked| std::mem::replace(parked, false));
    }

    /// Whether the GPUs are to be let go.
    pub fn is_wanted(&self) -> bool {
        *self.0.borrow()
    }

    /// Follows the wish from now on.
    pub fn follow(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::Parking;

    #[test]
    fn a_wish_that_is_fulfilled_already_changes_nothing() {
        let parking = Parking::default();
        let mut follower = parking.follow();
        parking.resume();
        assert!(!follower.has_changed().unwrap());
        parking.park();
        assert!(*follower.borrow_and_update());
        parking.park();
        assert!(!follower.has_changed().unwrap());
        parking.resume();
        assert!(!*follower.borrow_and_update());
    }
}
