//! Native bodies are made once, named by a tag, and of one generation on every route.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use gpulse_models::{GpuSnapshot, HostSnapshot, Reason, Timed};

use super::{Answer, Api, SHARED, healthy, lost};

/// Publishes what a tick of the GPU at `place` publishes.
fn tick(api: &Api, place: usize) {
    let host = HostSnapshot::clone(&api.cache.host());
    let generation = host.generation + 1;
    let mut next = HostSnapshot { generation, ..host };
    let gpu = GpuSnapshot::clone(&next.gpus[place]);
    next.gpus[place] = Arc::new(GpuSnapshot { generation, ..gpu });
    api.cache.replace(next);
}

#[actix_web::test]
async fn a_generation_is_rendered_once_and_its_bytes_are_shared() {
    let api = Api::over(healthy(2));
    for path in SHARED {
        let (first, second) = (api.get(path).await, api.get(path).await);
        assert_eq!(first.status, StatusCode::OK, "{path}");
        assert_eq!(first.address, second.address, "{path}");
        assert_eq!(first.header("etag"), second.header("etag"), "{path}");
        assert_eq!(first.header("cache-control"), "no-cache", "{path}");
    }
    assert_eq!(api.state.bodies.tags().drawn(), SHARED.len() as u64);
}

#[actix_web::test]
async fn a_new_generation_is_a_new_body_with_the_new_state() {
    let api = Api::over(healthy(2));
    let mut before = Vec::new();
    for path in SHARED {
        before.push(api.get(path).await);
    }
    tick(&api, 1);
    for (path, before) in SHARED.into_iter().zip(before) {
        let known = [("if-none-match", before.header("etag"))];
        let answer = api.get_with(path, &known).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.json()["generation"], 2, "{path}");
        let (mut old, mut new) = (before.json(), answer.json());
        (old["generation"], new["generation"]) = (0.into(), 0.into());
        assert_eq!(old, new, "{path}");
    }
    let mut host = HostSnapshot::clone(&api.cache.host());
    (host.generation, host.gpus[0]) = (3, Arc::new(lost(0)));
    api.cache.replace(host);
    for path in ["/api/v1/gpus/0", "/api/v1/gpus/0/processes"] {
        assert_eq!(api.get(path).await.json()["state"], "lost", "{path}");
    }
    assert_eq!(api.get("/api/v1/gpus").await.json()["gpus"][1]["state"], "ok");
}

#[actix_web::test]
async fn what_is_shown_of_a_gpu_follows_its_snapshot_when_the_roster_changes() {
    let api = Api::over(healthy(3));
    api.get("/api/v1/gpus").await;
    let mut host = HostSnapshot::clone(&api.cache.host());
    host.generation += 1;
    host.gpus.remove(0);
    let mut changed = GpuSnapshot::clone(&host.gpus[1]);
    let mut sample = gpulse_models::example::sample();
    sample.power = Timed::absent(Reason::Timeout);
    changed.sample = Some(Arc::new(sample));
    host.gpus[1] = Arc::new(changed);
    api.cache.replace(host);
    let body = api.get("/api/v1/gpus").await.json();
    assert_eq!(
        (&body["gpus"][0]["index"], &body["gpus"][1]["index"]),
        (&1.into(), &2.into())
    );
    assert_eq!(body["gpus"][1]["unavailable"]["power"], "timeout");
    assert_eq!(body["gpus"][0]["unavailable"].get("power"), None);
}

#[actix_web::test]
async fn the_generation_is_the_same_on_every_face_of_a_snapshot() {
    let api = Api::over(healthy(2));
    tick(&api, 0);
    tick(&api, 1);
    let filtered = [
        "/api/v1/gpus?fields=load",
        "/api/v1/gpus/1?fields=load",
        "/api/v1/topology?fields=pairs",
    ];
    let others = ["/gpu/metrics", "/api/v1/host", "/api/v1/events"];
    for path in SHARED.into_iter().chain(filtered).chain(others) {
        assert_eq!(api.get(path).await.json()["generation"], 3, "{path}");
    }
}

#[actix_web::test]
async fn who_has_the_body_is_told_so_in_every_encoding() {
    let api = Api::over(healthy(2));
    for path in SHARED {
        let plain = api.get(path).await;
        for encoding in ["identity", "gzip", "zstd"] {
            let accept = ("accept-encoding", encoding);
            let first = api.get_with(path, &[accept]).await;
            assert_eq!(first.header("vary"), "accept-encoding", "{path}");
            assert_eq!(
                crate::tests::caching::unpacked(&first),
                plain.body,
                "{path} {encoding}"
            );
            for known in [first.header("etag"), "*"] {
                let answer = api.get_with(path, &[accept, ("if-none-match", known)]).await;
                assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{path} {encoding}");
                assert!(answer.body.is_empty());
                assert_eq!(answer.header("etag"), first.header("etag"));
            }
        }
        let other = api.get_with(path, &[("if-none-match", "\"x\"")]).await;
        assert_eq!(other.status, StatusCode::OK, "{path}");
    }
}

#[actix_web::test]
async fn head_has_the_headers_of_get() {
    let api = Api::over(healthy(1));
    for path in SHARED
        .into_iter()
        .chain(["/api/v1/gpus?fields=load", "/api/v1/host"])
    {
        let headers = [("accept-encoding", "zstd"), ("x-request-id", "1")];
        let get: Answer = api.get_with(path, &headers).await;
        let head = api.ask(Method::HEAD, path, &headers).await;
        assert_eq!(head.status, get.status, "{path}");
        for name in [
            "etag",
            "content-type",
            "content-encoding",
            "cache-control",
            "vary",
        ] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}
