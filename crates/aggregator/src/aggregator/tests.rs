//! The aggregator under paused time: what is published when, and in which state.

use actix::Addr;
use gpulse_models::{Absence, GpuId, GpuState, Reason, example};
use tokio::{task::LocalSet, time::sleep};

use super::*;

mod events;

const STALE_AFTER: Duration = Duration::from_secs(3);

struct Bench {
    cache: Arc<SnapshotCache>,
    aggregator: Addr<Aggregator>,
}

impl Bench {
    async fn start(gpus: u32) -> Self {
        let cache = Arc::new(SnapshotCache::new(example::at()));
        let aggregator = Aggregator::new(Arc::clone(&cache), STALE_AFTER).start();
        let bench = Self { cache, aggregator };
        bench.seed(1, gpus).await;
        bench
    }

    async fn seed(&self, epoch: u64, gpus: u32) {
        self.aggregator
            .send(Roster {
                epoch,
                driver: example::driver(),
                gpus,
            })
            .await
            .unwrap();
    }

    async fn good(&self, epoch: u64, index: u32) {
        let facts = Some(Arc::new(example::facts(index)));
        self.record(epoch, index, facts, Ok(Arc::new(example::sample())))
            .await;
    }

    async fn bad(&self, index: u32, reason: Reason) {
        let failure = Failure {
            reason,
            call: "nvmlCall".into(),
            message: "nvmlCall: words".to_owned(),
            at: example::at(),
        };
        self.record(1, index, None, Err(failure)).await;
    }

    async fn record(
        &self,
        epoch: u64,
        index: u32,
        facts: Option<Arc<GpuFacts>>,
        outcome: Result<Arc<Sample>, Failure>,
    ) {
        let record = Record {
            epoch,
            index,
            facts,
            outcome,
            at: Instant::now(),
            overruns: 2,
            dropped: 1,
        };
        self.aggregator.send(record).await.unwrap();
    }

    fn host(&self) -> Arc<HostSnapshot> {
        Arc::clone(&self.cache.host())
    }

    fn state(&self, index: u32) -> GpuState {
        self.host().gpu_at(index).unwrap().health.state
    }
}

fn paused<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test());
}

#[test]
fn the_roster_is_visible_before_anything_was_read() {
    paused(|| async {
        let bench = Bench::start(3).await;
        let host = bench.host();
        assert_eq!(host.gpus.len(), 3);
        assert!(
            host.gpus
                .iter()
                .all(|gpu| gpu.health.state == GpuState::Unavailable && gpu.sample.is_none())
        );
        assert!(!host.is_ready());
    });
}

#[test]
fn a_good_record_is_published_in_the_host_and_under_the_gpus_own_name() {
    paused(|| async {
        let bench = Bench::start(2).await;
        let before = bench.host().generation;
        bench.good(1, 1).await;
        let host = bench.host();
        assert_eq!(host.generation, before + 1);
        assert_eq!(host.totals.count, 1);
        let gpu = host.gpu_at(1).unwrap();
        assert_eq!(
            (gpu.health.state, gpu.health.sequence, gpu.generation),
            (GpuState::Ok, 1, host.generation)
        );
        let by_name = bench.cache.gpu(&example::facts(1).id).unwrap();
        assert!(Arc::ptr_eq(&by_name, gpu));
        assert!(
            bench.cache.gpu(&GpuId::unidentified(1)).is_none(),
            "the placeholder stayed"
        );
        assert!(bench.cache.gpu(&GpuId::unidentified(0)).is_some());
    });
}

#[test]
fn a_published_snapshot_never_changes() {
    paused(|| async {
        let bench = Bench::start(1).await;
        bench.good(1, 0).await;
        let kept = bench.host();
        let copy = HostSnapshot::clone(&kept);
        bench.good(1, 0).await;
        bench.bad(0, Reason::GpuLost).await;
        assert_eq!(*kept, copy);
        assert!(bench.host().generation > kept.generation);
    });
}

#[test]
fn silence_makes_a_gpu_stale_and_only_that_one() {
    paused(|| async {
        let bench = Bench::start(2).await;
        bench.good(1, 0).await;
        for _ in 0..5 {
            sleep(STALE_AFTER / 4).await;
            bench.good(1, 1).await;
        }
        assert_eq!((bench.state(0), bench.state(1)), (GpuState::Stale, GpuState::Ok));
        assert!(
            bench.host().gpu_at(0).unwrap().served_sample().is_some(),
            "a stale sample is still shown"
        );
        bench.good(1, 0).await;
        assert_eq!(bench.state(0), GpuState::Ok);
    });
}

#[test]
fn nothing_is_published_while_nothing_changes() {
    paused(|| async {
        let bench = Bench::start(1).await;
        bench.good(1, 0).await;
        sleep(STALE_AFTER * 2).await;
        let stale = bench.host();
        sleep(STALE_AFTER * 100).await;
        assert_eq!(bench.host().generation, stale.generation);
    });
}

#[test]
fn a_timeout_makes_a_gpu_hung_and_a_loss_makes_it_lost_at_once() {
    paused(|| async {
        let bench = Bench::start(2).await;
        bench.good(1, 0).await;
        bench.good(1, 1).await;
        bench.bad(0, Reason::Timeout).await;
        bench.bad(1, Reason::GpuLost).await;
        assert_eq!((bench.state(0), bench.state(1)), (GpuState::Hung, GpuState::Lost));
        let host = bench.host();
        assert!(host.gpu_at(0).unwrap().served_sample().is_some());
        assert!(host.gpu_at(1).unwrap().served_sample().is_none());
        assert_eq!(host.totals.count, 1);
        bench.good(1, 0).await;
        bench.good(1, 1).await;
        let host = bench.host();
        assert!(
            host.gpus
                .iter()
                .all(|gpu| gpu.health.state == GpuState::Ok && gpu.health.last_error.is_none())
        );
    });
}

#[test]
fn one_failed_tick_does_not_blank_a_gpu_and_lasting_failure_does() {
    paused(|| async {
        let bench = Bench::start(1).await;
        bench.good(1, 0).await;
        bench.bad(0, Reason::Error).await;
        assert_eq!(bench.state(0), GpuState::Ok);
        assert_eq!(bench.host().gpu_at(0).unwrap().health.failures, 1);
        sleep(STALE_AFTER * 2).await;
        assert_eq!(bench.state(0), GpuState::Unavailable);
        assert_eq!(bench.host().gpu_at(0).unwrap().absence(), Reason::Error);
    });
}

#[test]
fn a_gpu_that_only_fails_is_heard_of_and_ready_does_not_wait_for_it() {
    paused(|| async {
        let bench = Bench::start(2).await;
        bench.good(1, 0).await;
        assert!(!bench.host().is_ready());
        bench.bad(1, Reason::Error).await;
        assert!(bench.host().is_ready());
        assert_eq!(bench.state(1), GpuState::Unavailable);
    });
}

#[test]
fn records_of_an_earlier_roster_are_dropped() {
    paused(|| async {
        let bench = Bench::start(2).await;
        bench.seed(2, 1).await;
        let before = bench.host().generation;
        bench.good(1, 0).await;
        bench.good(2, 1).await;
        assert_eq!(bench.host().generation, before);
        bench.good(2, 0).await;
        assert_eq!(bench.state(0), GpuState::Ok);
        let counted = bench.cache.counters().read().aggregator;
        assert_eq!((counted.records, counted.records_outdated), (1, 2));
        assert_eq!(counted.generation, bench.host().generation);
        assert_eq!(counted.heartbeats, bench.cache.heartbeat());
    });
}

#[test]
fn without_nvml_the_roster_is_empty_the_reason_is_known_and_the_generation_goes_on() {
    paused(|| async {
        let bench = Bench::start(2).await;
        bench.good(1, 0).await;
        let before = bench.host().generation;
        let fault = DriverFault {
            reason: gpulse_models::DriverReason::DriverNotLoaded,
            message: "words".to_owned(),
            hint: "load it",
            library_loaded: true,
            attempts: 1,
            since: example::at(),
        };
        bench.aggregator.send(DriverDown(fault)).await.unwrap();
        let host = bench.host();
        assert!(host.gpus.is_empty() && host.is_ready() && host.generation > before);
        assert!(matches!(&host.driver, DriverStatus::Unavailable(fault) if fault.attempts == 1));
        assert!(bench.cache.gpu(&example::facts(0).id).is_none());
    });
}

#[test]
fn samples_of_a_gpu_are_counted_on_when_the_driver_is_loaded_anew() {
    paused(|| async {
        let bench = Bench::start(2).await;
        bench.good(1, 0).await;
        bench.good(1, 0).await;
        let before = bench.host().generation;
        let fault = DriverFault {
            reason: gpulse_models::DriverReason::DriverNotLoaded,
            message: "gone".to_owned(),
            hint: "load it",
            library_loaded: true,
            attempts: 1,
            since: example::at(),
        };
        bench.aggregator.send(DriverDown(fault)).await.unwrap();
        assert!(bench.host().gpus.is_empty());
        // GPU 0 comes back at another place.
        bench.seed(2, 2).await;
        let facts = Some(Arc::new(example::facts(0)));
        bench.record(2, 1, facts, Ok(Arc::new(example::sample()))).await;
        let host = bench.host();
        let health = &host.gpu_at(1).unwrap().health;
        assert_eq!((health.sequence, health.overruns, health.dropped), (3, 4, 2));
        assert_eq!(host.gpu_at(0).unwrap().health.sequence, 0);
        assert!(host.generation > before);
    });
}

#[test]
fn an_inventory_is_published_once_and_kept_across_rosters() {
    paused(|| async {
        let bench = Bench::start(2).await;
        bench.good(1, 0).await;
        bench.good(1, 1).await;
        let unread = bench.host().expected_gpus().unwrap_err();
        assert_eq!(unread.reason, Reason::NotReady);
        let inventory = Arc::new(example::inventory(3));
        for _ in 0..2 {
            bench
                .aggregator
                .send(Inventoried(Arc::clone(&inventory)))
                .await
                .unwrap();
        }
        let host = bench.host();
        assert_eq!(host.expected_gpus().unwrap().missing_count, 1);
        let again = Inventoried(Arc::new(example::inventory(3)));
        bench.aggregator.send(again).await.unwrap();
        assert_eq!(bench.host().generation, host.generation, "nothing changed");
        bench.seed(2, 3).await;
        assert_eq!(bench.host().expected_gpus().unwrap().count, 3);
    });
}

#[test]
fn assignments_are_published_when_they_change_and_kept_across_rosters() {
    paused(|| async {
        let bench = Bench::start(1).await;
        bench.good(1, 0).await;
        assert!(bench.host().pods.holders.is_err());
        let assign = async |pods: PodAssignments| {
            bench.aggregator.send(Assigned(Arc::new(pods))).await.unwrap();
            bench.host()
        };
        let host = assign(example::pods()).await;
        assert_eq!(host.pods.of_gpu(host.gpu_at(0).unwrap())[0].pod, "llama-0");
        // The same at another time: known with the next generation, which it does not make.
        let later = PodAssignments {
            read_at: None,
            ..example::pods()
        };
        let again = assign(later.clone()).await;
        assert!(Arc::ptr_eq(&again, &host));
        bench.good(1, 0).await;
        assert_eq!(*bench.host().pods, later);
        let failing = PodAssignments {
            last_error: Some(Absence::new(Reason::Timeout, "words")),
            ..later
        };
        assert_eq!(*assign(failing.clone()).await.pods, failing);
        bench.seed(2, 3).await;
        assert_eq!(*bench.host().pods, failing);
    });
}

#[test]
fn the_heart_beats_without_any_gpu_and_without_a_new_generation() {
    paused(|| async {
        let bench = Bench::start(0).await;
        let (before, generation) = (bench.cache.heartbeat(), bench.host().generation);
        sleep(LONGEST_CHECK * 3).await;
        assert!(bench.cache.heartbeat() >= before + 3);
        assert_eq!(bench.host().generation, generation);
    });
}
