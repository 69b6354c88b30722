//! What GPUs the machine should have, by the kernel's list of PCI devices: read by a thread of its own, which nobody
//! waits for, since a read of sysfs may block like one of the driver.
//!
//! NVML is not asked. What is compared with its list must not come from it.

use std::{
    env, io,
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use actix::{Recipient, prelude::SendError};
use gpulse_aggregator::{Inventoried, SnapshotCache};
use gpulse_models::{Absence, DriverStatus, Inventory, PciBusId, Reason};

mod pci;

/// Where the kernel shows its devices.
pub const SYSFS: &str = "/sys";

/// How often the thread sees whether the roster is another one: a GPU that was taken from the driver on purpose is called
/// missing for no longer than that. Costs the load of a pointer.
const LONGEST_NAP: Duration = Duration::from_secs(1);

/// With this variable a container is given some of the machine's GPUs.
const VISIBLE_DEVICES: &str = "NVIDIA_VISIBLE_DEVICES";

/// What the machine's GPUs are known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// By the PCI devices.
    Devices,
    /// By this number; the PCI devices only tell which ones are missing.
    Number(usize),
    /// Not at all.
    Off,
}

/// How the machine's GPUs are looked for.
#[derive(Clone, Debug)]
pub struct InventorySettings {
    /// What they are known by.
    pub expectation: Expectation,
    /// Where the kernel shows its devices; elsewhere than at [`SYSFS`] they are not taken for those of this machine.
    pub sysfs: PathBuf,
    /// From one look to the next, while the roster stays the same.
    pub interval: Duration,
}

/// Looks at the machine's PCI devices for as long as the aggregator lives, and again when the roster in `cache` is
/// another one.
///
/// # Errors
///
/// If no thread can be started.
pub fn watch_inventory(
    settings: InventorySettings,
    cache: Arc<SnapshotCache>,
    aggregator: Recipient<Inventoried>,
) -> io::Result<()> {
    let visible = env::var(VISIBLE_DEVICES).ok();
    thread::Builder::new()
        .name("inventory".to_owned())
        .spawn(move || run(&settings, visible.as_deref(), &cache, &aggregator))
        .map(drop)
}

fn run(
    settings: &InventorySettings,
    visible: Option<&str>,
    cache: &SnapshotCache,
    aggregator: &Recipient<Inventoried>,
) {
    loop {
        let roster = Roster::of(cache);
        let inventory = Arc::new(take(settings, visible));
        match aggregator.try_send(Inventoried(inventory)) {
            Ok(()) if settings.expectation == Expectation::Off => return,
            // A full mailbox is told the next time.
            Ok(()) | Err(SendError::Full(_)) => {}
            Err(SendError::Closed(_)) => return,
        }
        let looked = Instant::now();
        while looked.elapsed() < settings.interval && Roster::of(cache) == roster {
            thread::sleep(settings.interval.min(LONGEST_NAP));
        }
    }
}

/// What tells one roster from another.
#[derive(PartialEq, Eq)]
struct Roster {
    ready: bool,
    places: Vec<Option<PciBusId>>,
}

impl Roster {
    fn of(cache: &SnapshotCache) -> Self {
        let host = cache.host();
        Self {
            ready: matches!(host.driver, DriverStatus::Ready(_)),
            places: host.gpus.iter().map(|gpu| gpu.pci_bus_id()).collect(),
        }
    }
}

fn take(settings: &InventorySettings, visible: Option<&str>) -> Inventory {
    let (configured, devices) = match settings.expectation {
        Expectation::Off => (
            None,
            Err(Absence::new(Reason::Disabled, "health.expected_gpus is off")),
        ),
        Expectation::Number(number) => (Some(number), pci::gpus(&settings.sysfs)),
        Expectation::Devices => match visible.filter(|visible| is_some_only(visible)) {
            Some(visible) => (None, Err(given_some_only(visible))),
            None => (None, pci::gpus(&settings.sysfs)),
        },
    };
    Inventory {
        configured,
        devices,
        is_of_this_machine: settings.sysfs.as_os_str() == SYSFS,
    }
}

/// Whether this container was given some of the GPUs only. `void` stands for GPUs that were given in another way, which
/// may be all or some.
fn is_some_only(visible: &str) -> bool {
    !["", "all"].contains(&visible)
}

fn given_some_only(visible: &str) -> Absence {
    let message = format!(
        "{VISIBLE_DEVICES} is `{visible}`: this container may have been given some of the machine's GPUs only; \
         health.expected_gpus can say how many"
    );
    Absence::new(Reason::NoPermission, message)
}

#[cfg(test)]
mod tests;
