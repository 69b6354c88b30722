//! `/health/…`: true of the snapshot, and of now.

use std::sync::Arc;

use actix_web::http::StatusCode;
use gpulse_models::{DriverReason, GpuState, HostSnapshot, Inventory, example};
use insta::assert_json_snapshot;

use super::{Answer, Api, healthy, hung, lost, pending, without_driver};

macro_rules! assert_health {
    ($name:literal, $answer:expr) => {
        assert_json_snapshot!($name, $answer.json(), {
            ".timestamp" => "[now]",
            ".uptime_seconds" => "[uptime]",
            ".components.gpus[].age_seconds" => insta::dynamic_redaction(|age, _| {
                if age.is_nil() { "[none]" } else { "[age]" }
            }),
        })
    };
}

#[actix_web::test]
async fn with_gpus() {
    let api = Api::over(healthy(2));
    assert_health!("health_with_gpus", api.get("/health/").await);
    assert_health!("detailed_with_gpus", api.get("/health/detailed").await);
}

#[actix_web::test]
async fn with_gpus_in_trouble() {
    let api = Api::over(example::host([lost(0), hung(1), pending(2)]));
    assert_health!("health_in_trouble", api.get("/health/").await);
    assert_health!("detailed_in_trouble", api.get("/health/detailed").await);
}

#[actix_web::test]
async fn without_a_driver() {
    let api = Api::over(without_driver(DriverReason::VersionMismatch));
    assert_health!("health_without_driver", api.get("/health/").await);
    assert_health!("detailed_without_driver", api.get("/health/detailed").await);
}

#[actix_web::test]
async fn while_starting() {
    let api = Api::over(HostSnapshot::starting(example::at()));
    assert_health!("health_starting", api.get("/health/").await);
    assert_health!("detailed_starting", api.get("/health/detailed").await);
}

#[actix_web::test]
async fn any_gpu_that_is_not_ok_degrades_the_agent() {
    for (state, expected) in [
        (GpuState::Ok, "healthy"),
        (GpuState::Stale, "degraded"),
        (GpuState::Hung, "degraded"),
        (GpuState::Lost, "degraded"),
        (GpuState::Unavailable, "degraded"),
    ] {
        let mut gpu = example::gpu(1);
        gpu.health.state = state;
        let answer = Api::over(example::host([example::gpu(0), gpu]))
            .get("/health/")
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["status"], expected, "{state:?}");
    }
}

#[actix_web::test]
async fn health_is_of_now_and_never_kept() {
    let api = Api::over(healthy(1));
    let (first, second) = (api.get("/health").await, api.get("/health").await);
    let uptime = |answer: &Answer| answer.json()["uptime_seconds"].as_f64().unwrap();
    assert!(uptime(&second) > uptime(&first));
    for path in ["/health/", "/health/detailed", "/health/ready", "/health/live"] {
        let answer = api.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("etag"), "", "{path}");
    }
}

#[actix_web::test]
async fn ready_once_every_gpu_was_heard_of_or_nvml_is_known_to_be_absent() {
    for (host, ready) in [
        (HostSnapshot::starting(example::at()), false),
        (example::host([example::gpu(0), pending(1)]), false),
        (example::host([example::gpu(0), lost(1)]), true),
        (healthy(0), true),
        (without_driver(DriverReason::LibraryNotFound), true),
    ] {
        let api = Api::over(host);
        let answer = api.get("/health/ready").await;
        let status = if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        assert_eq!(answer.status, status);
        assert_eq!(answer.json(), serde_json::json!({ "ready": ready }));
        assert_eq!(
            api.get("/health/live").await.json(),
            serde_json::json!({ "alive": true })
        );
    }
}

#[actix_web::test]
async fn requests_are_counted() {
    let api = Api::over(healthy(1));
    let total = async || api.get("/health/detailed").await.json()["metrics"]["requests_total"].as_u64();
    let (first, second) = (total().await, total().await);
    assert_eq!((first, second), (Some(1), Some(2)));
}

#[actix_web::test]
async fn a_missing_gpu_degrades_the_agent_but_not_its_readiness() {
    let mut host = healthy(2);
    host.inventory = Arc::new(example::inventory(3));
    let api = Api::over(host);
    let body = api.get("/health/detailed").await.json();
    assert_eq!(body["status"], "degraded");
    assert_eq!(
        body["components"]["inventory"],
        serde_json::json!({
            "status": "missing", "reason": null, "message": null,
            "gpus_expected": 3, "gpus_found": 2, "gpus_missing": 1, "missing": ["00000000:03:00.0"],
        })
    );
    assert_eq!(api.get("/health/ready").await.status, StatusCode::OK);
}

#[actix_web::test]
async fn what_there_should_be_is_unknown_and_that_degrades_nothing() {
    let mut host = healthy(2);
    host.inventory = Arc::new(Inventory::unread());
    let body = Api::over(host).get("/health/detailed").await.json();
    assert_eq!(body["status"], "healthy");
    let inventory = &body["components"]["inventory"];
    assert_eq!(
        (&inventory["status"], &inventory["reason"]),
        (&"unknown".into(), &"not_ready".into())
    );
    assert!(inventory["message"].is_string() && inventory["gpus_missing"].is_null());
}
