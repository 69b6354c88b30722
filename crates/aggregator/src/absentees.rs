//! Logs that GPUs are missing which the machine should have: a line when that changes, not one per generation.

use gpulse_models::{DriverStatus, HostSnapshot, PciBusId};

/// What was logged last.
#[derive(Debug, Default)]
pub(crate) struct Absentees {
    count: usize,
    places: Vec<PciBusId>,
}

impl Absentees {
    /// Looks at `host` before it is published. Where NVML itself cannot be used, that was logged already.
    pub(crate) fn notice(&mut self, host: &HostSnapshot) {
        let (DriverStatus::Ready(_), Ok(expected)) = (&host.driver, host.expected_gpus()) else {
            return;
        };
        let same = expected.missing.iter().map(|gpu| gpu.pci_bus_id);
        if expected.missing_count == self.count && same.eq(self.places.iter().copied()) {
            return;
        }
        self.count = expected.missing_count;
        self.places = expected.missing.iter().map(|gpu| gpu.pci_bus_id).collect();
        let (count, found, missing) = (expected.count, expected.found, self.count);
        if missing == 0 {
            tracing::info!(expected = count, "every GPU of the machine is there again");
        } else {
            let places: Vec<_> = self.places.iter().map(ToString::to_string).collect();
            tracing::warn!(
                expected = count,
                found,
                missing,
                places = places.join(" "),
                "NVML does not know every GPU of the machine"
            );
        }
    }
}
