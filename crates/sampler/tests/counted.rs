//! The agent's calls of the simulated library are counted as often as the library was called, with their errors, and those that
//! do not return.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

mod support;

use std::{path::PathBuf, time::Duration};

use gpulse_aggregator::SnapshotCache;
use gpulse_models::{CallStats, GpuState, Reason};
use nvml_sim::{faults::Fault, testing::Simulator};
use support::{PATIENCE, eventually, sampling};

const NO_PERMISSION: u32 = 4;

/// Calls that the library is asked once for each time that they are counted.
const PLAIN: [&str; 14] = [
    "nvmlInit_v2",
    "nvmlDeviceGetCount_v2",
    "nvmlSystemGetNVMLVersion",
    "nvmlDeviceGetHandleByIndex_v2",
    "nvmlDeviceGetUUID",
    "nvmlDeviceGetName",
    "nvmlDeviceGetPowerUsage",
    "nvmlDeviceGetTemperature",
    "nvmlDeviceGetClockInfo",
    "nvmlDeviceGetFieldValues",
    "nvmlDeviceGetNvLinkState",
    "nvmlDeviceGetTopologyCommonAncestor",
    "nvmlDeviceRegisterEvents",
    "nvmlEventSetWait_v2",
];

fn library(simulator: &Simulator) -> Option<PathBuf> {
    Some(simulator.library_path().to_owned())
}

fn call(cache: &SnapshotCache, name: &str) -> Option<CallStats> {
    let calls = cache.counters().read().calls;
    calls.into_iter().find(|call| call.call == name)
}

async fn read_often(cache: &SnapshotCache) {
    let often = || {
        let host = cache.host();
        let often = !host.gpus.is_empty() && host.gpus.iter().all(|gpu| gpu.health.sequence >= 3);
        often.then_some(())
    };
    eventually("every GPU is read several times", often).await;
}

#[test]
fn calls_are_counted_as_often_as_the_library_was_called() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        read_often(cache).await;
        for name in PLAIN {
            let counted = || call(cache, name).unwrap_or_else(|| panic!("{name} is not counted"));
            // The agent goes on calling meanwhile: each count is held against what the other side said before and after.
            let first = counted();
            let made = simulator.calls_anywhere(name);
            let last = counted();
            assert!(
                first.latency.count() <= made,
                "{name}: {first:?}, the library has {made}"
            );
            assert!(
                made <= last.latency.count() + last.under_way,
                "{name}: {last:?}, the library has {made}"
            );
            assert!(first.latency.count() > 0 && first.hangs == 0, "{name}: {first:?}");
            assert!(first.latency.sum_seconds > 0.0, "{name}: {first:?}");
        }
        let stats = cache.counters().read();
        assert_eq!(stats.samplers.len(), 8);
        assert!(
            stats
                .samplers
                .iter()
                .all(|one| one.samples >= 3 && one.ticks >= 3),
            "{stats:?}"
        );
        assert!(stats.aggregator.records >= 24, "{:?}", stats.aggregator);
        // A name is a function, whatever it is called with.
        assert!(
            stats.calls.iter().all(|call| !call.call.contains('(')),
            "{stats:?}"
        );
        assert!(
            stats.calls.is_sorted_by(|one, next| one.call < next.call),
            "{stats:?}"
        );
    });
}

#[test]
fn a_healthy_gpu_has_no_errors_but_what_it_does_not_have() {
    let simulator = Simulator::start("a100-pcie-4").unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        read_often(cache).await;
        for call in cache.counters().read().calls {
            for (reason, count) in call.errors.iter() {
                assert!(reason.is_permanent(), "{}: {reason:?} {count} times", call.call);
            }
        }
    });
}

#[test]
fn errors_are_counted_by_reason_at_their_call() {
    let denied = Fault::on("nvmlDeviceGetPowerUsage").gpu(1).returns(NO_PERMISSION);
    let simulator = Simulator::builder("a100-pcie-4")
        .faults(&[denied])
        .start()
        .unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        read_often(cache).await;
        let power = call(cache, "nvmlDeviceGetPowerUsage").unwrap();
        let errors = power.errors.of(Reason::NoPermission);
        assert!(errors >= 3 && errors == power.errors.total(), "{power:?}");
        // The other three GPUs answered.
        assert!(power.latency.count() >= errors + 9, "{power:?}");
        let temperature = call(cache, "nvmlDeviceGetTemperature").unwrap();
        assert_eq!(temperature.errors.total(), 0, "{temperature:?}");
    });
}

#[test]
fn a_call_that_does_not_return_is_under_way_and_counted_as_a_hang() {
    const CALL: &str = "nvmlDeviceGetTemperature";
    let simulator = Simulator::start("a100-pcie-4").unwrap();
    sampling(library(&simulator), Duration::from_secs(1), async |cache| {
        read_often(cache).await;
        simulator.set_faults(&[Fault::on(CALL).gpu(2).hang()]).unwrap();
        let hung = || {
            let call = call(cache, CALL)?;
            (call.hangs > 0 && call.under_way > 0).then_some(call)
        };
        eventually("the hang is seen", hung).await;
        let state = || (cache.host().gpu_at(2)?.health.state == GpuState::Hung).then_some(());
        eventually("the GPU is hung", state).await;
        let stats = cache.counters().read();
        assert!(
            stats.samplers[2].hangs > 0 && stats.samplers[2].failures > 0,
            "{:?}",
            stats.samplers
        );
        let replaced = || (cache.counters().read().samplers[2].readers_replaced > 0).then_some(());
        eventually("another reader tries", replaced).await;

        let returned = call(cache, CALL).unwrap().latency.count();
        simulator.clear_faults().unwrap();
        let over = || {
            let call = call(cache, CALL)?;
            (call.under_way == 0 && call.latency.count() > returned).then_some(call)
        };
        let call = eventually("the call returns at last", over).await;
        // It took longer than the deadline of a second.
        let longest: u64 = call.latency.counts[11..].iter().sum();
        assert!(longest > 0, "{call:?}");
    });
}

#[test]
fn an_initialisation_that_fails_is_counted() {
    let simulator = Simulator::start("no-driver").unwrap();
    sampling(library(&simulator), PATIENCE, async |cache| {
        let failed = || call(cache, "nvmlInit_v2").filter(|call| call.errors.of(Reason::Error) > 0);
        eventually("the initialisation fails", failed).await;
    });
}
