//! Bodies are rendered once, shared, named by an ETag, and come in the encoding that the client wants.

use std::{
    io::Read as _,
    sync::{Arc, Barrier},
    thread,
};

use actix_web::http::{Method, StatusCode};
use gpulse_models::{GpuSnapshot, HostSnapshot, example};

use super::{Answer, Api, DriverReason, healthy, pending, without_driver};

const HOT: [&str; 3] = ["/gpu/metrics", "/gpu/metrics/0", "/gpu/info"];

/// Publishes what a tick of the GPU at `place` publishes.
fn tick(api: &Api, place: usize) {
    let host = HostSnapshot::clone(&api.cache.host());
    let generation = host.generation + 1;
    let mut next = HostSnapshot { generation, ..host };
    let gpu = GpuSnapshot::clone(&next.gpus[place]);
    next.gpus[place] = Arc::new(GpuSnapshot { generation, ..gpu });
    api.cache.replace(next);
}

fn rendered(api: &Api) -> u64 {
    api.state.bodies.tags().drawn()
}

#[actix_web::test]
async fn a_generation_is_rendered_once_and_its_bytes_are_shared() {
    let api = Api::over(healthy(2));
    assert_eq!(rendered(&api), 0, "nothing is rendered before it is asked for");
    for path in HOT {
        let (first, second) = (api.get(path).await, api.get(path).await);
        assert_eq!(first.address, second.address, "{path}");
        assert_eq!(first.header("etag"), second.header("etag"), "{path}");
    }
    assert_eq!(rendered(&api), 3);
}

#[actix_web::test]
async fn a_gpu_is_rendered_anew_only_when_it_changed() {
    let api = Api::over(healthy(2));
    let all = api.get("/gpu/metrics").await;
    let (first, second) = (api.get("/gpu/metrics/0").await, api.get("/gpu/metrics/1").await);
    tick(&api, 0);
    assert_ne!(api.get("/gpu/metrics").await.header("etag"), all.header("etag"));
    assert_ne!(
        api.get("/gpu/metrics/0").await.header("etag"),
        first.header("etag")
    );
    assert_eq!(api.get("/gpu/metrics/1").await.address, second.address);
}

#[actix_web::test]
async fn the_info_stays_while_it_reads_the_same() {
    let api = Api::over(healthy(2));
    let first = api.get("/gpu/info").await;
    tick(&api, 0);
    tick(&api, 1);
    assert_eq!(api.get("/gpu/info").await.header("etag"), first.header("etag"));
    api.cache.replace(healthy(1));
    assert_ne!(api.get("/gpu/info").await.header("etag"), first.header("etag"));
}

#[test]
fn workers_that_race_for_a_generation_render_it_once() {
    const WORKERS: usize = 8;
    const GENERATIONS: usize = 200;
    let api = Api::over(healthy(8));
    let barrier = Barrier::new(WORKERS + 1);
    let seen = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let (state, barrier) = (api.state.clone(), &barrier);
                scope.spawn(move || {
                    let mut seen = Vec::new();
                    for _ in 0..GENERATIONS {
                        barrier.wait();
                        let set = state.bodies.latest(&state.cache);
                        seen.push(set.metrics().unwrap().bytes().clone());
                        barrier.wait();
                    }
                    seen
                })
            })
            .collect();
        for _ in 0..GENERATIONS {
            tick(&api, 0);
            barrier.wait();
            barrier.wait();
        }
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect::<Vec<_>>()
    });
    for worker in &seen {
        for (mine, first) in worker.iter().zip(&seen[0]) {
            assert_eq!(mine.as_ptr(), first.as_ptr());
        }
    }
    assert_eq!(rendered(&api), GENERATIONS as u64);
}

#[actix_web::test]
async fn every_encoding_holds_the_same_body_under_a_tag_of_its_own() {
    let api = Api::over(healthy(8));
    for path in HOT
        .into_iter()
        .chain(["/openapi.json", "/docs", "/docs/swagger-ui-bundle.js"])
    {
        let plain = api.get(path).await;
        let gzip = api.get_with(path, &[("accept-encoding", "gzip")]).await;
        let zstd = api.get_with(path, &[("accept-encoding", "zstd")]).await;
        assert_eq!(plain.header("content-encoding"), "");
        assert_eq!(gzip.header("content-encoding"), "gzip");
        assert_eq!(zstd.header("content-encoding"), "zstd");
        assert_eq!(unpacked(&gzip), plain.body, "{path}");
        assert_eq!(unpacked(&zstd), plain.body, "{path}");
        for answer in [&plain, &gzip, &zstd] {
            assert_eq!(answer.header("vary"), "accept-encoding", "{path}");
            assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
            assert!(answer.header("etag").starts_with('"'), "strong: {path}");
        }
        assert_ne!(plain.header("etag"), gzip.header("etag"));
        assert_ne!(gzip.header("etag"), zstd.header("etag"));
        let again = api.get_with(path, &[("accept-encoding", "gzip")]).await;
        assert_eq!(again.address, gzip.address, "compressed twice: {path}");
    }
}

pub(super) fn unpacked(answer: &Answer) -> Vec<u8> {
    match answer.header("content-encoding") {
        "gzip" => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&answer.body[..])
                .read_to_end(&mut plain)
                .unwrap();
            plain
        }
        "zstd" => zstd::stream::decode_all(&answer.body[..]).unwrap(),
        _ => answer.body.to_vec(),
    }
}

#[actix_web::test]
async fn who_has_the_body_is_told_so() {
    let api = Api::over(healthy(2));
    for path in HOT {
        for encoding in ["identity", "gzip", "zstd"] {
            let accept = ("accept-encoding", encoding);
            let first = api.get_with(path, &[accept]).await;
            let etag = first.header("etag").to_owned();
            for known in [
                etag.clone(),
                format!("W/{etag}"),
                format!("\"x\", {etag} , \"y\""),
                "*".to_owned(),
            ] {
                let answer = api.get_with(path, &[accept, ("if-none-match", &known)]).await;
                assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{path} {known}");
                assert!(answer.body.is_empty());
                assert_eq!(answer.header("etag"), etag);
                assert_eq!(answer.header("cache-control"), "no-cache");
                assert_eq!(answer.header("vary"), "accept-encoding");
                assert_eq!(answer.header("content-encoding"), "");
            }
            for other in ["\"x\"", "", "W/", "x", &etag[1..]] {
                let answer = api.get_with(path, &[accept, ("if-none-match", other)]).await;
                assert_eq!(answer.status, StatusCode::OK, "{path} {other:?}");
            }
        }
        let two_lines = [("if-none-match", "\"x\""), ("if-none-match", "*")];
        assert_eq!(
            api.get_with(path, &two_lines).await.status,
            StatusCode::NOT_MODIFIED
        );
    }
}

#[actix_web::test]
async fn an_etag_does_not_outlive_its_process() {
    let (before, after) = (Api::over(healthy(1)), Api::over(healthy(1)));
    for path in HOT {
        let old = before.get(path).await;
        let answer = after
            .get_with(path, &[("if-none-match", old.header("etag"))])
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
}

#[actix_web::test]
async fn no_error_is_taken_for_a_body_that_the_client_has() {
    let api = Api::over(healthy(1));
    let etag = api.get("/gpu/metrics").await.header("etag").to_owned();
    for (host, status) in [
        (
            without_driver(DriverReason::DriverNotLoaded),
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (example::host([pending(0)]), StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        api.cache.replace(host);
        for known in [etag.as_str(), "*"] {
            for path in ["/gpu/metrics", "/gpu/metrics/0"] {
                let answer = api.get_with(path, &[("if-none-match", known)]).await;
                assert_eq!(answer.status, status, "{path}");
                assert_eq!(answer.header("etag"), "");
                assert_eq!(answer.header("cache-control"), "no-store");
            }
        }
    }
}

#[actix_web::test]
async fn head_has_the_headers_of_get() {
    let api = Api::over(healthy(1));
    for path in HOT.into_iter().chain(["/openapi.json", "/docs"]) {
        for accept in ["identity", "gzip"] {
            let headers = [("accept-encoding", accept), ("x-request-id", "1")];
            let get = api.get_with(path, &headers).await;
            let head = api.ask(Method::HEAD, path, &headers).await;
            assert_eq!(head.status, get.status);
            for name in [
                "etag",
                "content-type",
                "content-encoding",
                "cache-control",
                "vary",
                "x-request-id",
            ] {
                assert_eq!(head.header(name), get.header(name), "{path} {name}");
            }
        }
    }
}
