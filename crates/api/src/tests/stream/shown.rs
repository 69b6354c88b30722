//! What a stream shows, and what is shared.

use actix_web::{http::Method, http::StatusCode};
use gpulse_models::example;
use tokio::time::pause;

use super::{
    super::{Api, healthy},
    begun,
};

#[actix_web::test]
async fn it_begins_with_who_sends_and_the_snapshot_of_now() {
    pause();
    let api = Api::over(healthy(2));
    let mut reader = api.stream("/api/v1/stream?interval=5s", &[]).await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(reader.headers.get(name).unwrap(), value);
    }
    let first = reader.piece().await.unwrap();
    assert!(
        first.starts_with(b"retry: 2000\n\nevent: hello\ndata: {"),
        "{first:?}"
    );
    reader.text = String::from_utf8(first.to_vec()).unwrap();
    let hello = reader.next().await;
    assert_eq!(hello.data["agent_id"], "resource-agent-001");
    assert_eq!(hello.data["version"], "0.1.0");
    assert_eq!(hello.data["instance"], api.state.instance());
    assert_eq!(hello.data["interval_seconds"], 5.0);
    let snapshot = reader.next().await;
    assert_eq!(snapshot.data, api.get("/api/v1/gpus").await.json());
    assert_eq!(api.streams(), (1, 1, 0));
    drop(reader);
    assert_eq!(api.streams(), (0, 1, 0));
}

#[actix_web::test]
async fn fields_and_gpus_are_those_of_the_other_routes() {
    pause();
    let uuid = example::gpu(1).uuid().unwrap().to_string();
    for (query, path, places) in [
        (
            "fields=power.draw_watts,load",
            "/api/v1/gpus?fields=power.draw_watts,load",
            &[0, 1][..],
        ),
        ("gpu=1", "/api/v1/gpus", &[1]),
        (
            &format!("gpu={uuid}&fields=load"),
            "/api/v1/gpus?fields=load",
            &[1],
        ),
        ("gpu=1,0", "/api/v1/gpus", &[0, 1]),
        ("gpu=1&gpu=0&gpu=1", "/api/v1/gpus", &[0, 1]),
    ] {
        let (api, mut reader) = begun(&format!("/api/v1/stream?{query}")).await;
        let sent = reader.next().await.data;
        let mut expected = api.get(path).await.json();
        let gpus = expected["gpus"].as_array().unwrap();
        expected["gpus"] = places.iter().map(|place: &usize| gpus[*place].clone()).collect();
        assert_eq!(sent, expected, "{query}");
    }
}

#[actix_web::test]
async fn what_is_not_understood_is_refused() {
    let api = Api::over(healthy(2));
    for (query, status, word) in [
        ("after=x", 422, "after"),
        ("after=-1", 422, "after"),
        ("interval=5", 422, "interval"),
        ("interval=2h", 422, "interval"),
        ("events=no", 422, "events"),
        ("fields=power.draw", 422, "fields"),
        ("gpu=abc", 422, "gpu"),
        ("gpu=0,,1", 422, "gpu"),
        ("gpus=0", 422, "query"),
        ("interval=1s&interval=2s", 422, "query"),
        ("gpu=0,7", 404, "GPU 7 not found"),
    ] {
        let answer = api.get(&format!("/api/v1/stream?{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
        assert!(answer.json()["detail"].to_string().contains(word), "{query}");
    }
    for refused in ["identity;q=0, gzip", "*;q=0"] {
        let answer = api
            .get_with("/api/v1/stream", &[("accept-encoding", refused)])
            .await;
        assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE);
    }
    let head = api.ask(Method::HEAD, "/api/v1/stream", &[]).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(
        (head.header("content-type"), head.body.len()),
        ("text/event-stream", 0)
    );
    assert_eq!(api.streams().0, 0);
}

#[actix_web::test]
async fn what_is_sent_is_encoded_once_for_all_who_ask_for_the_same() {
    pause();
    let api = Api::over(healthy(2));
    for path in [
        "/api/v1/stream",
        "/api/v1/stream?fields=load",
        "/api/v1/stream?gpu=1",
    ] {
        let mut places = Vec::new();
        let mut readers = Vec::new();
        for _ in 0..3 {
            let mut reader = api.stream(path, &[]).await;
            reader.piece().await.unwrap();
            places.push(reader.piece().await.unwrap().as_ptr());
            readers.push(reader);
        }
        assert!(places.iter().all(|place| *place == places[0]), "{path}");
    }
}

#[actix_web::test]
async fn a_large_snapshot_goes_out_in_slices() {
    let api = Api::over(healthy(64));
    let mut reader = api.stream("/api/v1/stream", &[]).await;
    reader.piece().await.unwrap();
    let (mut pieces, mut sent) = (0, Vec::new());
    while !sent.ends_with(b"\n\n") {
        let piece = reader.piece().await.unwrap();
        assert!(piece.len() <= 16 * 1024);
        sent.extend_from_slice(&piece);
        pieces += 1;
    }
    let body = api.get("/api/v1/gpus").await.body;
    assert!(pieces > body.len() / (16 * 1024) && sent.len() > body.len());
    assert!(sent.windows(body.len()).any(|part| part == body));
}
