//! Answers that wait for something newer.

use std::time::Duration;

use actix_web::{http::StatusCode, test::TestRequest};
use tokio::time::{Instant, pause, sleep};

use super::{
    super::{Api, DriverReason, healthy, without_driver},
    SECOND,
};
use crate::{drain::Drain, routes::newer::newer, stream::Hub};

#[actix_web::test]
async fn a_long_poll_is_answered_once_there_is_something_newer() {
    pause();
    for path in [
        "/gpu/metrics",
        "/gpu/info",
        "/gpu/metrics/0",
        "/api/v1/gpus",
        "/api/v1/gpus/0",
        "/api/v1/processes",
        "/api/v1/gpus/0/processes",
        "/api/v1/host",
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
        let said = answer.headers.get("x-gpulse-generation");
        let said = said.map(|said| said.to_str().unwrap().parse::<u64>().unwrap());
        let said = said.or_else(|| answer.json()["generation"].as_u64());
        assert!(said == Some(8) || path == "/gpu/metrics", "{path}: {said:?}");
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

#[actix_web::test]
async fn who_waits_for_one_gpu_is_not_woken_by_others() {
    pause();
    let api = Api::over(healthy(2));
    api.publish_gpu(0, 7);
    for path in ["/gpu/metrics/0", "/api/v1/gpus/0", "/api/v1/gpus/0/processes"] {
        let start = Instant::now();
        let generation = api.cache.host().generation;
        let asked = format!("{path}?wait_for={generation}");
        let (answer, ()) = tokio::join!(api.get(&asked), async {
            for seconds in 1..=5 {
                sleep(SECOND).await;
                api.publish_gpu(usize::from(seconds < 5), generation + seconds);
            }
        });
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(start.elapsed().as_secs(), 5, "{path}");
    }
    let start = Instant::now();
    let answer = api.get("/api/v1/gpus/7?wait_for=7").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(start.elapsed(), Duration::ZERO);
}
