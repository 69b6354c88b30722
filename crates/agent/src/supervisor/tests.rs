//! What the service manager is told, and when the watchdog goes hungry.

use std::sync::Mutex;

use gpulse_aggregator::Aggregator;
use gpulse_models::{DriverReason, DriverStatus, GpuState, HostSnapshot, example};

use super::{feeder::Pulse, *};

const AFTER: Duration = Duration::from_secs(300);

fn host(states: &[GpuState]) -> HostSnapshot {
    let gpus = (0..).zip(states).map(|(index, state)| {
        let mut gpu = example::gpu(index);
        gpu.health.state = *state;
        gpu
    });
    example::host(gpus)
}

fn feeder(restart: bool, is_beyond_signals: fn() -> bool) -> Feeder {
    Feeder::new(true, restart.then_some(AFTER), is_beyond_signals)
}

fn mortal() -> bool {
    false
}

fn immortal() -> bool {
    true
}

#[test]
fn the_watchdog_is_fed_by_heartbeats_and_by_nothing_else() {
    let (mut feeder, host, now) = (feeder(false, mortal), host(&[GpuState::Ok]), Instant::now());
    assert_eq!(
        feeder.look(&host, 7, now),
        Sign::None,
        "nothing to compare with yet"
    );
    assert_eq!(feeder.look(&host, 8, now), Sign::Feed);
    for _ in 0..5 {
        assert_eq!(feeder.look(&host, 8, now), Sign::None);
    }
    assert_eq!(feeder.pulse(), Pulse::Still);
    assert!(status::status(&host, &feeder).ends_with("the aggregator stands still"));
    assert_eq!(feeder.look(&host, 9, now), Sign::Feed);
    assert_eq!(feeder.pulse(), Pulse::Moving);
}

#[test]
fn without_a_watchdog_nothing_is_fed() {
    let mut feeder = Feeder::new(false, None, mortal);
    let (host, now) = (host(&[GpuState::Ok]), Instant::now());
    for beat in 0..3 {
        assert_eq!(feeder.look(&host, beat, now), Sign::None);
    }
}

#[test]
fn a_total_hang_does_not_stop_the_feeding_unless_that_is_configured() {
    let (mut feeder, hung) = (feeder(false, mortal), host(&[GpuState::Hung, GpuState::Hung]));
    let start = Instant::now();
    feeder.look(&hung, 0, start);
    assert_eq!(feeder.look(&hung, 1, start + AFTER * 10), Sign::Feed);
}

#[test]
fn a_total_hang_that_lasts_asks_once_for_a_new_process() {
    let (mut feeder, hung) = (feeder(true, mortal), host(&[GpuState::Hung, GpuState::Hung]));
    let start = Instant::now();
    feeder.look(&hung, 0, start);
    assert_eq!(
        feeder.look(&hung, 1, start + AFTER - Duration::from_secs(1)),
        Sign::Feed
    );
    assert_eq!(feeder.look(&hung, 2, start + AFTER), Sign::Trigger);
    assert_eq!(
        feeder.look(&hung, 3, start + AFTER),
        Sign::None,
        "neither fed nor asked again"
    );
    let well = host(&[GpuState::Ok, GpuState::Hung]);
    assert_eq!(feeder.look(&well, 4, start + AFTER), Sign::Feed);
    assert_eq!(
        feeder.look(&hung, 5, start + AFTER * 2),
        Sign::Feed,
        "the time begins anew"
    );
}

#[test]
fn a_process_that_could_not_be_ended_is_not_given_up() {
    let (mut feeder, hung) = (feeder(true, immortal), host(&[GpuState::Hung]));
    let start = Instant::now();
    feeder.look(&hung, 0, start);
    assert_eq!(feeder.look(&hung, 1, start + AFTER), Sign::Feed);
    assert_eq!(feeder.pulse(), Pulse::Hopeless);
    assert!(status::status(&hung, &feeder).contains("only a reset or a reboot"));
}

#[test]
fn whoever_parked_the_gpus_is_not_overruled_by_a_new_process() {
    let (mut feeder, stuck) = (feeder(true, mortal), unavailable(DriverReason::Timeout));
    let start = Instant::now();
    feeder.look(&stuck, 0, start);
    feeder.park(true);
    assert_eq!(feeder.look(&stuck, 1, start + AFTER), Sign::Feed);
    feeder.park(false);
    assert_eq!(feeder.look(&stuck, 2, start + AFTER), Sign::Feed);
    assert_eq!(feeder.look(&stuck, 3, start + AFTER * 2), Sign::Trigger);
}

#[test]
fn one_gpu_that_answers_is_enough_and_a_driver_that_says_no_is_an_answer() {
    for (host, stuck) in [
        (host(&[]), false),
        (host(&[GpuState::Hung, GpuState::Stale]), false),
        (host(&[GpuState::Hung]), true),
        (unavailable(DriverReason::Timeout), true),
        (unavailable(DriverReason::DriverNotLoaded), false),
        (HostSnapshot::starting(example::at()), false),
    ] {
        assert_eq!(total::is_stuck(&host), stuck, "{:?}", host.driver);
    }
}

fn unavailable(reason: DriverReason) -> HostSnapshot {
    let fault = gpulse_models::DriverFault {
        reason,
        ..example::driver_fault()
    };
    HostSnapshot {
        driver: DriverStatus::Unavailable(Arc::new(fault)),
        ..example::host([])
    }
}

#[test]
fn the_status_counts_gpus_by_state() {
    let of = |host: &HostSnapshot| status::status(host, &feeder(false, mortal));
    assert_eq!(of(&host(&[GpuState::Ok])), "1 GPU: 1 ok");
    let states = [GpuState::Hung, GpuState::Ok, GpuState::Lost, GpuState::Ok];
    assert_eq!(of(&host(&states)), "4 GPUs: 2 ok, 1 hung, 1 lost");
    assert_eq!(of(&host(&[])), "no GPUs");
    assert_eq!(of(&unavailable(DriverReason::NoGpus)), "no GPUs: no_gpus");
    let mut incomplete = host(&[GpuState::Ok]);
    incomplete.inventory = Arc::new(example::inventory(3));
    assert_eq!(of(&incomplete), "1 GPU: 1 ok; 2 missing");
}

/// All that is told by a thread like the real one's, over a cache that `aggregated` decides about.
fn told(aggregated: bool, until: impl Fn(&[String]) -> bool) -> Vec<String> {
    let cache = Arc::new(SnapshotCache::new(example::at()));
    let system = actix::System::new();
    if aggregated {
        let written = Arc::clone(&cache);
        // Heartbeats of 10 ms.
        system.block_on(async {
            let started = actix::Actor::start(Aggregator::new(written, Duration::from_millis(40)));
            assert!(started.connected());
        });
    }
    let (notes, waiting) = mpsc::sync_channel(WAITING_NOTES);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (kept, read) = (Arc::clone(&heard), Arc::clone(&cache));
    let pause = Duration::from_millis(20);
    let thread = thread::spawn(move || {
        run(&waiting, &read, feeder(false, mortal), pause, |states| {
            let texts = states.iter().map(ToString::to_string);
            kept.lock().unwrap().extend(texts);
        });
    });
    let start = Instant::now();
    system.block_on(async {
        while !until(&heard.lock().unwrap()) && start.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    drop(notes);
    thread.join().unwrap();
    let heard = heard.lock().unwrap();
    heard.clone()
}

#[test]
fn an_aggregator_that_moves_feeds_the_watchdog_without_any_gpu() {
    let fed = |heard: &[String]| heard.iter().filter(|text| *text == "WATCHDOG=1").count() >= 3;
    assert!(fed(&told(true, fed)));
}

#[test]
fn an_aggregator_that_stands_still_does_not() {
    let heard = told(false, |heard| {
        heard.iter().any(|text| text.contains("stands still"))
    });
    assert!(
        heard.iter().any(|text| text.contains("stands still")),
        "{heard:?}"
    );
    assert!(!heard.iter().any(|text| text == "WATCHDOG=1"), "{heard:?}");
}
