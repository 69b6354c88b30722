//! The waiter's keeper against waiters that the test plays itself, under paused time.

use std::sync::Mutex;

use tokio::{task::LocalSet, time::sleep};

use super::*;

const STUCK_AFTER: Duration = Duration::from_secs(3);

type Ports = Arc<Mutex<Vec<Option<WaiterPort>>>>;

/// Starts a keeper and returns the ports of the waiters that it started, in their order.
fn start() -> Ports {
    let ports = Ports::default();
    let spawned = Arc::clone(&ports);
    let spawn = Box::new(move |port| {
        spawned.lock().unwrap().push(Some(port));
        Ok(())
    });
    EventWatch::new(STUCK_AFTER, spawn, Arc::default()).start();
    ports
}

/// Lets waiter `number` (from 0) be inside a call about `gpu` for ever.
fn get_stuck(ports: &Ports, number: usize, gpu: Option<u32>) {
    let progress = progress(ports, number);
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        progress.during("nvmlCall", gpu, || -> () {
            std::panic::resume_unwind(Box::new("never returns"))
        })
    }));
}

fn progress(ports: &Ports, number: usize) -> Progress {
    ports.lock().unwrap()[number].as_ref().unwrap().progress.clone()
}

fn waiters(ports: &Ports) -> usize {
    ports.lock().unwrap().len()
}

/// Lets the thread of waiter `number` end.
fn end(ports: &Ports, number: usize) {
    ports.lock().unwrap()[number] = None;
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
fn one_waiter_is_enough_as_long_as_its_calls_return() {
    paused(|| async {
        let ports = start();
        for _ in 0..1_000 {
            sleep(STUCK_AFTER / 2).await;
            progress(&ports, 0).during("nvmlEventSetWait_v2", None, || ());
        }
        assert_eq!(waiters(&ports), 1);
        assert!(!progress(&ports, 0).is_abandoned());
    });
}

#[test]
fn a_process_that_stood_still_gives_no_waiter_up() {
    paused(|| async {
        let ports = start();
        sleep(STUCK_AFTER / 2).await;
        get_stuck(&ports, 0, None);
        tokio::time::advance(STUCK_AFTER * 10).await;
        sleep(STUCK_AFTER / 2).await;
        assert!(!progress(&ports, 0).is_abandoned(), "it stood still as well");
        sleep(STUCK_AFTER).await;
        assert!(progress(&ports, 0).is_abandoned(), "it still does not return");
    });
}

#[test]
fn a_stuck_waiter_is_replaced_by_one_that_leaves_the_sick_gpu_out() {
    paused(|| async {
        let ports = start();
        sleep(STUCK_AFTER / 2).await;
        get_stuck(&ports, 0, Some(3));
        sleep(STUCK_AFTER * 4).await;
        assert_eq!(waiters(&ports), 2);
        assert!(progress(&ports, 0).is_abandoned() && !progress(&ports, 1).is_abandoned());
        assert!(progress(&ports, 1).is_left_out(3) && !progress(&ports, 1).is_left_out(0));
        end(&ports, 0);
        sleep(STUCK_AFTER * 2).await;
        assert!(
            !progress(&ports, 1).is_left_out(3),
            "a GPU whose call returned may be tried again"
        );
        assert_eq!(waiters(&ports), 2);
    });
}

#[test]
fn waiters_are_few_however_long_it_lasts_and_a_returned_one_makes_room() {
    paused(|| async {
        let ports = start();
        for number in 0..MAX_WAITERS {
            sleep(STUCK_AFTER * 4).await;
            get_stuck(&ports, number, None);
        }
        sleep(STUCK_AFTER * 1_000).await;
        assert_eq!(waiters(&ports), MAX_WAITERS);
        end(&ports, 0);
        sleep(STUCK_AFTER * 2).await;
        assert_eq!(waiters(&ports), MAX_WAITERS + 1);
    });
}

#[test]
fn a_waiter_that_ended_is_replaced_with_growing_pauses() {
    paused(|| async {
        let ports = start();
        let mut number = 0;
        for _ in 0..10_000 {
            sleep(STUCK_AFTER).await;
            if waiters(&ports) > number {
                end(&ports, number);
                number += 1;
            }
        }
        let spent = STUCK_AFTER * 10_000;
        let most = spent.as_secs() / RESTART_MAX.as_secs();
        assert!(number > 10, "{number} waiters");
        assert!(number as u64 <= most + 20, "{number} waiters in {spent:?}");
    });
}
