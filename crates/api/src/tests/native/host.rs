//! The host as a whole.

use std::sync::Arc;

use actix_web::http::StatusCode;
use gpulse_models::{HostSnapshot, Inventory, example};
use serde_json::{Value, json};

use super::{Api, DriverReason, healthy, hung, keys, lost, pending, without_driver};
use crate::routes::v1::vocabulary;

async fn host(api: &Api) -> Value {
    let answer = api.get("/api/v1/host").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

#[actix_web::test]
async fn totals_are_over_what_is_known_and_name_what_is_not() {
    let api = Api::over(example::host([example::gpu(0), hung(1), lost(2), pending(3)]));
    let body = host(&api).await;
    let gpus = json!({"total": 4, "ok": 1, "stale": 0, "hung": 1, "lost": 1, "unavailable": 1});
    assert_eq!(body["gpus"], gpus);
    assert_eq!(body["totals"]["power_draw_watts"], 350.0);
    assert_eq!(body["totals"]["mean_gpu_percent"], 75.0);
    assert_eq!(body["totals"]["memory_used_bytes"], 40_u64 << 30);
    assert_eq!(body["totals"]["counted"]["power_draw_watts"], 1);
    assert_eq!(body["unavailable"]["totals.power_draw_watts"], "timeout");
}

#[actix_web::test]
async fn with_every_gpu_well_there_is_no_gap() {
    let body = host(&Api::over(healthy(3))).await;
    assert_eq!(body["unavailable"], json!({}));
    assert_eq!(body["totals"]["counted"]["mean_gpu_celsius"], 3);
    assert_eq!(
        (&body["driver"]["status"], &body["driver"]["reason"]),
        (&json!("ready"), &Value::Null)
    );
    assert_eq!(body["driver"]["library"], "libnvidia-ml.so.1");
}

#[actix_web::test]
async fn without_a_driver_the_host_says_why_and_no_total_is_zero() {
    for snapshot in [
        without_driver(DriverReason::VersionMismatch),
        HostSnapshot::starting(example::at()),
    ] {
        let body = host(&Api::over(snapshot)).await;
        let driver = &body["driver"];
        let expected = match driver["status"].as_str().unwrap() {
            "starting" => "starting",
            _ => "version_mismatch",
        };
        assert_eq!(driver["reason"], expected);
        assert!(driver["hint"].is_string() && driver["message"].is_string());
        assert_eq!(
            (&driver["driver_version"], &driver["simulated"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(body["unavailable"]["driver.driver_version"], "not_ready");
        assert_eq!(body["totals"]["power_draw_watts"], Value::Null);
        assert_eq!(body["unavailable"]["totals.power_draw_watts"], "not_ready");
        assert_eq!(body["gpus"]["total"], 0);
    }
}

#[actix_web::test]
async fn events_are_added_up_over_the_gpus() {
    let body = host(&crate::tests::events::eventful()).await;
    assert_eq!(body["events"]["kinds"], json!({"gpu_state": 1, "xid": 2}));
    assert_eq!(body["events"]["xids"], json!({"31": 1, "79": 1}));
    assert_eq!(body["events"]["unwatched"], json!({}));
}

#[actix_web::test]
async fn the_instance_is_that_of_the_process_on_every_route() {
    let (before, after) = (Api::over(healthy(1)), Api::over(healthy(1)));
    let instance = host(&before).await["agent"]["instance"].clone();
    assert_eq!(before.get("/api/v1/events").await.json()["instance"], instance);
    assert_eq!(host(&before).await["agent"]["instance"], instance);
    assert_ne!(host(&after).await["agent"]["instance"], instance);
    let tag = before.get("/api/v1/gpus").await.header("etag").to_owned();
    assert!(tag.contains(instance.as_str().unwrap()), "{tag}");
}

#[actix_web::test]
async fn the_vocabulary_is_that_of_the_body() {
    let body = host(&Api::over(healthy(1))).await;
    for word in &*vocabulary::HOST {
        let mut known: Vec<_> = word.below().iter().map(|below| below.key()).collect();
        known.sort_unstable();
        assert_eq!(keys(&body[word.key()]), known, "{}", word.key());
    }
    assert_eq!(keys(&body).len(), vocabulary::HOST.len() + 3);
}

#[actix_web::test]
async fn gpus_that_the_driver_does_not_know_are_named() {
    let mut snapshot = healthy(2);
    let mut inventory = example::inventory(4);
    if let Ok(devices) = &mut inventory.devices {
        devices[3].driver = None;
        devices[3].device_id = None;
    }
    snapshot.inventory = Arc::new(inventory);
    let body = host(&Api::over(snapshot)).await;
    let missing = json!([
        {"pci_bus_id": "00000000:03:00.0", "device_id": "0x2331", "driver": "nvidia"},
        {"pci_bus_id": "00000000:04:00.0", "device_id": null, "driver": null},
    ]);
    assert_eq!(
        body["expected"],
        json!({"count": 4, "found": 2, "missing": missing})
    );
    assert_eq!(
        body["unavailable"],
        json!({"expected.missing.1.device_id": "error"})
    );
}

#[actix_web::test]
async fn what_there_should_be_is_unknown_with_its_reason() {
    let mut snapshot = healthy(2);
    snapshot.inventory = Arc::new(Inventory::unread());
    let api = Api::over(snapshot);
    let body = host(&api).await;
    assert_eq!(
        body["expected"],
        json!({"count": null, "found": null, "missing": null})
    );
    assert_eq!(body["unavailable"]["expected.missing"], "not_ready");
    let some = api.get("/api/v1/host?fields=expected.count").await.json();
    assert_eq!(some["unavailable"], json!({"expected.count": "not_ready"}));
}
