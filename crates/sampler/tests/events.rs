//! Events over the simulated library: they arrive under the right GPU, none is missed, and a sick GPU costs the
//! others nothing.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

mod support;

use std::{path::PathBuf, time::Duration};

use gpulse_aggregator::{EVENTS_KEPT, SnapshotCache};
use gpulse_models::{Event, EventCounters, EventKind, GpuState, Reason};
use nvml_sim::{faults::Fault, testing::Simulator};
use support::{PATIENCE, eventually, sampling};

fn library(simulator: &Simulator) -> Option<PathBuf> {
    Some(simulator.library_path().to_owned())
}

fn counters(cache: &SnapshotCache, gpu: u32) -> Option<EventCounters> {
    let gpus = cache.events().totals().gpus;
    gpus.into_iter()
        .find(|(of, _)| of.index == gpu)
        .map(|(_, counters)| counters)
}

/// Waits until the driver's events of these GPUs reach the agent. What happened before is not news, to the driver.
async fn watched(cache: &SnapshotCache, gpus: impl IntoIterator<Item = u32>) {
    for gpu in gpus {
        unwatched(cache, gpu, None).await;
    }
}

async fn unwatched(cache: &SnapshotCache, gpu: u32, reason: Option<Reason>) {
    let known = || {
        counters(cache, gpu)
            .filter(|counters| counters.unwatched == reason)
            .map(drop)
    };
    eventually(&format!("GPU {gpu} is unwatched for {reason:?}"), known).await;
}

fn xids(cache: &SnapshotCache) -> Vec<(u32, u64)> {
    let xid = |event: Event| match event.kind {
        EventKind::Xid(code) => Some((event.gpu?.index, code?)),
        _ => None,
    };
    let page = cache.events().after(0, usize::MAX, None);
    page.events.into_iter().filter_map(xid).collect()
}

async fn count_of(cache: &SnapshotCache, gpu: u32, code: u64, at_least: u64) -> u64 {
    let enough = || {
        let count = counters(cache, gpu)?.xids.get(&code)?.count;
        (count >= at_least).then_some(count)
    };
    eventually(&format!("XID {code} of GPU {gpu} came {at_least} times"), enough).await
}

#[test]
fn an_xid_arrives_once_and_under_the_right_gpu() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        watched(cache, 0..8).await;
        let faults = [
            Fault::everywhere().gpu(5).xid(79),
            Fault::everywhere().gpu(2).xid(31),
        ];
        simulator.set_faults(&faults).unwrap();
        count_of(cache, 5, 79, 1).await;
        count_of(cache, 2, 31, 1).await;
        let mut seen = xids(cache);
        seen.sort_unstable();
        assert_eq!(seen, [(2, 31), (5, 79)]);
        assert_eq!(cache.events().totals().dropped, 0);
    });
}

#[test]
fn a_lost_gpu_says_so_though_it_answers_nothing_any_more() {
    let simulator = Simulator::start("a100-pcie-4").unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        watched(cache, 0..4).await;
        simulator
            .set_faults(&[Fault::everywhere().gpu(1).lost()])
            .unwrap();
        count_of(cache, 1, 79, 1).await;
        let lost = || {
            let events = cache.events().after(0, usize::MAX, Some(1)).events;
            let lost = |event: &Event| {
                matches!(
                    event.kind,
                    EventKind::GpuState {
                        now: GpuState::Lost,
                        ..
                    }
                )
            };
            events.iter().any(lost).then_some(())
        };
        eventually("the change of state is logged as well", lost).await;
    });
}

#[test]
fn a_storm_is_counted_completely_while_every_gpu_is_sampled_on() {
    let simulator = Simulator::start("a100-pcie-4").unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        watched(cache, 0..4).await;
        simulator
            .set_faults(&[Fault::everywhere().gpu(0).xid(31).per_second(1_000)])
            .unwrap();
        count_of(cache, 0, 31, EVENTS_KEPT as u64 + 1_000).await;
        let sequences = || -> Vec<u64> {
            let host = cache.host();
            host.gpus.iter().map(|gpu| gpu.health.sequence).collect()
        };
        let before = sequences();
        let further = || {
            sequences()
                .iter()
                .zip(&before)
                .all(|(now, before)| now > before)
                .then_some(())
        };
        eventually("every GPU is sampled on", further).await;
        simulator.clear_faults().unwrap();
        let page = cache.events().after(0, usize::MAX, None);
        assert_eq!(page.events.len(), EVENTS_KEPT);
        assert_eq!(page.lost, page.oldest - 1);
        let sequences: Vec<_> = page.events.iter().map(|event| event.sequence).collect();
        assert!(sequences.is_sorted_by(|earlier, later| earlier + 1 == *later));
        assert!(
            cache.host().gpus.iter().all(|gpu| gpu.health.dropped == 0),
            "a record was refused"
        );
        assert_eq!(cache.events().totals().dropped, 0);
    });
}

#[test]
fn a_registration_that_hangs_keeps_no_other_gpu_from_being_watched() {
    let simulator = Simulator::start("a100-pcie-4").unwrap();
    simulator
        .set_faults(&[Fault::on("nvmlDeviceRegisterEvents").gpu(1).hang()])
        .unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        watched(cache, [0, 2, 3]).await;
        unwatched(cache, 1, Some(Reason::Timeout)).await;
        let hang = Fault::on("nvmlDeviceRegisterEvents").gpu(1).hang();
        simulator
            .set_faults(&[hang, Fault::everywhere().gpu(3).xid(48)])
            .unwrap();
        count_of(cache, 3, 48, 1).await;
        simulator.clear_faults().unwrap();
        watched(cache, 0..4).await;
    });
}

#[test]
fn a_registration_that_fails_is_named_tried_again_and_costs_the_others_nothing() {
    let simulator = Simulator::start("a100-pcie-4").unwrap();
    simulator
        .set_faults(&[Fault::on("nvmlDeviceRegisterEvents").gpu(2).returns(999)])
        .unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        watched(cache, [0, 1, 3]).await;
        unwatched(cache, 2, Some(Reason::Error)).await;
        simulator.clear_faults().unwrap();
        watched(cache, 0..4).await;
    });
}

#[test]
fn a_gpu_that_passes_its_trial_and_fails_then_takes_nobody_with_it() {
    let simulator = Simulator::start("a100-pcie-4").unwrap();
    let later = Fault::on("nvmlDeviceRegisterEvents")
        .gpu(2)
        .skip(1)
        .times(1)
        .returns(999);
    simulator.set_faults(&[later]).unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        watched(cache, 0..4).await;
        simulator
            .set_faults(&[Fault::everywhere().gpu(0).xid(31)])
            .unwrap();
        count_of(cache, 0, 31, 1).await;
    });
}

#[test]
fn a_gpu_that_hangs_after_its_trial_stops_the_waiter_and_the_next_goes_without_it() {
    let simulator = Simulator::start("a100-pcie-4").unwrap();
    let hang = Fault::on("nvmlDeviceRegisterEvents").gpu(0).skip(1).hang();
    simulator.set_faults(&[hang]).unwrap();
    sampling(library(&simulator), Duration::from_millis(100), async |cache| {
        watched(cache, [1, 2, 3]).await;
        simulator.clear_faults().unwrap();
        watched(cache, 0..4).await;
        simulator
            .set_faults(&[Fault::everywhere().gpu(0).xid(31)])
            .unwrap();
        count_of(cache, 0, 31, 1).await;
    });
}

#[test]
fn what_a_gpu_does_not_support_is_remembered_with_its_reason() {
    let simulator = Simulator::start("t4").unwrap();
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetSupportedEventTypes").returns(3)])
        .unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        unwatched(cache, 0, Some(Reason::NotSupported)).await;
    });
    assert_eq!(simulator.calls("nvmlDeviceGetSupportedEventTypes", Some(0)), 1);
    assert_eq!(simulator.calls_anywhere("nvmlEventSetWait_v2"), 0);
}

#[test]
fn a_wait_that_fails_is_taken_up_again() {
    let simulator = Simulator::start("t4").unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        watched(cache, [0]).await;
        simulator
            .set_faults(&[Fault::on("nvmlEventSetWait_v2").returns(999)])
            .unwrap();
        unwatched(cache, 0, Some(Reason::Error)).await;
        simulator.clear_faults().unwrap();
        watched(cache, [0]).await;
        simulator
            .set_faults(&[Fault::everywhere().gpu(0).xid(13)])
            .unwrap();
        count_of(cache, 0, 13, 1).await;
    });
}

#[test]
fn an_interrupted_wait_is_nothing_to_speak_of() {
    let simulator = Simulator::start("t4").unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        watched(cache, [0]).await;
        let interrupted = Fault::on("nvmlEventSetWait_v2").times(3).returns(10);
        simulator
            .set_faults(&[interrupted, Fault::everywhere().gpu(0).xid(31)])
            .unwrap();
        count_of(cache, 0, 31, 1).await;
    });
    assert_eq!(
        simulator.calls_anywhere("nvmlEventSetCreate"),
        2,
        "one for the trial, one to wait on"
    );
}
