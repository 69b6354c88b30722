//! Who holds which GPU, as far as the kubelet says it.

use std::sync::Arc;

use gpulse_models::{
    Absence, GpuSnapshot, HostSnapshot, Mig, MigDevice, PodAssignments, PodContainer, PodHolders, Reading,
    Reason, Timed, catalogue::Catalogued as _, example,
};
use serde_json::{Value, json};

use super::{Api, at, gpu_with, healthy, lost, pending};

const MIG: &str = "MIG-6f9d1d2c-7f3f-5f0a-9d2b-0d7e6c1f2a3b";

fn held(given: &[(&str, &str)]) -> PodAssignments {
    let mut holders = PodHolders::default();
    for (id, pod) in given {
        let holder = PodContainer {
            namespace: "default".to_owned(),
            pod: (*pod).to_owned(),
            container: "main".to_owned(),
        };
        holders.add(id.parse().unwrap(), holder);
    }
    PodAssignments::known(holders, example::at())
}

fn host(gpus: impl IntoIterator<Item = GpuSnapshot>, pods: PodAssignments) -> HostSnapshot {
    HostSnapshot {
        pods: Arc::new(pods),
        ..example::host(gpus)
    }
}

fn cut() -> GpuSnapshot {
    gpu_with(0, |sample| {
        sample.mig = Arc::new(Timed {
            read_at: Some(example::at()),
            readings: Mig {
                instances: Reading::Value(vec![MigDevice {
                    uuid: Reading::Value(MIG.to_owned()),
                    ..MigDevice::absent(Reason::NotSupported)
                }]),
                ..Mig::absent(Reason::NotSupported)
            },
        });
    })
}

fn row(pod: &str, mig_uuid: Option<&str>) -> Value {
    json!({"namespace": "default", "pod": pod, "container": "main", "mig_uuid": mig_uuid})
}

#[actix_web::test]
async fn a_gpu_has_its_holders_and_those_of_its_instances() {
    let pods = held(&[
        ("GPU-00000000-0000-0000-0000-000000000001", "b"),
        ("1", "x"),
        (MIG, "a"),
    ]);
    let shared = held(&[("nvidia1/vgpu0", "b"), ("nvidia1/vgpu1", "a")]);
    let api = Api::over(host([cut(), example::gpu(1), example::gpu(2)], pods));
    let body = api.get("/api/v1/gpus").await.json();
    assert_eq!(body["gpus"][0]["pods"], json!([row("a", Some(MIG))]));
    assert_eq!(body["gpus"][1]["pods"], json!([row("b", None)]));
    assert_eq!(body["gpus"][2]["pods"], json!([]));
    assert!(body["gpus"][2]["unavailable"].get("pods").is_none());
    let one = Api::over(host([example::gpu(1)], shared))
        .get("/api/v1/gpus/1")
        .await;
    assert_eq!(one.json()["pods"], json!([row("a", None), row("b", None)]));
}

#[actix_web::test]
async fn holders_can_be_selected() {
    let api = Api::over(host([cut()], held(&[(MIG, "a")])));
    let body = api.get("/api/v1/gpus/0?fields=pods.pod").await.json();
    assert_eq!(body["pods"], json!([{"pod": "a"}]));
    let body = api.get("/api/v1/gpus/0?fields=load").await.json();
    assert!(body.get("pods").is_none());
    let refused = api.get("/api/v1/gpus/0?fields=pods.0.pod").await;
    assert_eq!(refused.status, 422);
}

#[actix_web::test]
async fn holders_that_are_not_known_have_a_reason() {
    let absence = Absence::new(Reason::NoPermission, "kubelet.sock may not be opened");
    let api = Api::over(host([example::gpu(0)], PodAssignments::unknown(absence)));
    let body = api.get("/api/v1/gpus/0").await.json();
    assert_eq!(
        (&body["pods"], at(&body, "unavailable")["pods"].clone()),
        (&Value::Null, json!("no_permission"))
    );
    let body = api.get("/api/v1/host").await.json();
    assert_eq!(
        body["kubernetes"],
        json!({
            "read_at": null, "reason": "no_permission", "message": "kubelet.sock may not be opened",
            "held_devices": null, "omitted": null,
        })
    );
    assert_eq!(body["unavailable"]["kubernetes.held_devices"], "no_permission");
}

#[actix_web::test]
async fn a_gpu_that_has_not_said_its_name_may_be_held_by_it() {
    let api = Api::over(host([pending(0), lost(1)], held(&[("1", "job")])));
    let body = api.get("/api/v1/gpus").await.json();
    assert_eq!(body["gpus"][0]["pods"], Value::Null);
    assert_eq!(body["gpus"][0]["unavailable"]["pods"], "not_ready");
    assert_eq!(
        body["gpus"][1]["pods"],
        json!([row("job", None)]),
        "a lost GPU has its holder"
    );
}

#[actix_web::test]
async fn what_is_still_believed_is_shown_beside_the_failure() {
    let pods = PodAssignments {
        last_error: Some(Absence::new(Reason::Timeout, "words")),
        ..example::pods()
    };
    let api = Api::over(host([example::gpu(0)], pods));
    assert_eq!(
        api.get("/api/v1/gpus/0").await.json()["pods"][0]["pod"],
        "llama-0"
    );
    let body = api.get("/api/v1/host?fields=kubernetes").await.json();
    assert_eq!(
        body["kubernetes"],
        json!({
            "read_at": "2027-01-15T08:00:00Z", "reason": "timeout", "message": "words", "held_devices": 1, "omitted": 0,
        })
    );
    assert_eq!(body["unavailable"], json!({}));
}

#[actix_web::test]
async fn a_pod_that_comes_is_shown_though_its_gpu_says_nothing_new() {
    let api = Api::over(healthy(2));
    api.get("/api/v1/gpus").await;
    for (generation, pod) in [(2, "first"), (3, "second")] {
        let next = HostSnapshot {
            generation,
            pods: Arc::new(held(&[("1", pod)])),
            ..HostSnapshot::clone(&api.cache.host())
        };
        api.cache.replace(next);
        for (path, place) in [
            ("/api/v1/gpus", "/gpus/1/pods/0/pod"),
            ("/api/v1/gpus/1", "/pods/0/pod"),
        ] {
            let body = api.get(path).await.json();
            assert_eq!(body.pointer(place), Some(&json!(pod)), "{path}");
        }
    }
}
