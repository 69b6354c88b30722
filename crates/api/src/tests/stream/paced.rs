//! When snapshots go out, and which.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, advance, pause, sleep};

use super::{SECOND, begun};

#[actix_web::test]
async fn snapshots_come_in_the_interval_and_only_the_latest_of_those_between() {
    pause();
    let (api, mut reader) = begun("/api/v1/stream?interval=10s").await;
    let start = Instant::now();
    assert_eq!(reader.snapshot().await, 1);
    for generation in 2..=5 {
        api.publish(generation, Duration::ZERO);
        assert!(reader.is_silent());
    }
    assert_eq!(reader.snapshot().await, 5);
    let took = start.elapsed();
    assert!(
        took >= 9 * SECOND && took <= 10 * SECOND + SECOND / 10,
        "{took:?}"
    );
    // Nothing new, nothing sent; then at once.
    sleep(12 * SECOND).await;
    assert!(reader.is_silent());
    let (published, _) = tokio::join!(
        async {
            sleep(SECOND).await;
            api.publish(6, Duration::ZERO);
            Instant::now()
        },
        async { assert_eq!(reader.snapshot().await, 6) },
    );
    assert_eq!(published, Instant::now());
    assert_eq!(
        api.streams(),
        (1, 3, 0),
        "a client that reads misses none that were due"
    );
}

#[actix_web::test]
async fn no_interval_is_shorter_than_that_of_sampling() {
    pause();
    for query in ["", "?interval=1ms"] {
        let (api, mut reader) = begun(&format!("/api/v1/stream{query}")).await;
        assert_eq!(reader.snapshot().await, 1);
        let start = Instant::now();
        api.publish(2, SECOND);
        assert_eq!(reader.snapshot().await, 2);
        assert!(start.elapsed() >= SECOND * 9 / 10);
    }
}

#[actix_web::test]
async fn who_does_not_read_loses_what_is_between_and_then_gets_the_latest() {
    pause();
    let (api, mut reader) = begun("/api/v1/stream").await;
    assert_eq!(reader.snapshot().await, 1);
    let mut other = api.stream("/api/v1/stream", &[]).await;
    assert_eq!(other.next().await.kind, "hello");
    assert_eq!(other.snapshot().await, 1);
    for generation in 2..=11 {
        advance(SECOND).await;
        api.publish(generation, Duration::ZERO);
        assert_eq!(other.snapshot().await, generation);
    }
    assert_eq!(reader.snapshot().await, 11);
    assert_eq!(api.streams(), (2, 13, 9));
}

#[actix_web::test]
async fn where_nothing_happens_the_heart_beats() {
    pause();
    let (_api, mut reader) = begun("/api/v1/stream").await;
    assert_eq!(reader.snapshot().await, 1);
    for _ in 0..3 {
        let start = Instant::now();
        assert_eq!(reader.next().await.comment, "beat");
        assert_eq!(start.elapsed().as_secs(), 15);
    }
}

#[actix_web::test]
async fn it_ends_with_the_server() {
    pause();
    let (_api, mut reader) = begun("/api/v1/stream").await;
    reader.snapshot().await;
    let drain = Arc::clone(&reader.drain);
    let (end, ()) = tokio::join!(reader.frame(), async {
        sleep(SECOND).await;
        drain.begin();
    });
    assert_eq!(end, None);
}
