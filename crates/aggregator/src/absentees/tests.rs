//! Which events tell that GPUs are missing: one for each when it goes and one when it comes, none while nothing changes.

use std::sync::Arc;

use gpulse_models::{EventKind, GpuFacts, Inventory, Reading, Reason, example};

use super::*;

/// Looks at one host after the other, and what it said of them.
#[derive(Default)]
struct Watch {
    absentees: Absentees,
    events: EventLog,
    seen: u64,
}

impl Watch {
    /// The kinds of the events, and the index of the GPU that they concern.
    fn look(&mut self, host: &HostSnapshot) -> Vec<(EventKind, Option<u32>)> {
        self.absentees.notice(host, &self.events);
        let page = self.events.after(self.seen, usize::MAX, None);
        self.seen = page.next;
        let pair = |event: gpulse_models::Event| (event.kind, event.gpu.map(|gpu| gpu.index));
        page.events.into_iter().map(pair).collect()
    }
}

fn host(inventory: Inventory, gpus: impl IntoIterator<Item = GpuSnapshot>) -> HostSnapshot {
    HostSnapshot {
        inventory: Arc::new(inventory),
        ..example::host(gpus)
    }
}

/// Where the GPU at `index` of the examples sits.
fn place(index: u32) -> Option<PciBusId> {
    example::gpu(index).pci_bus_id()
}

/// The GPU at `index`, which was heard of and does not say where it sits.
fn silent(index: u32) -> GpuSnapshot {
    let mut gpu = example::gpu(index);
    let mut facts: GpuFacts = example::facts(index);
    facts.identity.pci_bus_id = Reading::Unavailable(Reason::NotSupported);
    gpu.facts = Some(Arc::new(facts));
    gpu
}

#[test]
fn a_gpu_that_goes_and_comes_is_told_once_each_way() {
    let mut watch = Watch::default();
    let all = || [example::gpu(0), example::gpu(1)];
    let one = || [example::gpu(0)];
    assert_eq!(watch.look(&host(example::inventory(2), all())), []);
    let missing = (EventKind::GpuMissing(place(1)), None);
    assert_eq!(watch.look(&host(example::inventory(2), one())), [missing]);
    assert_eq!(watch.look(&host(example::inventory(2), one())), []);
    let found = (EventKind::GpuFound(place(1)), Some(1));
    assert_eq!(watch.look(&host(example::inventory(2), all())), [found]);
    assert_eq!(watch.look(&host(example::inventory(2), all())), []);
}

#[test]
fn each_of_several_is_told_by_itself() {
    let mut watch = Watch::default();
    let kinds =
        |told: Vec<(EventKind, Option<u32>)>| told.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    let told = kinds(watch.look(&host(example::inventory(3), [example::gpu(1)])));
    assert_eq!(told, [0, 2].map(|index| EventKind::GpuMissing(place(index))));
    let told = kinds(watch.look(&host(example::inventory(3), [example::gpu(0)])));
    let exchanged = [EventKind::GpuFound(place(0)), EventKind::GpuMissing(place(1))];
    assert_eq!(told, exchanged);
}

#[test]
fn one_that_is_taken_out_or_given_away_is_not_found() {
    let mut watch = Watch::default();
    let one = || [example::gpu(0)];
    watch.look(&host(example::inventory(2), one()));
    let gone = (EventKind::GpuNotExpected(place(1)), None);
    assert_eq!(watch.look(&host(example::inventory(1), one())), [gone]);
}

#[test]
fn nothing_is_told_before_every_gpu_of_the_roster_was_heard_of() {
    let mut watch = Watch::default();
    let pending = || GpuSnapshot::pending(1, 1, example::at());
    let starting = || host(example::inventory(3), [example::gpu(0), pending()]);
    assert_eq!(watch.look(&starting()), []);
    let missing = (EventKind::GpuMissing(place(2)), None);
    let read = || host(example::inventory(3), [example::gpu(0), example::gpu(1)]);
    assert_eq!(watch.look(&read()), [missing]);
    // NVML was initialised anew: that one is still missing is known, and nothing new.
    assert_eq!(watch.look(&starting()), []);
    assert_eq!(watch.look(&read()), []);
}

#[test]
fn where_a_gpu_is_missing_is_told_once_it_is_known() {
    let mut watch = Watch::default();
    let somewhere = (EventKind::GpuMissing(None), None);
    let unclear = || host(example::inventory(3), [example::gpu(0), silent(1)]);
    assert_eq!(watch.look(&unclear()), [somewhere]);
    let there = (EventKind::GpuMissing(place(2)), None);
    let clear = host(example::inventory(3), [example::gpu(0), example::gpu(1)]);
    assert_eq!(watch.look(&clear), [there]);
    assert_eq!(watch.look(&unclear()), [], "it does not become unknown again");
}

#[test]
fn of_a_configured_number_it_is_told_how_many_are_missing() {
    let mut watch = Watch::default();
    let configured = |count| Inventory {
        configured: Some(count),
        ..Inventory::unread()
    };
    let missing = (EventKind::GpuMissing(None), None);
    let told = watch.look(&host(configured(3), [example::gpu(0)]));
    assert_eq!(told, [missing.clone(), missing]);
    let found = (EventKind::GpuFound(None), None);
    let told = watch.look(&host(configured(3), [example::gpu(0), example::gpu(1)]));
    assert_eq!(told, [found]);
}

#[test]
fn a_machine_that_cannot_be_looked_at_says_nothing_new() {
    let mut watch = Watch::default();
    watch.look(&host(example::inventory(2), [example::gpu(0)]));
    assert_eq!(watch.look(&host(Inventory::unread(), [example::gpu(0)])), []);
    let found = (EventKind::GpuFound(place(1)), Some(1));
    let all = [example::gpu(0), example::gpu(1)];
    assert_eq!(watch.look(&host(example::inventory(2), all)), [found]);
}
