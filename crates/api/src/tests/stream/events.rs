//! Events between snapshots.

use tokio::time::{advance, pause, timeout};

use super::{SECOND, begun};

#[actix_web::test]
async fn events_come_at_once_and_those_of_other_gpus_do_not() {
    pause();
    let (api, mut reader) = begun("/api/v1/stream?interval=1h").await;
    let mut of_one = api.stream("/api/v1/stream?gpu=1&interval=1h", &[]).await;
    let mut of_none = api.stream("/api/v1/stream?events=false&interval=1h", &[]).await;
    for reader in [&mut of_one, &mut of_none] {
        assert_eq!(reader.next().await.kind, "hello");
        reader.snapshot().await;
    }
    // The snapshot is first even where an event is there before it.
    api.xid(0);
    assert_eq!(reader.snapshot().await, 1);
    api.xid(1);
    let (first, second) = (reader.next().await, reader.next().await);
    let logged = api.get("/api/v1/events").await.json();
    assert_eq!(
        (first.kind.as_str(), &first.data),
        ("event", &logged["events"][0])
    );
    assert_eq!(second.data, logged["events"][1]);
    assert_eq!(of_one.next().await.data, logged["events"][1]);
    assert!(timeout(10 * SECOND, of_none.next()).await.is_err());
    assert!(timeout(SECOND, of_one.next()).await.is_err());
}

#[actix_web::test]
async fn a_storm_of_events_does_not_keep_snapshots_back() {
    pause();
    let (api, mut reader) = begun("/api/v1/stream").await;
    assert_eq!(reader.snapshot().await, 1);
    (0..200).for_each(|_| api.xid(0));
    advance(SECOND).await;
    api.publish(2, SECOND);
    let mut before = 0;
    while reader.next().await.kind == "event" {
        before += 1;
    }
    assert_eq!(before, 32);
    for _ in before..200 {
        assert_eq!(reader.next().await.kind, "event");
    }
}

#[actix_web::test]
async fn events_that_the_log_forgot_are_lost_and_that_is_said() {
    pause();
    let (api, mut reader) = begun("/api/v1/stream?interval=1h").await;
    assert_eq!(reader.snapshot().await, 1);
    (0..gpulse_aggregator::EVENTS_KEPT + 7).for_each(|_| api.xid(0));
    assert_eq!(reader.next().await.comment, "7 events are lost");
    assert_eq!(reader.next().await.data["sequence"], 8);
}
