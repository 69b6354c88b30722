//! What comes late because all of the process stood still.

use super::*;

#[test]
fn a_process_that_stood_still_takes_no_gpu_for_hung() {
    paused(|| async {
        let bench = Bench::start().await;
        assert!(bench.was_asked(1));
        // All that was due fires at once, far too late.
        tokio::time::advance(DEADLINE * 100).await;
        sleep(INTERVAL / 10).await;
        assert!(bench.answer(1), "the reader is still listened to");
        sleep(INTERVAL / 10).await;
        assert!(bench.records().iter().all(|record| record.outcome.is_ok()));
        assert_eq!((bench.counted().hangs, bench.readers()), (0, 1));
        // A hang after it is one all the same.
        sleep(INTERVAL + DEADLINE * 2).await;
        assert!(bench.was_asked(1));
        assert_eq!(bench.counted().hangs, 1);
    });
}

#[test]
fn a_hang_is_found_where_all_is_late_always() {
    paused(|| async {
        let bench = Bench::start().await;
        assert!(bench.was_asked(1));
        for hangs in [0, 1] {
            tokio::time::advance(DEADLINE * 100).await;
            sleep(INTERVAL / 10).await;
            assert_eq!(bench.counted().hangs, hangs);
        }
    });
}
