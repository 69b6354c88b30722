//! What of batches and of changes of state stands in the log of events.

use gpulse_models::{DriverReason, Event};

use super::*;

fn xid(index: u32, code: u64) -> GpuEvent {
    GpuEvent {
        index,
        at: example::at(),
        kind: EventKind::Xid(Some(code)),
        instance: None,
    }
}

impl Bench {
    async fn batch(&self, batch: EventBatch) {
        self.aggregator.send(batch).await.unwrap();
    }

    fn logged(&self) -> Vec<Event> {
        self.cache.events().after(0, usize::MAX, None).events
    }

    fn states(&self) -> Vec<(u32, GpuState, GpuState)> {
        let change = |event: Event| match event.kind {
            EventKind::GpuState { before, now } => Some((event.gpu?.index, before, now)),
            _ => None,
        };
        self.logged().into_iter().filter_map(change).collect()
    }
}

fn down(reason: DriverReason) -> DriverDown {
    DriverDown(DriverFault {
        reason,
        message: "words".to_owned(),
        hint: "load it",
        library_loaded: true,
        attempts: 1,
        since: example::at(),
    })
}

#[test]
fn a_batch_is_logged_in_order_under_the_gpus_own_names() {
    paused(|| async {
        let bench = Bench::start(2).await;
        bench.good(1, 1).await;
        let before = bench.logged().len();
        bench
            .batch(EventBatch {
                epoch: 1,
                events: vec![xid(1, 31), xid(0, 79), xid(1, 13)],
                ..EventBatch::default()
            })
            .await;
        let events = bench.logged().split_off(before);
        let codes: Vec<_> = events.iter().map(|event| event.kind.clone()).collect();
        assert_eq!(codes, [31, 79, 13].map(|code| EventKind::Xid(Some(code))));
        assert_eq!(events[0].gpu.as_ref().unwrap().id, example::facts(1).id);
        assert_eq!(events[1].gpu.as_ref().unwrap().id, GpuId::unidentified(0));
        assert_eq!(bench.cache.counters().read().aggregator.events, 3);
    });
}

#[test]
fn a_storm_is_counted_completely_and_changes_no_snapshot() {
    paused(|| async {
        let bench = Bench::start(1).await;
        let generation = bench.host().generation;
        for _ in 0..100 {
            let events = vec![xid(0, 31); 1_000];
            bench
                .batch(EventBatch {
                    epoch: 1,
                    events,
                    ..EventBatch::default()
                })
                .await;
        }
        assert_eq!(bench.cache.events().totals().gpus[0].1.xids[&31].count, 100_000);
        assert_eq!(bench.logged().len(), crate::EVENTS_KEPT);
        assert_eq!(bench.host().generation, generation);
    });
}

#[test]
fn what_belongs_to_no_gpu_of_the_roster_is_counted_as_dropped() {
    paused(|| async {
        let bench = Bench::start(1).await;
        let before = bench.logged().len();
        for (epoch, index) in [(7, 0), (1, 9)] {
            bench
                .batch(EventBatch {
                    epoch,
                    events: vec![xid(index, 31)],
                    dropped: 5,
                    ..EventBatch::default()
                })
                .await;
        }
        assert_eq!(bench.logged().len(), before);
        assert_eq!(bench.cache.events().totals().dropped, 12);
    });
}

#[test]
fn whether_a_gpu_is_watched_is_known_with_its_reason() {
    paused(|| async {
        let bench = Bench::start(2).await;
        let watches = vec![
            Watch {
                index: 0,
                unwatched: None,
            },
            Watch {
                index: 1,
                unwatched: Some(Reason::NotSupported),
            },
        ];
        bench
            .batch(EventBatch {
                epoch: 1,
                watches,
                ..EventBatch::default()
            })
            .await;
        let gpus = bench.cache.events().totals().gpus;
        let reasons: Vec<_> = gpus.iter().map(|(_, counters)| counters.unwatched).collect();
        assert_eq!(reasons, [None, Some(Reason::NotSupported)]);
    });
}

#[test]
fn a_change_of_state_is_an_event_and_staying_is_none() {
    paused(|| async {
        let bench = Bench::start(1).await;
        bench.good(1, 0).await;
        for _ in 0..10 {
            bench.bad(0, Reason::Timeout).await;
        }
        bench.good(1, 0).await;
        sleep(STALE_AFTER * 2).await;
        let changes = [
            (GpuState::Unavailable, GpuState::Ok),
            (GpuState::Ok, GpuState::Hung),
            (GpuState::Hung, GpuState::Ok),
            (GpuState::Ok, GpuState::Stale),
        ];
        assert_eq!(bench.states(), changes.map(|(before, now)| (0, before, now)));
    });
}

#[test]
fn the_driver_going_and_coming_is_an_event_and_trying_again_is_none() {
    paused(|| async {
        let bench = Bench::start(1).await;
        for reason in [DriverReason::DriverNotLoaded; 5] {
            bench.aggregator.send(down(reason)).await.unwrap();
        }
        bench
            .aggregator
            .send(down(DriverReason::VersionMismatch))
            .await
            .unwrap();
        bench.seed(2, 1).await;
        let kinds: Vec<_> = bench.logged().into_iter().map(|event| event.kind).collect();
        let driver = [
            None,
            Some(DriverReason::DriverNotLoaded),
            Some(DriverReason::VersionMismatch),
            None,
        ];
        assert_eq!(kinds, driver.map(EventKind::Driver));
    });
}

#[test]
fn a_gpu_that_the_machine_has_and_nvml_does_not_is_an_event_until_it_is_back() {
    paused(|| async {
        let bench = Bench::start(1).await;
        let inventoried = Inventoried(Arc::new(example::inventory(2)));
        bench.aggregator.send(inventoried).await.unwrap();
        for _ in 0..3 {
            bench.good(1, 0).await;
        }
        bench.seed(2, 2).await;
        for _ in 0..2 {
            bench.good(2, 0).await;
            bench.good(2, 1).await;
        }
        let place = example::gpu(1).pci_bus_id();
        let told = bench.logged().into_iter().map(|event| event.kind);
        let about_presence =
            told.filter(|kind| matches!(kind, EventKind::GpuMissing(_) | EventKind::GpuFound(_)));
        let expected = [EventKind::GpuMissing(place), EventKind::GpuFound(place)];
        assert_eq!(about_presence.collect::<Vec<_>>(), expected);
    });
}
