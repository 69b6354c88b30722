//! Status codes, error texts and their order.

use actix_web::http::{Method, StatusCode};
use gpulse_models::{HostSnapshot, example};

use super::{Api, BROWSER, REASONS, healthy, hung, lost, pending, without_driver};

const ROUTES: [&str; 20] = [
    "/gpu/info",
    "/gpu/metrics",
    "/gpu/metrics/0",
    "/health/",
    "/health",
    "/health/detailed",
    "/health/ready",
    "/health/live",
    "/",
    "/openapi.json",
    "/api/v1/events",
    "/api/v1/gpus",
    "/api/v1/gpus/0",
    "/api/v1/gpus/0/processes",
    "/api/v1/history?metric=load.gpu_percent",
    "/api/v1/history/metrics",
    "/api/v1/processes",
    "/api/v1/host",
    "/api/v1/topology",
    "/api/v1/targets",
];

#[actix_web::test]
async fn every_route_answers_with_json() {
    let api = Api::over(healthy(2));
    for path in ROUTES {
        let answer = api.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        // Prometheus wants a list of its targets.
        let is_list = path == "/api/v1/targets";
        assert!(
            if is_list {
                answer.json().is_array()
            } else {
                answer.json().is_object()
            },
            "{path}"
        );
        assert!(!answer.header("cache-control").is_empty(), "{path}");
    }
}

#[actix_web::test]
async fn any_other_method_is_refused_and_told_what_is_allowed() {
    let api = Api::over(healthy(1));
    for path in ROUTES.into_iter().chain(["/docs", "/docs/start.js"]) {
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::OPTIONS,
        ] {
            let answer = api.ask(method.clone(), path, &[]).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.header("allow"), "GET, HEAD", "{method} {path}");
            assert_eq!(answer.json()["detail"], "Method Not Allowed", "{method} {path}");
            assert_eq!(answer.header("cache-control"), "no-store", "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn an_unknown_path_is_not_found() {
    let api = Api::over(healthy(1));
    for path in [
        "/no/such/path",
        "/gpu",
        "/gpu/",
        "/gpu/metrics/",
        "/gpu/metrics/0/x",
        "/docs/secret",
        "/api/v1",
        "/api/v1/gpus/",
        "/api/v1/gpus/0/x",
        "/docs/../x",
    ] {
        let answer = api.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json()["detail"], "Not Found", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[actix_web::test]
async fn what_names_no_gpu_is_refused_in_the_known_shape() {
    let api = Api::over(healthy(1));
    for (path, input) in [
        ("abc", "abc"),
        ("1.5", "1.5"),
        ("%20", " "),
        ("1%2F2", "1/2"),
        ("0x1", "0x1"),
        ("gpu-0", "gpu-0"),
        ("%D9%A3", "٣"),
        ("-", "-"),
    ] {
        let answer = api.get(&format!("/gpu/metrics/{path}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let body = answer.json();
        let error = &body["detail"][0];
        assert_eq!(error["type"], "int_parsing", "{path}");
        assert_eq!(error["loc"], serde_json::json!(["path", "gpu_id"]), "{path}");
        assert_eq!(error["input"], input, "{path}");
        let message = error["msg"].as_str().unwrap();
        assert!(message.starts_with("Input should be a valid integer, unable to parse string as an integer"));
        assert!(
            message.contains("UUID") && message.contains("PCI bus id"),
            "{message}"
        );
    }
}

#[actix_web::test]
async fn a_gpu_goes_by_index_uuid_and_pci_bus_id() {
    let api = Api::over(healthy(3));
    let uuid = example::facts(1).id;
    for name in [
        "1",
        "+1",
        "%2B1",
        "01",
        uuid.as_str(),
        "0000:02:00.0",
        "00000000:02:00.0",
        "02:00.0",
        "02%3A00.0",
    ] {
        let answer = api.get(&format!("/gpu/metrics/{name}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert_eq!(answer.json()["gpu_id"], 1, "{name}");
    }
}

#[actix_web::test]
async fn a_gpu_that_is_not_there_is_not_found_and_the_others_are_named() {
    for (gpus, available) in [(8, "0-7"), (2, "0-1"), (1, "0-0"), (0, "none")] {
        let api = Api::over(healthy(gpus));
        for name in ["999", "-1", "4294967296", "GPU-none", "ff:00.0"] {
            let answer = api.get(&format!("/gpu/metrics/{name}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
            let detail = format!("GPU {name} not found (available: {available})");
            assert_eq!(answer.json()["detail"], detail);
        }
    }
}

#[actix_web::test]
async fn without_a_driver_the_known_texts_come_with_the_true_reason() {
    for reason in REASONS {
        let api = Api::over(without_driver(reason));
        for (path, detail) in [
            (
                "/gpu/metrics",
                "GPU metrics collection not available (no NVIDIA GPUs or pynvml not installed)",
            ),
            ("/gpu/metrics/0", "GPU metrics collection not available"),
            ("/gpu/metrics/-1", "GPU metrics collection not available"),
        ] {
            let answer = api.get(path).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            let body = answer.json();
            assert_eq!(body["detail"], detail, "{path}");
            assert_eq!(body["reason"], reason.as_str(), "{path}");
            assert!(body["hint"].is_string() && body["message"].is_string(), "{path}");
            assert_eq!(answer.header("retry-after"), "10", "{path}");
            assert_eq!(answer.header("etag"), "", "{path}");
        }
        assert_eq!(api.get("/gpu/info").await.status, StatusCode::OK);
    }
}

#[actix_web::test]
async fn before_the_first_initialisation_clients_are_asked_to_come_back_soon() {
    let api = Api::over(HostSnapshot::starting(example::at()));
    let answer = api.get("/gpu/metrics").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["reason"], "starting");
    assert_eq!(answer.header("retry-after"), "1");
}

#[actix_web::test]
async fn mistakes_are_looked_for_in_their_order() {
    let down = Api::over(without_driver(super::DriverReason::DriverNotLoaded));
    assert_eq!(
        down.get("/gpu/metrics/abc").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        down.get("/gpu/metrics/7").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let blank = Api::over(example::host([pending(0)]));
    assert_eq!(
        blank.get("/gpu/metrics/abc").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(blank.get("/gpu/metrics/7").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        blank.get("/gpu/metrics/0").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

#[actix_web::test]
async fn a_driver_without_gpus_is_an_empty_list() {
    let answer = Api::over(healthy(0)).get("/gpu/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["gpu_count"], 0);
    assert_eq!(answer.json()["gpus"], serde_json::json!([]));
}

#[actix_web::test]
async fn gpus_without_any_sample_are_an_error_that_names_them() {
    let api = Api::over(example::host([lost(0), pending(1)]));
    let answer = api.get("/gpu/metrics").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let body = answer.json();
    assert_eq!(body["detail"], "Failed to collect GPU metrics");
    assert_eq!(body["missing_gpus"][0]["reason"], "gpu_lost");
    assert_eq!(body["missing_gpus"][1]["reason"], "not_ready");
    let one = api.get("/gpu/metrics/1").await;
    assert_eq!(one.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(one.json()["detail"], "Failed to collect metrics for GPU 1");
    assert_eq!(one.json()["reason"], "not_ready");
}

#[actix_web::test]
async fn one_gpu_with_a_sample_is_enough() {
    let api = Api::over(example::host([lost(0), hung(1), pending(2)]));
    let body = api.get("/gpu/metrics").await.json();
    assert_eq!(
        (&body["gpu_count"], &body["gpus"][0]["gpu_id"]),
        (&1.into(), &1.into())
    );
    assert_eq!(body["gpus"][0]["state"], "hung");
    assert_eq!(body["missing_gpus"].as_array().unwrap().len(), 2);
    assert_eq!(api.get("/gpu/metrics/1").await.status, StatusCode::OK);
    assert_eq!(api.get("/gpu/metrics/0").await.json()["state"], "lost");
}

#[actix_web::test]
async fn a_browser_gets_the_dashboard_and_a_program_does_not() {
    let api = Api::over(healthy(1));
    let answer = api.get_with("/", &[("accept", BROWSER)]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    for accept in [
        "*/*",
        "application/json",
        "application/json, text/html",
        "text/html;q=0.5, application/json",
        "x",
    ] {
        let answer = api.get_with("/", &[("accept", accept)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{accept}");
        assert_eq!(answer.json()["agent"], "gpulse");
    }
}

#[actix_web::test]
async fn the_page_and_all_it_asks_for_come_from_here() {
    let api = Api::over(healthy(1));
    let page = api.get("/docs").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(!html.contains("//"), "an address of another server: {html}");
    for (asset, content_type) in [
        ("start.js", "text/javascript"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
        ("favicon-32x32.png", "image/png"),
    ] {
        assert!(html.contains(&format!("\"docs/{asset}\"")), "{asset}");
        let answer = api.get(&format!("/docs/{asset}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{asset}");
        assert!(answer.header("content-type").starts_with(content_type), "{asset}");
        assert!(!answer.body.is_empty(), "{asset}");
    }
    let from_folder = api.get("/docs/").await;
    assert_eq!(
        (from_folder.status.as_u16(), from_folder.header("location")),
        (308, "../docs")
    );
}
