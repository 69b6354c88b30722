//! Who is on the GPUs.

use std::sync::Arc;

use actix_web::http::StatusCode;
use gpulse_models::{
    Bytes, GpuProcess, Identity, OtherProcesses, ProcessList, ProcessTable, Reading, Reason, Timed, example,
};
use serde_json::{Value, json};

use super::{Api, gpu_with, keys, lost};

fn table(list: Reading<ProcessList>) -> Arc<Timed<ProcessTable>> {
    Arc::new(Timed {
        read_at: Some(example::at()),
        readings: ProcessTable { list },
    })
}

fn with_processes(index: u32, list: Reading<ProcessList>) -> gpulse_models::GpuSnapshot {
    gpu_with(index, |sample| sample.processes = table(list))
}

fn crowd() -> ProcessList {
    let first = example::processes().processes.remove(0);
    let second = GpuProcess {
        pid: 4343,
        used_memory: Reading::Unavailable(Reason::NotSupported),
        utilization: Reading::Value(None),
        identity: Identity::NotHere,
        ..first.clone()
    };
    ProcessList {
        processes: vec![first, second],
        other: Some(OtherProcesses {
            count: 7,
            used_memory: Reading::Value(Bytes(5)),
            count_without_memory: 1,
            brief: Vec::new(),
        }),
    }
}

#[actix_web::test]
async fn every_process_has_a_row_with_its_gpu_and_its_own_gaps() {
    let host = example::host([
        with_processes(0, Reading::Value(crowd())),
        with_processes(1, Reading::Unavailable(Reason::NoPermission)),
        lost(2),
    ]);
    let answer = Api::over(host).get("/api/v1/processes").await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    let rows = body["processes"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let row = &rows[1];
    assert_eq!((&row["pid"], &row["gpu_index"]), (&json!(4343), &json!(0)));
    assert_eq!(row["gpu_uuid"], example::facts(0).id.as_str());
    assert_eq!(row["memory_used_bytes"], Value::Null);
    assert_eq!(row["unavailable"], json!({"memory_used_bytes": "not_supported"}));
    assert_eq!(
        (&row["identity"], &row["user"]),
        (&json!("not_here"), &Value::Null)
    );
    assert_eq!(rows[0]["unavailable"], json!({}));
    let gpus = body["gpus"].as_array().unwrap();
    assert_eq!(
        (&gpus[0]["count"], &gpus[0]["other"]["count"]),
        (&json!(9), &json!(7))
    );
    assert_eq!(gpus[0]["read_at"], "2027-01-15T08:00:00Z");
    for (gpu, reason) in [(&gpus[1], "no_permission"), (&gpus[2], "gpu_lost")] {
        let unavailable = json!({"count": reason, "other": reason, "processes": reason});
        assert_eq!(gpu["unavailable"], unavailable);
        assert_eq!(
            (&gpu["count"], &gpu["other"]["count"]),
            (&Value::Null, &Value::Null)
        );
    }
    assert_eq!(gpus[2]["read_at"], Value::Null);
}

#[actix_web::test]
async fn the_processes_of_one_gpu_are_those_among_all() {
    let api = Api::over(example::host([
        with_processes(0, Reading::Value(crowd())),
        lost(1),
    ]));
    let all = api.get("/api/v1/processes").await.json();
    let one = api.get("/api/v1/gpus/0/processes").await.json();
    for (row, among) in one["processes"]
        .as_array()
        .unwrap()
        .iter()
        .zip(all["processes"].as_array().unwrap())
    {
        for key in keys(row) {
            assert_eq!(row[key], among[key], "{key}");
        }
    }
    assert_eq!(one["generation"], all["generation"]);
    for key in keys(&all["gpus"][0]) {
        assert_eq!(one[key], all["gpus"][0][key], "{key}");
    }
    let lost = api.get("/api/v1/gpus/1/processes").await;
    assert_eq!(
        (lost.status, &lost.json()["processes"]),
        (StatusCode::OK, &Value::Null)
    );
    assert_eq!(lost.json()["unavailable"]["processes"], "gpu_lost");
}
