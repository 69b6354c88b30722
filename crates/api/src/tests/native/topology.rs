//! How the GPUs are joined.

use gpulse_models::{HostSnapshot, Reading, Reason, example};
use serde_json::{Value, json};

use super::{Api, healthy, lost, pending};

#[actix_web::test]
async fn every_gpu_and_every_pair_is_there() {
    let body = Api::over(healthy(3)).get("/api/v1/topology").await.json();
    assert_eq!(body["gpus"].as_array().unwrap().len(), 3);
    assert_eq!(body["pairs"].as_array().unwrap().len(), 3);
    assert_eq!(body["gpus"][1]["pci_bus_id"], "00000000:02:00.0");
    assert_eq!(body["gpus"][1]["cpu_affinity"], "0-31");
    let pair = &body["pairs"][2];
    assert_eq!(
        (&pair["first"], &pair["second"], &pair["nvlinks"]),
        (&json!(1), &json!(2), &json!(2))
    );
    assert_eq!(body["read_at"], "2027-01-15T08:00:00Z");
    assert_eq!(body["unavailable"], json!({}));
}

#[actix_web::test]
async fn a_topology_that_was_not_read_names_every_gap() {
    let host = HostSnapshot {
        topology: Reading::Unavailable(Reason::Timeout),
        ..healthy(2)
    };
    let body = Api::over(host).get("/api/v1/topology").await.json();
    assert_eq!(
        (&body["read_at"], &body["unavailable"]["read_at"]),
        (&Value::Null, &json!("timeout"))
    );
    assert_eq!(body["gpus"][0]["numa_node"], 0);
    assert_eq!(body["pairs"][0]["p2p_read"], Value::Null);
    assert_eq!(body["pairs"][0]["nvlinks"], 2);
    for path in [
        "gpus.0.cpu_affinity",
        "gpus.1.memory_affinity",
        "pairs.0.common_ancestor",
    ] {
        assert_eq!(body["unavailable"][path], "timeout", "{path}");
    }
}

#[actix_web::test]
async fn gpus_that_cannot_be_asked_are_there_with_their_reason() {
    let api = Api::over(example::host([example::gpu(0), lost(1), pending(2)]));
    let body = api.get("/api/v1/topology").await.json();
    assert_eq!(body["gpus"][1]["uuid"], example::facts(1).id.as_str());
    assert_eq!(
        (&body["gpus"][2]["uuid"], &body["gpus"][2]["index"]),
        (&Value::Null, &json!(2))
    );
    assert_eq!(body["unavailable"]["gpus.2.uuid"], "not_ready");
    assert_eq!(body["unavailable"]["pairs.0.nvlinks"], "gpu_lost");
}
