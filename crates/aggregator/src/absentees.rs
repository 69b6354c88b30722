//! Tells that GPUs are missing which the machine should have: a line in the log and an event for each when that changes,
//! not one per generation.

use gpulse_models::{
    DriverStatus, EventGpu, EventKind, ExpectedGpus, GpuSnapshot, HostSnapshot, PciBusId, Timestamp,
};

use crate::EventLog;

/// What was told last.
#[derive(Debug, Default)]
pub(crate) struct Absentees {
    /// Where GPUs are missing.
    places: Vec<PciBusId>,
    /// GPUs that are missing as well, of which it is not known where they sit.
    elsewhere: usize,
}

impl Absentees {
    /// Looks at `host` before it is published. Where NVML itself cannot be used, that was told already; a GPU of the
    /// roster that was not heard of yet will say where it sits, or that it does not.
    pub(crate) fn notice(&mut self, host: &HostSnapshot, events: &EventLog) {
        let (DriverStatus::Ready(_), true, Ok(expected)) =
            (&host.driver, host.is_ready(), host.expected_gpus())
        else {
            return;
        };
        let now = self.compared(host, &expected);
        if self.places == now.places && self.elsewhere == now.elsewhere {
            return;
        }
        now.log(&expected);
        self.tell(&now, host, events);
        *self = now;
    }

    /// What there is to tell of `host`.
    ///
    /// More places than GPUs may be missing, if one of the roster does not say where it sits. Only those are told then of
    /// which it was known before.
    fn compared(&self, host: &HostSnapshot, expected: &ExpectedGpus<'_>) -> Self {
        let listed = |place: &PciBusId| expected.missing.iter().any(|gpu| gpu.pci_bus_id == *place);
        let unread = host.inventory.devices.is_err();
        let still = |place: &&PciBusId| listed(place) || unread && gpu_at(host, **place).is_none();
        let known = self.places.iter().filter(still).copied();
        let mut places: Vec<_> = known.take(expected.missing_count).collect();
        if expected.missing.len() <= expected.missing_count {
            places.extend(expected.missing.iter().map(|gpu| gpu.pci_bus_id));
        }
        places.sort_unstable();
        places.dedup();
        let elsewhere = expected.missing_count.saturating_sub(places.len());
        Self { places, elsewhere }
    }

    fn log(&self, expected: &ExpectedGpus<'_>) {
        let (count, found, missing) = (expected.count, expected.found, expected.missing_count);
        if missing == 0 {
            return tracing::info!(expected = count, "every GPU of the machine is there again");
        }
        let places: Vec<_> = self.places.iter().map(ToString::to_string).collect();
        tracing::warn!(
            expected = count,
            found,
            missing,
            places = places.join(" "),
            "NVML does not know every GPU of the machine"
        );
    }

    /// An event for each difference to `now`.
    fn tell(&self, now: &Self, host: &HostSnapshot, events: &EventLog) {
        let at: Timestamp = host.published_at;
        for &place in self.places.iter().filter(|place| !now.places.contains(place)) {
            let gpu = gpu_at(host, place);
            let kind = if gpu.is_none() && is_gone(host, place) {
                EventKind::GpuNotExpected(Some(place))
            } else {
                EventKind::GpuFound(Some(place))
            };
            events.append(at, gpu.map(EventGpu::of), kind);
        }
        // A GPU that was missing somewhere and is missing at a place now has not been found.
        let mut placed = 0;
        for &place in now.places.iter().filter(|place| !self.places.contains(place)) {
            events.append(at, None, EventKind::GpuMissing(Some(place)));
            placed += 1;
        }
        for _ in self.elsewhere..now.elsewhere {
            events.append(at, None, EventKind::GpuMissing(None));
        }
        for _ in now.elsewhere + placed..self.elsewhere {
            events.append(at, None, EventKind::GpuFound(None));
        }
    }
}

fn gpu_at(host: &HostSnapshot, place: PciBusId) -> Option<&GpuSnapshot> {
    let gpus = host.gpus.iter().map(|gpu| &**gpu);
    gpus.into_iter().find(|gpu| gpu.pci_bus_id() == Some(place))
}

/// Whether the machine shows no GPU at `place` that NVML should know.
fn is_gone(host: &HostSnapshot, place: PciBusId) -> bool {
    let devices = host.inventory.devices.as_ref();
    devices.is_ok_and(|devices| devices.iter().all(|gpu| gpu.pci_bus_id != place))
}

#[cfg(test)]
mod tests;
