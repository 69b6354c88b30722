//! What is counted of requests and connections: by template and not by path, whoever answers, and nothing twice.

use std::{
    future::pending,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpResponse,
    dev::Service as _,
    http::Method,
    test::{TestRequest, call_service, init_service},
    web,
};
use futures_util::FutureExt as _;
use gpulse_aggregator::SnapshotCache;
use gpulse_models::{HttpMethod, HttpStats, OTHER_ROUTE};
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{Api, config, healthy, without_driver};
use crate::{
    ApiConfig, HttpServer, RateLimit, Scopes, Security, TlsFiles,
    app::{TEMPLATES, app},
    cors,
    gate::Gate,
    openapi_json, request_log, template,
};

/// What was counted, as route, method, status, number.
fn counted(cache: &SnapshotCache) -> Vec<(&'static str, HttpMethod, u16, u64)> {
    let requests = cache.counters().read().http.requests;
    let row = |count: gpulse_models::RequestCount| {
        (count.route, count.method, count.status.unwrap_or(0), count.count)
    };
    requests.into_iter().map(row).collect()
}

/// A path that the template stands for.
fn path_of(template: &str) -> String {
    let parts = template
        .split('/')
        .map(|part| if part.starts_with('{') { "0" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[actix_web::test]
async fn requests_are_counted_by_template_method_and_status() {
    let api = Api::over(healthy(2));
    for path in [
        "/gpu/metrics",
        "/gpu/metrics?x=1",
        "/gpu/metrics/0",
        "/gpu/metrics/1",
        "/gpu/metrics/99",
    ] {
        api.get(path).await;
    }
    api.ask(Method::HEAD, "/gpu/metrics", &[]).await;
    api.get_with("/gpu/metrics", &[("if-none-match", "*")]).await;
    api.ask(Method::DELETE, "/gpu/metrics", &[]).await;
    api.ask(Method::POST, "/api/v1/admin/park", &[]).await;
    let expected = [
        ("/gpu/metrics", HttpMethod::Get, 200, 2),
        ("/gpu/metrics", HttpMethod::Get, 304, 1),
        ("/gpu/metrics", HttpMethod::Head, 200, 1),
        ("/gpu/metrics", HttpMethod::Other, 405, 1),
        ("/api/v1/admin/park", HttpMethod::Post, 403, 1),
        ("/gpu/metrics/{gpu_id}", HttpMethod::Get, 200, 2),
        ("/gpu/metrics/{gpu_id}", HttpMethod::Get, 404, 1),
    ];
    assert_eq!(counted(&api.cache), expected);
    let HttpStats {
        in_flight, abandoned, ..
    } = api.cache.counters().read().http;
    assert_eq!((in_flight, abandoned), (0, 0));
}

#[actix_web::test]
async fn whatever_paths_clients_make_up_are_one() {
    let api = Api::over(healthy(1));
    for number in 0..100 {
        api.get(&format!("/{number}/x")).await;
        api.get(&format!("/gpu/metrics/0/{number}")).await;
    }
    assert_eq!(counted(&api.cache), [(OTHER_ROUTE, HttpMethod::Get, 404, 200)]);
}

#[actix_web::test]
async fn what_the_gate_refuses_is_counted_where_it_was_going() {
    let mut api = Api::over(healthy(1));
    api.security = Security {
        rate_limit: Some(RateLimit {
            per_second: 1.try_into().unwrap(),
            burst: 1.try_into().unwrap(),
        }),
        ..Security::default()
    };
    let (gate, _) = Gate::open(&api.security).unwrap();
    let service = init_service(app(
        api.state.clone(),
        Arc::new(gate),
        cors::layer(&[]),
        crate::drain::Drain::new(),
    ))
    .await;
    for _ in 0..20 {
        let request = TestRequest::with_uri("/gpu/info").peer_addr("10.0.0.1:1000".parse().unwrap());
        call_service(&service, request.to_request()).await;
    }
    let counts = counted(&api.cache);
    let refused: Vec<_> = counts.iter().filter(|(_, _, status, _)| *status == 429).collect();
    assert_eq!(refused.len(), 1, "{counts:?}");
    assert_eq!((refused[0].0, refused[0].1), ("/gpu/info", HttpMethod::Get));
    assert_eq!(counts.iter().map(|count| count.3).sum::<u64>(), 20);
}

#[actix_web::test]
async fn a_body_of_an_error_is_counted_with_its_status() {
    let api = Api::over(without_driver(gpulse_models::DriverReason::Error));
    api.get("/gpu/metrics").await;
    api.get("/api/v1/events?limit=0").await;
    let expected = [
        ("/gpu/metrics", HttpMethod::Get, 503, 1),
        ("/api/v1/events", HttpMethod::Get, 422, 1),
    ];
    assert_eq!(counted(&api.cache), expected);
}

#[actix_web::test]
async fn the_name_of_a_path_is_the_one_of_the_route_that_answers_it() {
    let api = Api::over(healthy(1));
    let (gate, _) = Gate::open(&api.security).unwrap();
    let service = init_service(app(
        api.state.clone(),
        Arc::new(gate),
        cors::layer(&[]),
        crate::drain::Drain::new(),
    ))
    .await;
    let made_up = [
        "/nowhere",
        "/docs/a/b",
        "/gpu/metrics/",
        "/gpu//metrics",
        "/health//",
        "/gpu/metrics/%2F",
        "/gpu/%6Detrics",
    ];
    for path in TEMPLATES
        .iter()
        .map(|template| path_of(template))
        .chain(made_up.map(str::to_owned))
    {
        let response = call_service(&service, TestRequest::with_uri(&path).to_request()).await;
        let named = template::place(response.request().match_info().as_str()).map(|place| TEMPLATES[place]);
        assert_eq!(named, response.request().match_pattern().as_deref(), "{path}");
    }
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(
            TEMPLATES.contains(&path.as_str()),
            "{path} is documented and has no name"
        );
    }
}

#[actix_web::test]
async fn a_request_is_in_flight_until_it_is_answered_or_given_up() {
    let api = Api::over(healthy(1));
    let app = App::new()
        .app_data(api.state.clone())
        .route("/gpu/metrics", web::get().to(pending::<HttpResponse>))
        .wrap_fn(request_log::observe);
    let service = init_service(app).await;
    let mut waiting = Box::pin(service.call(TestRequest::with_uri("/gpu/metrics").to_request()));
    assert!((&mut waiting).now_or_never().is_none());
    let http = || api.cache.counters().read().http;
    assert_eq!((http().in_flight, http().abandoned), (1, 0));
    drop(waiting);
    assert_eq!((http().in_flight, http().abandoned), (0, 1));
    assert_eq!(counted(&api.cache), []);
}

fn start(config: ApiConfig) -> (HttpServer, SocketAddr, Arc<SnapshotCache>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let cache = Arc::new(SnapshotCache::holding(healthy(1)));
    let server = HttpServer::start(listener, Arc::clone(&cache), config).unwrap();
    (server, address, cache)
}

/// Sends `request` and reads until the server closes, or answers and keeps the connection.
async fn exchange(address: SocketAddr, request: &'static str) -> (TcpStream, usize) {
    let talk = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut room = [0; 4096];
        // A head and no body: that is all of an answer to HEAD.
        while !answer.ends_with(b"\r\n\r\n") {
            match stream.read(&mut room) {
                Ok(read) if read > 0 => answer.extend_from_slice(&room[..read]),
                _ => break,
            }
        }
        (stream, answer.len())
    };
    spawn_blocking(talk).await.unwrap()
}

/// Waits until what is counted is as it should be.
async fn eventually(cache: &SnapshotCache, what: &str, is_so: impl Fn(&HttpStats) -> bool) {
    for _ in 0..2_000 {
        if is_so(&cache.counters().read().http) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: {:?}", cache.counters().read().http);
}

const HEAD: &str = "HEAD /gpu/metrics HTTP/1.1\r\nhost: x\r\n\r\n";

#[actix_web::test]
async fn connections_are_open_until_they_are_closed_and_their_bytes_are_counted() {
    let (server, address, cache) = start(config());
    let (first, sent) = exchange(address, HEAD).await;
    let (second, as_much) = exchange(address, HEAD).await;
    eventually(&cache, "both are open", |http| {
        http.connections.accepted == 2
            && http.connections.open == 2
            && http.bytes_sent == (sent + as_much) as u64
    })
    .await;
    assert!(sent > 100);
    drop((first, second));
    eventually(&cache, "both are closed", |http| http.connections.open == 0).await;
    assert_eq!(counted(&cache), [("/gpu/metrics", HttpMethod::Head, 200, 2)]);
    server.stop(Duration::from_secs(5)).await;
}

#[actix_web::test]
async fn a_client_with_too_many_connections_and_one_that_stops_half_way_are_counted() {
    let (server, address, cache) = start(ApiConfig {
        request_timeout: Duration::from_millis(300),
        security: Security {
            connections_per_client: NonZeroUsize::new(1),
            ..Security::default()
        },
        ..config()
    });
    let (mut first, _) = exchange(address, HEAD).await;
    let (_, nothing) = exchange(address, HEAD).await;
    assert_eq!(nothing, 0);
    eventually(&cache, "one is refused", |http| {
        http.connections.refused == 1 && http.connections.accepted == 1
    })
    .await;
    // Its second request: actix-http looks after the first head of a connection only.
    first.write_all(b"GET /gpu/metrics HT").unwrap();
    eventually(&cache, "it is cut", |http| {
        http.connections.cut == 1 && http.connections.open == 0
    })
    .await;
    server.stop(Duration::from_secs(5)).await;
}

#[actix_web::test]
async fn a_handshake_that_fails_is_counted_and_closed() {
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (
        directory.path().join("cert.pem"),
        directory.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = TlsFiles {
        certificate,
        key,
        client_ca: None,
        client_scopes: Scopes::NONE,
    };
    let (server, address, cache) = start(ApiConfig {
        security: Security {
            tls: Some(tls),
            ..Security::default()
        },
        ..config()
    });
    // What is no TLS.
    exchange(address, HEAD).await;
    eventually(&cache, "the handshake failed", |http| {
        http.connections.handshakes_failed == 1
            && http.connections.accepted == 1
            && http.connections.open == 0
    })
    .await;
    assert_eq!(counted(&cache), []);
    server.stop(Duration::from_secs(5)).await;
}
