//! The roster against the PCI devices: what is missing, and when that is not known.

use std::sync::Arc;

use super::*;
use crate::{GpuState, example};

fn with(inventory: Inventory, gpus: impl IntoIterator<Item = GpuSnapshot>) -> HostSnapshot {
    HostSnapshot {
        inventory: Arc::new(inventory),
        ..example::host(gpus)
    }
}

fn simulated(mut host: HostSnapshot) -> HostSnapshot {
    host.driver = DriverStatus::Ready(Arc::new(crate::DriverInfo {
        simulated: true,
        ..example::driver()
    }));
    host
}

fn missing(host: &HostSnapshot) -> (usize, Vec<String>) {
    let expected = host.expected_gpus().unwrap();
    let ids = expected.missing.iter().map(|gpu| gpu.pci_bus_id.to_string());
    assert_eq!(expected.found + expected.missing_count, expected.count);
    (expected.missing_count, ids.collect())
}

#[test]
fn a_gpu_that_the_roster_does_not_have_is_missing_by_its_place() {
    let host = with(example::inventory(3), [example::gpu(0), example::gpu(2)]);
    assert_eq!(missing(&host), (1, vec!["00000000:02:00.0".to_owned()]));
}

#[test]
fn a_gpu_of_the_roster_is_not_missing_whatever_its_state() {
    let mut lost = example::gpu(1);
    lost.health.state = GpuState::Lost;
    let host = with(example::inventory(2), [example::gpu(0), lost]);
    assert_eq!(missing(&host), (0, vec![]));
}

#[test]
fn a_gpu_that_has_not_said_where_it_sits_may_be_any_of_them() {
    let pending = GpuSnapshot::pending(1, 1, example::at());
    let host = with(example::inventory(2), [example::gpu(0), pending.clone()]);
    assert_eq!(missing(&host), (0, vec![]));
    let host = with(example::inventory(3), [example::gpu(0), pending]);
    assert_eq!(
        missing(&host),
        (
            1,
            vec!["00000000:02:00.0".to_owned(), "00000000:03:00.0".to_owned()]
        )
    );
}

#[test]
fn a_configured_number_overrides_that_of_the_devices() {
    let inventory = |configured, devices| Inventory {
        configured: Some(configured),
        ..example::inventory(devices)
    };
    let gpus = || [example::gpu(0), example::gpu(1)];
    assert_eq!(missing(&with(inventory(2, 8), gpus())), (0, vec![]));
    assert_eq!(missing(&with(inventory(3, 0), gpus())), (1, vec![]));
    assert_eq!(
        missing(&with(inventory(3, 3), gpus())),
        (1, vec!["00000000:03:00.0".to_owned()])
    );
    let unread = Inventory {
        configured: Some(3),
        ..Inventory::unread()
    };
    assert_eq!(missing(&with(unread, gpus())).0, 1);
}

#[test]
fn without_a_driver_every_gpu_is_missing_and_before_it_is_known_none() {
    let mut host = with(example::inventory(2), []);
    host.driver = DriverStatus::Starting;
    assert_eq!(host.expected_gpus().unwrap_err().reason, Reason::NotReady);
    host.driver = DriverStatus::Unavailable(Arc::new(example::driver_fault()));
    assert_eq!(missing(&host).0, 2);
}

#[test]
fn this_machines_devices_say_nothing_about_simulated_gpus() {
    let host = simulated(with(example::inventory(2), []));
    assert_eq!(host.expected_gpus().unwrap_err().reason, Reason::NotSupported);
    let host = simulated(with(
        Inventory {
            is_of_this_machine: false,
            ..example::inventory(2)
        },
        [example::gpu(0)],
    ));
    assert_eq!(missing(&host).0, 1);
}

#[test]
fn what_was_not_looked_at_is_not_known() {
    let host = with(Inventory::unread(), [example::gpu(0)]);
    assert_eq!(host.expected_gpus().unwrap_err().reason, Reason::NotReady);
}
