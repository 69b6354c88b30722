//! Process lists in the layouts of their age, and accounts, which the client of the other tests cannot ask for.

use std::sync::Arc;
use std::time::Duration;

use super::accounting::{account, short};
use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, InOut};
use super::field_tests::{AGE, gpu, node};
use super::layout::{ProcessDetail, ProcessInfo, ProcessInfoV1};
use super::process::{entries, list_v1, list_v2, list_v3};
use crate::engine::ProcessKind;
use crate::faults::{Fault, Values};
use crate::profile::Profile;
use crate::world::World;

const KIND: ProcessKind = ProcessKind::Compute;

fn own(base: &str, keys: &str, faults: &[Fault]) -> Arc<World> {
    let text = format!("extends = \"{base}\"\n{keys}");
    World::of(Profile::parse("own", &text).unwrap(), AGE, faults)
}

/// Asks for a list as a client does: first how long it is, then for its items.
fn ask<T: Copy>(blank: T, list: impl Fn(&InOut<u32>, &Array<T>) -> Result) -> Vec<T> {
    let mut count = 0;
    let answer = list(&InOut::from(&mut count), &Array::at(0));
    assert_eq!(
        answer,
        if count == 0 {
            Ok(())
        } else {
            Err(Code::INSUFFICIENT_SIZE)
        }
    );
    let mut places = vec![blank; count as usize];
    list(&InOut::from(&mut count), &Array::from(&mut places[..])).unwrap();
    assert_eq!(count as usize, places.len());
    places
}

fn third(gpu: &Device, count: &InOut<u32>, list: &Array<ProcessInfo>) -> Result {
    list_v3(gpu, &entries(gpu, KIND), count, list)
}

#[test]
fn an_early_r535_driver_has_longer_entries() {
    let three = Values {
        pids: Some(vec![101, 102, 103]),
        ..Values::default()
    };
    let faults = [Fault::everywhere().values(three)];
    let blank = ProcessDetail {
        pid: 0,
        used_gpu_memory: 0,
        gpu_instance: 0,
        compute_instance: 0,
        protected_memory: 7,
    };
    let world = own("h100-sxm-8", "[driver]\nprocess_entry_bytes = 32", &faults);
    let device = gpu(&world, 0);
    let long = ask(blank, |count, list| third(&device, count, &list.of()));
    assert_eq!(
        long.iter().map(|entry| entry.pid).collect::<Vec<_>>(),
        [101, 102, 103]
    );
    assert!(
        long.iter()
            .all(|entry| entry.used_gpu_memory > 0 && entry.protected_memory == 0)
    );
    assert!(long.iter().all(|entry| entry.gpu_instance == u32::MAX));

    // The second version, and today's third one, have entries of 24 bytes.
    let blank = ProcessInfo {
        pid: 0,
        used_gpu_memory: 0,
        gpu_instance: 0,
        compute_instance: 0,
    };
    let pids = |list: Vec<ProcessInfo>| list.iter().map(|entry| entry.pid).collect::<Vec<_>>();
    let second = ask(blank, |count, list| list_v2(&device, KIND, count, list));
    assert_eq!(pids(second), [101, 102, 103]);
    let world = node("h100-sxm-8", &faults);
    let device = gpu(&world, 0);
    assert_eq!(
        pids(ask(blank, |count, list| third(&device, count, list))),
        [101, 102, 103]
    );
}

#[test]
fn the_first_version_has_a_pid_and_its_memory() {
    let world = node("l40s-4", &[]);
    let device = gpu(&world, 1);
    let blank = ProcessInfoV1 {
        pid: 0,
        used_gpu_memory: 0,
    };
    let list = ask(blank, |count, list| list_v1(&device, KIND, count, list));
    let truth = world.engine.processes(1, AGE);
    assert!(!truth.is_empty());
    let found: Vec<_> = list
        .iter()
        .map(|entry| (entry.pid, entry.used_gpu_memory))
        .collect();
    assert_eq!(
        found,
        truth
            .iter()
            .map(|process| (process.pid, process.memory))
            .collect::<Vec<_>>()
    );
}

#[test]
fn confidential_computing_protects_the_memory_of_processes() {
    let world = own(
        "h100-sxm-8",
        "[driver]\nprocess_entry_bytes = 32\nconfidential_compute = true",
        &[],
    );
    let device = gpu(&world, 4);
    let blank = ProcessDetail {
        pid: 0,
        used_gpu_memory: 0,
        gpu_instance: 0,
        compute_instance: 0,
        protected_memory: 0,
    };
    let list = ask(blank, |count, list| third(&device, count, &list.of()));
    assert_eq!(list.len(), world.engine.processes(4, AGE).len());
    assert!(
        list.iter()
            .all(|entry| entry.protected_memory == entry.used_gpu_memory)
    );
}

#[test]
fn accounts_are_kept_of_running_and_ended_processes() {
    let late = Duration::from_secs(1_000);
    let text = "extends = \"l40s-4\"\n[gpu]\naccounting = true";
    let world = World::of(Profile::parse("own", text).unwrap(), late, &[]);
    let device = gpu(&world, 2);
    let runs = world.engine.runs(2, late);
    let running: Vec<_> = world
        .engine
        .processes(2, late)
        .iter()
        .map(|process| process.pid)
        .collect();
    let (mut ended, mut alive) = (0, Vec::new());
    for run in &runs {
        let account = account(&device, run.pid).unwrap();
        let stats = short(&device, &account);
        assert!((1..=100).contains(&stats.gpu_utilization), "{stats:?}");
        assert!(stats.most_memory > 0);
        if stats.running == 1 {
            assert_eq!(stats.time_ms, 0);
            alive.push(run.pid);
        } else {
            let end_us = stats.start_us + stats.time_ms * 1_000;
            assert!(
                stats.time_ms >= 20_000 && end_us <= world.timestamp_us(late),
                "{stats:?}"
            );
            ended += 1;
        }
    }
    assert!(ended >= 4, "{runs:?}");
    alive.sort_unstable();
    let mut running = running;
    running.sort_unstable();
    assert_eq!(alive, running);
    assert_eq!(account(&device, 1).map(drop), Err(Code::NOT_FOUND));
    let off = node("l40s-4", &[]);
    assert_eq!(
        account(&gpu(&off, 2), running[0]).map(drop),
        Err(Code::NOT_SUPPORTED)
    );
}

#[test]
fn an_account_of_a_waveform_is_its_mean() {
    let keys = "[gpu]\nwork = \"waveform\"\naccounting = true\n\
                waveform = { shape = \"square\", frequency_hz = 2.0, low = 0.2, high = 0.8, memory = 0.5 }";
    let world = own("h100-sxm-8", keys, &[]);
    let device = gpu(&world, 0);
    let pid = world.engine.processes(0, AGE)[0].pid;
    let stats = short(&device, &account(&device, pid).unwrap());
    assert_eq!(
        (stats.gpu_utilization, stats.memory_utilization, stats.running),
        (50, 25, 1)
    );
}

#[test]
fn a_ring_of_accounts_forgets_the_oldest() {
    let text = "extends = \"h100-sxm-8\"\n[gpu]\naccounting = true";
    let old = Duration::from_secs(5_000_000);
    let world = World::of(Profile::parse("own", text).unwrap(), old, &[]);
    let runs = world.engine.runs(0, old);
    assert_eq!(runs.len(), crate::engine::BUFFER);
    assert!(runs.is_sorted_by(|a, b| a.start_s <= b.start_s));
}
