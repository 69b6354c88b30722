//! Streams and long polls under paused time: what is sent when, to whom, and what is shared.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{
    body::{BoxBody, MessageBody as _},
    http::{Method, StatusCode, header::HeaderMap},
    test::{TestRequest, init_service},
};
use bytes::Bytes;
use futures_util::future::poll_fn;
use gpulse_models::{Event, EventGpu, EventKind, HostSnapshot, example};
use serde_json::Value;
use tokio::time::{Instant, advance, pause, sleep, timeout};

use super::{Api, DriverReason, app, healthy, without_driver};
use crate::{cors, drain::Drain, gate::Gate, routes::newer::newer, stream::Hub};

const SECOND: Duration = Duration::from_secs(1);

/// A stream as its client has it.
struct Reader {
    status: StatusCode,
    headers: HeaderMap,
    body: BoxBody,
    text: String,
    drain: Arc<Drain>,
}

/// One event of a stream, or a comment.
#[derive(Debug, PartialEq)]
struct Frame {
    kind: String,
    id: Option<u64>,
    data: Value,
    comment: String,
}

impl Api {
    async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Reader {
        let (gate, _) = Gate::open(&self.security).unwrap();
        let drain = Drain::new();
        let cors = cors::layer(&self.cors_origins);
        let service = init_service(app(self.state.clone(), Arc::new(gate), cors, Arc::clone(&drain))).await;
        let request = headers
            .iter()
            .fold(TestRequest::with_uri(path), |request, (name, value)| {
                request.append_header((*name, *value))
            });
        let response = request.send_request(&service).await;
        Reader {
            status: response.status(),
            headers: response.headers().clone(),
            body: BoxBody::new(response.into_body()),
            text: String::new(),
            drain,
        }
    }

    /// Publishes a generation of two GPUs, `at` after the beginning.
    fn publish(&self, generation: u64, at: Duration) {
        self.cache.replace(HostSnapshot {
            generation,
            published_at: example::at() + at,
            ..healthy(2)
        });
    }

    fn xid(&self, index: u32) {
        let gpu = EventGpu::of(&example::gpu(index));
        self.cache.log(Event {
            sequence: 0,
            at: example::at(),
            gpu: Some(gpu),
            kind: EventKind::Xid(Some(79)),
        });
    }

    fn streams(&self) -> (u64, u64, u64) {
        let streams = self.cache.counters().read().streams;
        (streams.open, streams.snapshots, streams.skipped)
    }
}

impl Reader {
    /// The next piece as the connection gets it.
    async fn piece(&mut self) -> Option<Bytes> {
        let body = &mut self.body;
        let piece = poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await;
        piece.map(|piece| piece.map_err(|_| "broken off").unwrap())
    }

    /// The next frame but for `retry`; nothing at the end.
    async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let parsed = Frame::parse(frame);
                self.text = rest.to_owned();
                match parsed {
                    Some(frame) => return Some(frame),
                    None => continue,
                }
            }
            let piece = self.piece().await?;
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    async fn next(&mut self) -> Frame {
        self.frame().await.unwrap()
    }

    /// The number of the next frame, which is a snapshot.
    async fn snapshot(&mut self) -> u64 {
        let frame = self.next().await;
        assert_eq!(frame.kind, "snapshot", "{frame:?}");
        assert_eq!(frame.data["generation"].as_u64(), frame.id);
        frame.id.unwrap()
    }

    /// Whether nothing is ready to be sent now.
    fn is_silent(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(Pin::new(&mut self.body).poll_next(&mut context), Poll::Pending)
    }
}

impl Frame {
    fn parse(text: &str) -> Option<Self> {
        let mut frame = Self {
            kind: String::new(),
            id: None,
            data: Value::Null,
            comment: String::new(),
        };
        for line in text.lines() {
            match line.split_once(": ").unwrap() {
                ("event", kind) => frame.kind = kind.to_owned(),
                ("id", id) => frame.id = Some(id.parse().unwrap()),
                ("data", data) => frame.data = serde_json::from_str(data).unwrap(),
                ("", comment) => frame.comment = comment.to_owned(),
                ("retry", _) => return None,
                other => panic!("{other:?}"),
            }
        }
        Some(frame)
    }
}

/// A stream over two GPUs at generation 1, of which hello was read.
async fn begun(path: &str) -> (Api, Reader) {
    let api = Api::over(healthy(2));
    api.publish(1, Duration::ZERO);
    let mut reader = api.stream(path, &[]).await;
    assert_eq!(reader.status, StatusCode::OK);
    assert_eq!(reader.next().await.kind, "hello");
    (api, reader)
}

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
        assert_eq!(reader.next().await.kind, "hello");
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
        assert_eq!(reader.next().await.kind, "hello");
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

#[actix_web::test]
async fn a_long_poll_is_answered_once_there_is_something_newer() {
    pause();
    for path in [
        "/gpu/metrics",
        "/gpu/info",
        "/gpu/metrics/0",
        "/api/v1/gpus",
        "/api/v1/gpus/0",
    ] {
        let api = Api::over(healthy(2));
        api.publish(7, Duration::ZERO);
        let start = Instant::now();
        for seen in ["6", "8", "0"] {
            assert_eq!(
                api.get(&format!("{path}?wait_for={seen}")).await.status,
                StatusCode::OK
            );
        }
        assert_eq!(start.elapsed(), Duration::ZERO, "{path}");
        let asked = format!("{path}?wait_for=7");
        let (answer, ()) = tokio::join!(api.get(&asked), async {
            sleep(3 * SECOND).await;
            api.publish(8, SECOND);
        });
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(start.elapsed().as_secs(), 3, "{path}");
        if answer.json().get("generation").is_some() {
            assert_eq!(answer.json()["generation"], 8, "{path}");
        }
        let start = Instant::now();
        let answer = api.get(&format!("{path}?wait_for=8&wait=20s")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(start.elapsed().as_secs(), 20, "{path}");
        for query in [
            "wait_for=x",
            "wait_for=1&wait=61s",
            "wait=1",
            "wait_for=1&wait_for=1",
        ] {
            let answer = api.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}?{query}");
        }
    }
    let api = Api::over(without_driver(DriverReason::DriverNotLoaded));
    let generation = api.cache.host().generation;
    let answer = api
        .get(&format!("/gpu/metrics?wait_for={generation}&wait=1s"))
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[actix_web::test]
async fn a_long_poll_waits_as_long_as_it_is_told_and_not_beyond_the_end_of_the_server() {
    pause();
    let api = Api::over(healthy(2));
    api.publish(8, Duration::ZERO);
    let drain = Drain::new();
    let request = |query: &str| {
        TestRequest::with_uri(&format!("/gpu/info?{query}"))
            .app_data(api.state.clone())
            .app_data(Hub::new(&api.cache, &drain))
            .to_http_request()
    };
    for (query, seconds) in [
        ("wait_for=8", 30),
        ("wait_for=8&wait=60s", 60),
        ("wait_for=8&wait=0s", 0),
        ("wait=60s", 0),
        ("other=8", 0),
    ] {
        let start = Instant::now();
        newer(&request(query)).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), seconds, "{query}");
    }
    let (start, request) = (Instant::now(), request("wait_for=8"));
    let (answer, ()) = tokio::join!(newer(&request), async {
        sleep(SECOND).await;
        drain.begin();
    });
    answer.unwrap();
    assert_eq!(start.elapsed().as_secs(), 1);
}
