//! The server itself, over real sockets: HEAD, stopping, limits.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use gpulse_aggregator::SnapshotCache;
use tokio::task::spawn_blocking;

use super::{config, healthy};
use crate::{ApiConfig, HttpServer};

fn start(config: ApiConfig) -> (HttpServer, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let cache = Arc::new(SnapshotCache::holding(healthy(2)));
    (HttpServer::start(listener, cache, config).unwrap(), address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// All that the server sends until it closes the connection.
fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[actix_web::test]
async fn head_says_how_long_the_body_would_be_and_sends_none() {
    let (server, address) = start(config());
    let (get, head) = spawn_blocking(move || {
        let request =
            |method| format!("{method} /gpu/metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        (
            exchange(address, &request("GET")),
            exchange(address, &request("HEAD")),
        )
    })
    .await
    .unwrap();
    let (get_head, body) = get.split_once("\r\n\r\n").unwrap();
    let (head_head, nothing) = head.split_once("\r\n\r\n").unwrap();
    let length = format!("content-length: {}", body.len());
    assert!(get_head.contains(&length), "{get_head}");
    assert!(head_head.contains(&length), "{head_head}");
    assert_eq!(nothing, "");
    server.stop(Duration::from_secs(5)).await;
}

/// What the server sends until there is `wanted` in it.
fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let (mut answer, mut room) = (String::new(), [0; 1024]);
    while !answer.contains(wanted) {
        let count = stream.read(&mut room).unwrap();
        assert!(count > 0, "{answer}");
        answer += std::str::from_utf8(&room[..count]).unwrap();
    }
    answer
}

#[actix_web::test]
async fn who_speaks_http_1_0_is_sent_no_chunks() {
    let (server, address) = start(config());
    let (old, new, head) = spawn_blocking(move || {
        let ask = |request: &str, wanted: &str| {
            let mut stream = connect(address);
            stream.write_all(request.as_bytes()).unwrap();
            until(&mut stream, wanted)
        };
        (
            ask("GET /api/v1/stream HTTP/1.0\r\n\r\n", "event: hello"),
            ask("GET /api/v1/stream HTTP/1.1\r\nhost: x\r\n\r\n", "event: hello"),
            ask("HEAD /api/v1/stream HTTP/1.1\r\nhost: x\r\n\r\n", "\r\n\r\n"),
        )
    })
    .await
    .unwrap();
    let (old_head, old_body) = old.split_once("\r\n\r\n").unwrap();
    assert!(!old_head.contains("transfer-encoding"), "{old_head}");
    assert!(old_body.starts_with("retry:"), "{old_body}");
    // A HEAD says what a GET says.
    for head in [&new, &head] {
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert!(!head.contains("content-length"), "{head}");
    }
    server.stop(Duration::from_secs(5)).await;
}

#[actix_web::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let (server, address) = start(ApiConfig {
        keep_alive: Duration::from_secs(60),
        ..config()
    });
    let idle = spawn_blocking(move || {
        let mut stream = connect(address);
        stream
            .write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        let mut answer = [0; 1024];
        assert!(stream.read(&mut answer).unwrap() > 0);
        stream
    })
    .await
    .unwrap();
    let began = Instant::now();
    server.stop(Duration::from_secs(600)).await;
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    drop(idle);
    assert!(TcpStream::connect(address).is_err(), "the listener is closed");
}

#[actix_web::test]
async fn a_client_that_does_not_finish_its_request_does_not_outlast_the_grace_time() {
    let (server, address) = start(ApiConfig {
        request_timeout: Duration::from_secs(60),
        ..config()
    });
    let mut slow = spawn_blocking(move || {
        let mut stream = connect(address);
        stream.write_all(b"GET /gpu/metrics HTTP/1.1\r\nhost:").unwrap();
        stream
    })
    .await
    .unwrap();
    let began = Instant::now();
    server.stop(Duration::from_millis(500)).await;
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let left = spawn_blocking(move || slow.read(&mut [0; 16])).await.unwrap();
    assert!(matches!(left, Ok(0) | Err(_)), "{left:?}");
}

#[actix_web::test]
async fn a_client_that_sends_nothing_is_cut() {
    let (server, address) = start(ApiConfig {
        request_timeout: Duration::from_millis(300),
        ..config()
    });
    let answer = spawn_blocking(move || exchange(address, "GET /gpu/metrics HT"))
        .await
        .unwrap();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
    server.stop(Duration::from_secs(5)).await;
}

#[actix_web::test]
async fn what_is_no_origin_is_refused_at_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let cache = Arc::new(SnapshotCache::holding(healthy(1)));
    let wrong = ApiConfig {
        cors_origins: vec!["grafana".to_owned()],
        ..config()
    };
    let error = HttpServer::start(listener, cache, wrong).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
