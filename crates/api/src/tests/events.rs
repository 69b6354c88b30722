//! What happened, as clients read it: meaning, pages, one GPU, mistakes.

use actix_web::http::StatusCode;
use gpulse_models::{DriverReason, Event, EventGpu, EventKind, GpuState, MigInstance, example};
use serde_json::{Value, json};

use super::{Api, healthy, without_driver};

fn event(gpu: Option<u32>, kind: EventKind) -> Event {
    let gpu = gpu.map(|index| EventGpu {
        index,
        id: example::facts(index).id,
        instance: None,
    });
    Event {
        sequence: 0,
        at: example::at(),
        gpu,
        kind,
    }
}

/// Two GPUs, of which one fell off the bus and the other had a bad application.
pub(super) fn eventful() -> Api {
    let api = Api::over(healthy(2));
    let lost = EventKind::GpuState {
        before: GpuState::Ok,
        now: GpuState::Lost,
    };
    for (gpu, kind) in [
        (None, EventKind::Driver(None)),
        (Some(1), EventKind::Xid(Some(31))),
        (Some(0), EventKind::Xid(Some(79))),
        (Some(0), lost),
    ] {
        api.cache.log(event(gpu, kind));
    }
    api
}

async fn events(api: &Api, query: &str) -> Value {
    let answer = api.get(&format!("/api/v1/events{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}");
    assert_eq!(answer.header("cache-control"), "no-store", "{query}");
    answer.json()
}

fn numbers(body: &Value) -> Vec<u64> {
    let events = body["events"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["sequence"].as_u64().unwrap())
        .collect()
}

#[actix_web::test]
async fn an_xid_comes_with_its_meaning() {
    let body = events(&eventful(), "").await;
    let xid = &body["events"][2];
    assert_eq!((&xid["kind"], &xid["gpu_id"]), (&json!("xid"), &json!(0)));
    assert_eq!(xid["gpu_uuid"], example::facts(0).id.as_str());
    let xid = &xid["xid"];
    assert_eq!((&xid["code"], &xid["documented"]), (&json!(79), &json!(true)));
    assert_eq!(
        (&xid["severity"], &xid["action"]),
        (&json!("fatal"), &json!("reboot_node"))
    );
    assert!(xid["name"].as_str().unwrap().contains("fell off the bus"));
    assert!(xid["meaning"].as_str().unwrap().contains("PCI Express"));
}

#[actix_web::test]
async fn a_code_that_nobody_documents_says_so_and_a_missing_one_is_null() {
    let api = Api::over(healthy(1));
    api.cache.log(event(Some(0), EventKind::Xid(Some(4_711))));
    api.cache.log(event(Some(0), EventKind::Xid(None)));
    let body = events(&api, "").await;
    let xid = &body["events"][0]["xid"];
    assert_eq!((&xid["code"], &xid["documented"]), (&json!(4_711), &json!(false)));
    assert_eq!(xid["name"], "Not documented");
    assert_eq!(body["events"][1]["xid"], Value::Null);
    assert_eq!(body["counters"]["gpus"][0]["other_xids"], 1);
}

#[actix_web::test]
async fn states_driver_and_instances_have_keys_of_their_own() {
    let api = eventful();
    let down = EventKind::Driver(Some(DriverReason::DriverNotLoaded));
    api.cache.log(event(None, down));
    let mut instance = event(Some(0), EventKind::Xid(Some(31)));
    instance.gpu.as_mut().unwrap().instance = Some(MigInstance {
        gpu_instance: 7,
        compute_instance: Some(0),
    });
    api.cache.log(instance);
    let missing = EventKind::GpuMissing(example::gpu(2).pci_bus_id());
    api.cache.log(event(None, missing));
    let body = events(&api, "?after=3").await;
    let state = &body["events"][0];
    assert_eq!(
        (&state["kind"], &state["state_before"], &state["state"]),
        (&json!("gpu_state"), &json!("ok"), &json!("lost"))
    );
    let driver = &body["events"][1];
    assert_eq!(
        (&driver["kind"], &driver["gpu_id"]),
        (&json!("driver"), &Value::Null)
    );
    assert_eq!(driver["driver_reason"], "driver_not_loaded");
    let instance = &body["events"][2];
    assert_eq!(
        (&instance["gpu_instance_id"], &instance["compute_instance_id"]),
        (&json!(7), &json!(0))
    );
    let missing = &body["events"][3];
    assert_eq!(
        (&missing["kind"], &missing["gpu_id"], &missing["pci_bus_id"]),
        (&json!("gpu_missing"), &Value::Null, &json!("00000000:03:00.0"))
    );
    assert_eq!(driver["pci_bus_id"], Value::Null);
}

#[actix_web::test]
async fn pages_follow_each_other() {
    let api = eventful();
    let first = events(&api, "?limit=3").await;
    assert_eq!((numbers(&first), &first["next"]), (vec![1, 2, 3], &json!(3)));
    let second = events(&api, "?limit=3&after=3").await;
    assert_eq!((numbers(&second), &second["next"]), (vec![4], &json!(4)));
    let third = events(&api, "?limit=3&after=4").await;
    assert_eq!((numbers(&third), &third["next"]), (vec![], &json!(4)));
    assert_eq!(
        (&third["oldest"], &third["lost"], &third["generation"]),
        (&json!(1), &json!(0), &json!(1))
    );
}

#[actix_web::test]
async fn one_gpu_goes_by_any_of_its_names() {
    let api = eventful();
    let uuid = example::facts(1).id;
    for name in ["1", "02:00.0", "0000%3A02:00.0", uuid.as_str()] {
        let body = events(&api, &format!("?gpu={name}")).await;
        assert_eq!((numbers(&body), &body["next"]), (vec![2], &json!(4)), "{name}");
        assert_eq!(body["counters"]["gpus"].as_array().unwrap().len(), 1, "{name}");
        assert_eq!(body["counters"]["gpus"][0]["xids"], json!({"31": 1}), "{name}");
    }
}

#[actix_web::test]
async fn what_the_ring_forgot_is_counted() {
    let api = Api::over(healthy(1));
    for _ in 0..5_000 {
        api.cache.log(event(Some(0), EventKind::Xid(Some(31))));
    }
    let body = events(&api, "?after=4&limit=1").await;
    let oldest = body["oldest"].as_u64().unwrap();
    assert!(oldest > 5, "{oldest}");
    assert_eq!(body["lost"], oldest - 1 - 4);
    assert_eq!(numbers(&body), [oldest]);
    assert_eq!(body["counters"]["gpus"][0]["xids"]["31"], 5_000);
}

#[actix_web::test]
async fn without_a_driver_there_are_events_all_the_same() {
    let api = Api::over(without_driver(DriverReason::DriverNotLoaded));
    api.cache.log(event(
        None,
        EventKind::Driver(Some(DriverReason::DriverNotLoaded)),
    ));
    assert_eq!(numbers(&events(&api, "").await), [1]);
}

#[actix_web::test]
async fn a_parameter_that_is_not_understood_is_named_with_what_is_permitted() {
    let api = eventful();
    for (query, parameter, words) in [
        ("after=-1", "after", "from 0 to"),
        ("after=", "after", "from 0 to"),
        ("after=%2B1", "after", "from 0 to"),
        ("after=1e3", "after", "from 0 to"),
        ("after=99999999999999999999", "after", "from 0 to"),
        ("limit=0", "limit", "from 1 to 1000"),
        ("limit=1001", "limit", "from 1 to 1000"),
        ("limit=x", "limit", "from 1 to 1000"),
        ("gpu=abc", "gpu", "PCI bus id"),
        ("gpu=", "gpu", "PCI bus id"),
        ("after=1&after=2", "query", "twice"),
        ("ater=1", "query", "`after`, `limit` and `gpu`"),
    ] {
        let answer = api.get(&format!("/api/v1/events?{query}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(answer.header("cache-control"), "no-store", "{query}");
        let error = &answer.json()["detail"][0];
        assert_eq!(error["loc"], json!(["query", parameter]), "{query}");
        assert!(error["msg"].as_str().unwrap().contains(words), "{query}: {error}");
    }
    let unknown = api.get("/api/v1/events?gpu=7").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.json()["detail"], "GPU 7 not found (available: 0-1)");
}
