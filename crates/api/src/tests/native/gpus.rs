//! What is shown of a GPU, and what is said of what is not.

use actix_web::http::StatusCode;
use gpulse_models::{
    Activity, Fan, GpuState, HostSnapshot, Power, Reading, Reason, Thermal, Timed, Watts,
    catalogue::{Catalogued as _, Group},
    example,
};
use serde_json::{Value, json};

use super::{Api, REASONS, at, gpu_with, healthy, hung, keys, lost, pending, without_driver};

fn read<T>(readings: T) -> std::sync::Arc<Timed<T>> {
    std::sync::Arc::new(Timed {
        read_at: Some(example::at()),
        readings,
    })
}

async fn one(gpu: gpulse_models::GpuSnapshot) -> Value {
    let answer = Api::over(example::host([gpu])).get("/api/v1/gpus/0").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

/// Every path at which `value` holds null, but for what null answers: no error, no process in an instance.
fn nulls(value: &Value, path: &str, found: &mut Vec<String>) {
    let mut look = |step: &str, value: &Value| {
        let path = if path.is_empty() {
            step.to_owned()
        } else {
            format!("{path}.{step}")
        };
        nulls(value, &path, found);
    };
    match value {
        Value::Null => found.push(path.to_owned()),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(place, value)| look(&place.to_string(), value)),
        Value::Object(map) => map.iter().for_each(|(key, value)| look(key, value)),
        _ => {}
    }
}

#[actix_web::test]
async fn every_group_is_there_with_every_key_in_the_order_of_the_tables() {
    let body = Api::over(healthy(2)).get("/api/v1/gpus").await;
    let text = String::from_utf8(body.body.to_vec()).unwrap();
    let mut from = 0;
    for group in Group::ALL {
        let found = text[from..].find(&format!("\"{}\":{{", group.as_str()));
        from += found.unwrap_or_else(|| panic!("{group:?} is not there, or not in its place"));
    }
    let body = body.json();
    assert_eq!(
        (&body["generation"], body["gpus"].as_array().unwrap().len()),
        (&json!(1), 2)
    );
    for group in Group::ALL {
        let shown = &body["gpus"][1][group.as_str()];
        for metric in group.metrics() {
            assert!(shown.get(metric.key).is_some(), "{group:?} {}", metric.key);
        }
        assert_eq!(
            shown.get("read_at").is_some(),
            group.is_configurable(),
            "{group:?}"
        );
    }
}

#[actix_web::test]
async fn values_are_those_of_the_sample() {
    let body = one(example::gpu(0)).await;
    for (path, value) in [
        ("power.draw_watts", json!(350.0)),
        ("memory.total_bytes", json!(80_u64 << 30)),
        ("thermal.fans.1.speed_rpm", json!(2400)),
        ("nvlink.links.1.remote_pci_bus_id", json!("00000000:C1:00.0")),
        ("clocks.performance_state", json!("P0")),
        ("clocks.event_reasons", json!(["sw_power_cap"])),
        ("processes.processes.0.user", json!("ada")),
        ("identity.pci_bus_id", json!("00000000:01:00.0")),
        ("modes.persistence", json!(true)),
        ("load.read_at", json!("2027-01-15T08:00:00Z")),
        ("sampled_at", json!("2027-01-15T08:00:00Z")),
        ("last_error", Value::Null),
        ("sessions.vgpus", json!([])),
    ] {
        assert_eq!(at(&body, path), &value, "{path}");
    }
}

#[actix_web::test]
async fn what_is_absent_is_null_and_named_once() {
    let gpu = gpu_with(0, |sample| {
        sample.activity = Timed::absent(Reason::Disabled);
        sample.power = read(Power {
            draw_watts: Reading::Value(Watts(5.0)),
            ..Power::absent(Reason::NotSupported)
        });
        sample.thermal = read(Thermal {
            fans: Reading::Value(vec![Fan {
                index: Reading::Value(0),
                speed_rpm: Reading::Unavailable(Reason::FunctionNotFound),
                ..Fan::absent(Reason::NoPermission)
            }]),
            ..Thermal::absent(Reason::Timeout)
        });
    });
    let body = one(gpu).await;
    let unavailable = &body["unavailable"];
    for (path, reason) in [
        ("activity", "disabled"),
        ("power.instant_watts", "not_supported"),
        ("power.interval", "not_supported"),
        ("thermal.gpu_celsius", "timeout"),
        ("thermal.fans.0.speed_rpm", "function_not_found"),
        ("thermal.fans.0.policy", "no_permission"),
    ] {
        assert_eq!(unavailable[path], reason, "{path}");
    }
    for path in [
        "power",
        "power.draw_watts",
        "power.interval.mean_watts",
        "activity.sm_percent",
    ] {
        assert_eq!(unavailable.get(path), None, "{path}");
    }
    assert_eq!(at(&body, "activity.read_at"), &Value::Null);
    assert_eq!(keys(&body["activity"]).len(), Activity::METRICS.len() + 1);
    assert_eq!(at(&body, "power.interval.p95_watts"), &Value::Null);
}

#[actix_web::test]
async fn every_null_has_a_reason_at_its_path_or_above_it_and_every_reason_a_null() {
    for gpu in [
        example::gpu(0),
        gpu_with(0, |sample| sample.power = Timed::absent(Reason::Timeout)),
        lost(0),
    ] {
        let body = one(gpu).await;
        let mut found = Vec::new();
        nulls(&body, "", &mut found);
        let reasons = keys(&body["unavailable"]);
        let is_answer = |path: &str| {
            path == "last_error"
                || path.ends_with("read_at")
                || path.starts_with("pods.") && path.ends_with("mig_uuid")
                || path.starts_with("processes.processes.") && path.contains("instance_id")
                || ["pod_uid", "slurm_job_id", "slurm_step"]
                    .iter()
                    .any(|key| path.ends_with(key))
        };
        for path in found.iter().filter(|path| !is_answer(path)) {
            let covering = reasons
                .iter()
                .filter(|reason| *path == **reason || path.starts_with(&format!("{reason}.")));
            assert_eq!(covering.count(), 1, "{path}");
        }
        for reason in reasons {
            let mut below = Vec::new();
            nulls(at(&body, reason), reason, &mut below);
            assert!(!below.is_empty(), "{reason} is no null");
        }
    }
}

#[actix_web::test]
async fn a_lost_gpu_is_there_with_what_it_is_and_nothing_of_what_it_does() {
    let answer = Api::over(example::host([lost(0)])).get("/api/v1/gpus/0").await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert_eq!(body["state"], "lost");
    assert_eq!(body["last_error"]["reason"], "gpu_lost");
    assert_eq!(body["last_error"]["call"], "nvmlDeviceGetPowerUsage");
    assert_eq!(body["identity"]["name"], "NVIDIA Example");
    assert_eq!(
        (&body["sampled_at"], &body["power"]["draw_watts"]),
        (&Value::Null, &Value::Null)
    );
    for group in Group::ALL {
        let reason = body["unavailable"].get(group.as_str());
        let expected = group.is_configurable().then(|| json!("gpu_lost"));
        assert_eq!(reason, expected.as_ref(), "{group:?}");
    }
}

#[actix_web::test]
async fn a_gpu_that_never_said_who_it_is_has_no_uuid_and_says_why() {
    let body = one(pending(0)).await;
    assert_eq!((&body["uuid"], &body["index"]), (&Value::Null, &json!(0)));
    assert_eq!(
        (&body["state"], &body["sequence"]),
        (&json!("unavailable"), &json!(0))
    );
    for path in ["uuid", "sampled_at", "identity", "limits", "load", "processes"] {
        assert_eq!(body["unavailable"][path], "not_ready", "{path}");
    }
    let mut hung_first = hung(0);
    (hung_first.facts, hung_first.sample) = (None, None);
    let body = one(hung_first).await;
    assert_eq!(body["unavailable"]["uuid"], "timeout");
    assert_eq!(body["unavailable"]["mig"], "timeout");
}

#[actix_web::test]
async fn a_hung_gpu_shows_its_last_sample_with_its_time() {
    let body = one(hung(0)).await;
    assert_eq!(
        (&body["state"], &body["power"]["draw_watts"]),
        (&json!("hung"), &json!(350.0))
    );
    assert_eq!(body["sampled_at"], "2027-01-15T08:00:00Z");
    assert_eq!(body["last_error"]["reason"], "timeout");
}

#[actix_web::test]
async fn a_number_that_json_does_not_have_is_an_error_and_no_silent_null() {
    let gpu = gpu_with(0, |sample| {
        sample.power = read(Power {
            draw_watts: Reading::Value(Watts(f64::NAN)),
            ..sample.power.readings.clone()
        });
    });
    let body = one(gpu).await;
    assert_eq!(body["power"]["draw_watts"], Value::Null);
    assert_eq!(body["unavailable"]["power.draw_watts"], "error");
}

#[actix_web::test]
async fn one_gpu_is_the_same_as_among_all() {
    let api = Api::over(example::host([example::gpu(0), lost(1), pending(2)]));
    let all = api.get("/api/v1/gpus").await.json();
    for place in 0..3 {
        let mut one = api.get(&format!("/api/v1/gpus/{place}")).await.json();
        let object = one.as_object_mut().unwrap();
        assert_eq!(object.remove("generation"), Some(json!(1)));
        assert_eq!(object.remove("published_at"), Some(json!("2027-01-15T08:00:00Z")));
        assert_eq!(one, all["gpus"][place]);
    }
}

#[actix_web::test]
async fn mistakes_are_looked_for_in_their_order() {
    let down = Api::over(without_driver(super::DriverReason::DriverNotLoaded));
    let blank = Api::over(example::host([pending(0)]));
    for tail in ["", "/processes"] {
        for (api, name, status) in [
            (&down, "abc", 422),
            (&down, "7", 503),
            (&blank, "abc", 422),
            (&blank, "7", 404),
            (&blank, "-1", 404),
            (&blank, "0", 200),
        ] {
            let answer = api.get(&format!("/api/v1/gpus/{name}{tail}")).await;
            assert_eq!(answer.status, status, "{name}{tail}");
        }
        let wrong = down.get(&format!("/api/v1/gpus/7{tail}?fields=nonsense")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let answer = blank.get("/api/v1/gpus/abc").await.json();
    assert_eq!(answer["detail"][0]["loc"], json!(["path", "gpu"]));
    let long = "x".repeat(5_000);
    for name in [long.clone(), format!("GPU-{long}")] {
        let answer = blank.get(&format!("/api/v1/gpus/{name}")).await;
        assert!(answer.body.len() < 1_000, "{} bytes", answer.body.len());
    }
}

#[actix_web::test]
async fn a_gpu_goes_by_index_uuid_and_pci_bus_id() {
    let api = Api::over(healthy(3));
    let uuid = example::facts(1).id;
    for name in ["1", "+1", "01", uuid.as_str(), "0000:02:00.0", "02%3A00.0"] {
        for tail in ["", "/processes", "?fields=state"] {
            let answer = api.get(&format!("/api/v1/gpus/{name}{tail}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{name}{tail}");
            assert_eq!(answer.json()["index"], 1, "{name}{tail}");
        }
    }
}

#[actix_web::test]
async fn without_a_driver_there_are_no_gpus_and_a_true_reason() {
    for reason in REASONS {
        let api = Api::over(without_driver(reason));
        for path in super::SHARED {
            let answer = api.get(path).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(answer.json()["reason"], reason.as_str(), "{path}");
            assert_eq!(answer.header("retry-after"), "10", "{path}");
        }
    }
    let starting = Api::over(HostSnapshot::starting(example::at()));
    let answer = starting.get("/api/v1/gpus").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    let none = Api::over(healthy(0)).get("/api/v1/gpus").await;
    assert_eq!((none.status.as_u16(), &none.json()["gpus"]), (200, &json!([])));
}

#[actix_web::test]
async fn a_stale_gpu_keeps_its_sample_and_one_that_gives_no_data_does_not() {
    for (state, is_shown) in [(GpuState::Stale, true), (GpuState::Unavailable, false)] {
        let mut gpu = example::gpu(0);
        gpu.health.state = state;
        let body = one(gpu).await;
        assert_eq!(body["load"]["gpu_percent"].is_number(), is_shown, "{state:?}");
    }
}
