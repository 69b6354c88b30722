//! Request ids, and what becomes of a handler that panics.

use super::{Api, healthy};
use crate::request_log;
use actix_web::{
    App, HttpResponse,
    body::to_bytes,
    http::StatusCode,
    test::{TestRequest, init_service, try_call_service},
    web,
};

#[actix_web::test]
async fn every_answer_has_an_id_of_its_own() {
    let api = Api::over(healthy(1));
    let mut ids = Vec::new();
    for path in [
        "/gpu/metrics",
        "/gpu/metrics/x",
        "/nowhere",
        "/gpu/metrics",
        "/docs",
    ] {
        let answer = api.get(path).await;
        let id = answer.header("x-request-id").to_owned();
        assert!(!id.is_empty() && !ids.contains(&id), "{path}: {id}");
        ids.push(id);
    }
}

#[actix_web::test]
async fn a_sane_id_is_taken_over_and_any_other_is_not() {
    let api = Api::over(healthy(1));
    let longest = "a".repeat(128);
    for id in ["abc-123", "~!{}", &longest] {
        let answer = api.get_with("/gpu/metrics", &[("x-request-id", id)]).await;
        assert_eq!(answer.header("x-request-id"), id);
    }
    let too_long = "a".repeat(129);
    for id in ["", "two words", "tab\there", "ümlaut", &too_long] {
        let answer = api.get_with("/gpu/metrics", &[("x-request-id", id)]).await;
        assert_ne!(answer.header("x-request-id"), id);
        assert!(!answer.header("x-request-id").is_empty());
    }
}

#[actix_web::test]
async fn a_panic_is_a_500_and_the_next_request_is_answered() {
    async fn panics() -> HttpResponse {
        panic!("made up")
    }
    let api = Api::over(healthy(1));
    let app = App::new()
        .app_data(api.state.clone())
        .route("/panics", web::get().to(panics))
        .route("/fine", web::get().to(HttpResponse::Ok))
        .wrap_fn(request_log::observe);
    let service = init_service(app).await;
    let request = TestRequest::with_uri("/panics").insert_header(("x-request-id", "mine"));
    let error = try_call_service(&service, request.to_request())
        .await
        .unwrap_err();
    let response = error.error_response();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers().get("x-request-id").unwrap(), "mine");
    let body = to_bytes(response.into_body()).await.unwrap_or_default();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["detail"], "Internal Server Error");
    let fine = TestRequest::with_uri("/fine").send_request(&service).await;
    assert_eq!(fine.status(), StatusCode::OK);
    let counted = api.cache.counters().read().http.requests;
    let statuses: Vec<_> = counted.iter().map(|count| (count.status, count.count)).collect();
    assert_eq!(statuses, [(Some(200), 1), (Some(500), 1)]);
}
