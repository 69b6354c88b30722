//! Clients that were away, and drivers that come late.

use std::time::Duration;

use tokio::time::pause;

use super::{
    super::{Api, DriverReason, without_driver},
    SECOND, begun,
};

#[actix_web::test]
async fn who_comes_back_gets_what_it_missed() {
    pause();
    let (api, mut reader) = begun("/api/v1/stream").await;
    assert_eq!(reader.snapshot().await, 1);
    drop(reader);
    // Of what comes twice a second a stream of one a second has every second one, and the last.
    for generation in 2..=8 {
        api.publish(generation, SECOND / 2 * (generation as u32 - 1));
        if generation == 5 {
            api.xid(0);
        }
    }
    for (path, header) in [("/api/v1/stream", "1"), ("/api/v1/stream?after=1", "99")] {
        let mut reader = api.stream(path, &[("last-event-id", header)]).await;
        let hello = reader.next().await;
        assert_eq!(
            (hello.kind.as_str(), &hello.data["resumed"]),
            ("hello", &true.into())
        );
        assert_eq!(reader.snapshot().await, 2);
        assert_eq!(reader.snapshot().await, 4);
        assert_eq!(reader.next().await.kind, "event");
        assert_eq!(reader.snapshot().await, 6);
        assert_eq!(reader.snapshot().await, 8);
        assert!(reader.is_silent());
    }
    // Whoever has the latest waits for the next.
    let mut reader = api.stream("/api/v1/stream?after=8", &[]).await;
    assert_eq!(reader.next().await.kind, "hello");
    assert!(reader.is_silent());
    api.publish(9, 5 * SECOND);
    assert_eq!(reader.snapshot().await, 9);
}

#[actix_web::test]
async fn every_generation_of_one_gpu_is_replayed_though_it_comes_a_little_early() {
    pause();
    let (api, mut reader) = begun("/api/v1/stream").await;
    assert_eq!(reader.snapshot().await, 1);
    drop(reader);
    for generation in 2..=20 {
        api.publish(generation, Duration::from_millis(999) * (generation as u32 - 1));
    }
    let mut reader = api.stream("/api/v1/stream?after=1", &[]).await;
    assert_eq!(reader.next().await.kind, "hello");
    for generation in 2..=20 {
        assert_eq!(reader.snapshot().await, generation);
    }
}

#[actix_web::test]
async fn an_id_that_is_not_known_is_answered_with_the_snapshot_of_now() {
    pause();
    let (api, _other) = begun("/api/v1/stream").await;
    api.publish(2, SECOND);
    for id in ["77", "", "-1", "x", "99999999999999999999999"] {
        let mut reader = api.stream("/api/v1/stream", &[("last-event-id", id)]).await;
        let hello = reader.next().await;
        // What is no number is no word of what the client has.
        let resumed = id.parse::<u64>().is_ok().then_some(false);
        assert_eq!(hello.data["resumed"].as_bool(), resumed, "{id}");
        assert_eq!(reader.snapshot().await, 2, "{id}");
        assert!(reader.is_silent());
    }
}

#[actix_web::test]
async fn without_a_driver_it_says_why_and_goes_on_when_it_comes() {
    pause();
    let api = Api::over(without_driver(DriverReason::DriverNotLoaded));
    let mut reader = api.stream("/api/v1/stream?gpu=1", &[]).await;
    assert_eq!(reader.next().await.kind, "hello");
    let snapshot = reader.next().await;
    assert_eq!(snapshot.data["gpus"], serde_json::json!([]));
    let said = api.get("/api/v1/gpus").await.json();
    for key in ["reason", "message", "hint"] {
        assert_eq!(snapshot.data["driver"][key], said[key]);
    }
    api.publish(snapshot.id.unwrap() + 1, SECOND);
    let snapshot = reader.next().await;
    assert_eq!(snapshot.data.get("driver"), None);
    assert_eq!(snapshot.data["gpus"][0]["index"], 1);
}
