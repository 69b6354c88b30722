//! The history as clients read it: columns, gaps, GPUs that are gone, mistakes.

use std::sync::Arc;

use actix_web::http::StatusCode;
use gpulse_aggregator::{History, HistorySettings, Tier};
use gpulse_models::{Percent, Reading, Timed, example};
use serde_json::{Value, json};

use super::{Api, healthy};

/// What the example in the document asks for.
pub(super) const EXAMPLE: &str =
    "/api/v1/history?metric=load.gpu_percent,power.draw_watts&gpu=0&from=1800000000&to=1800000006&step=2s";

/// An empty one.
pub(super) fn kept() -> History {
    let tiers = [(1, 3_600), (10, 21_600), (60, 86_400)];
    let settings = HistorySettings {
        tiers: tiers.map(|(step, keep)| Tier { step, keep }).to_vec(),
        max_bytes: 1 << 24,
        disk: None,
    };
    History::start(settings).unwrap()
}

/// What a GPU did in some seconds; nothing where it was not read.
fn fill(history: &History, gpu: u32, loads: &[Option<f64>]) {
    let mut second = example::at().as_second();
    for load in loads {
        if let Some(load) = load {
            let at = gpulse_models::Timestamp::from_second(second).unwrap();
            let mut sample = example::sample();
            sample.taken_at = at;
            let mut group = Timed::clone(&sample.load);
            group.read_at = Some(at);
            group.readings.gpu_percent = Reading::Value(Percent(*load));
            sample.load = Arc::new(group);
            let mut snapshot = example::gpu(gpu);
            snapshot.sample = Some(Arc::new(sample));
            history.take(&snapshot);
        }
        second += 1;
    }
    history.tick(second + 10);
}

/// A GPU that was not read for two seconds, and one that is gone.
pub(super) fn eventful() -> Api {
    let history = kept();
    fill(
        &history,
        0,
        &[Some(10.0), Some(20.0), None, None, Some(30.0), None],
    );
    fill(&history, 7, &[Some(50.0)]);
    Api::with_history(healthy(2), Some(history))
}

async fn ask(query: &str) -> Value {
    let answer = eventful().get(&format!("/api/v1/history?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {:?}", answer.body);
    answer.json()
}

#[actix_web::test]
async fn series_are_columns_over_one_axis() {
    let body = ask("metric=load.gpu_percent&gpu=0&from=1800000000&to=1800000006&step=1s").await;
    assert_eq!(
        body["times"],
        json!([
            1_800_000_000,
            1_800_000_001,
            1_800_000_002,
            1_800_000_003,
            1_800_000_004,
            1_800_000_005
        ])
    );
    assert_eq!(
        (&body["step_seconds"], &body["tier_seconds"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(body["from"], "2027-01-15T08:00:00Z");
    assert_eq!(body["to"], "2027-01-15T08:00:06Z");
    let series = &body["series"][0];
    assert_eq!(
        series["gpu"],
        json!({"index": 0, "uuid": example::facts(0).id.as_str()})
    );
    assert_eq!(
        (&series["metric"], &series["unit"]),
        (&json!("load.gpu_percent"), &json!("percent"))
    );
    assert_eq!(series["mean"], json!([10.0, 20.0, null, null, 30.0, null]));
    let body = ask("metric=load.gpu_percent&gpu=0&from=1800000000&to=1800000006&step=2s").await;
    let series = &body["series"][0];
    assert_eq!(series["mean"], json!([15.0, null, 30.0]));
    assert_eq!(series["min"], json!([10.0, null, 30.0]));
    assert_eq!(series["max"], json!([20.0, null, 30.0]));
}

#[actix_web::test]
async fn all_gpus_are_those_of_the_roster_and_those_that_are_gone() {
    let body = ask("metric=load.gpu_percent&from=1800000000&to=1800000001").await;
    let series = body["series"].as_array().unwrap();
    let of = |place: usize| {
        (
            series[place]["gpu"]["index"].as_u64(),
            series[place]["mean"][0].as_f64(),
        )
    };
    assert_eq!(series.len(), 3);
    assert_eq!(
        (of(0), of(1), of(2)),
        ((Some(0), Some(10.0)), (Some(1), None), (Some(7), Some(50.0)))
    );
    let uuid = example::facts(7).id;
    let body = ask(&format!(
        "metric=load.gpu_percent&gpu={uuid},1,{uuid}&from=1800000000&to=1800000001"
    ))
    .await;
    let series = body["series"].as_array().unwrap();
    let indices: Vec<_> = series
        .iter()
        .map(|series| series["gpu"]["index"].as_u64())
        .collect();
    assert_eq!(indices, [Some(7), Some(1)]);
}

#[actix_web::test]
async fn what_cannot_be_answered_says_what_to_do() {
    let api = eventful();
    for (query, status, word) in [
        ("", 422, "/api/v1/history/metrics"),
        ("?metric=load.gpu", 422, "load.gpu_percent"),
        ("?metric=load.gpu_percent&gpu=3", 404, "not found"),
        ("?metric=load.gpu_percent&step=1s&from=0", 422, "longer step"),
    ] {
        let answer = api.get(&format!("/api/v1/history{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
        assert!(
            answer.json()["detail"].to_string().contains(word),
            "{query}: {}",
            answer.json()
        );
    }
}

#[actix_web::test]
async fn an_agent_that_keeps_none_says_so() {
    let off = Api::with_history(healthy(1), None);
    let answer = off.get("/api/v1/history?metric=load.gpu_percent").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains("history.enabled"), "{detail}");
    let answer = off.get("/api/v1/history/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert_eq!(
        (&body["enabled"], &body["metrics"], &body["tiers"]),
        (&json!(false), &json!([]), &json!([]))
    );
}

#[actix_web::test]
async fn what_is_kept_is_listed() {
    let body = eventful().get("/api/v1/history/metrics").await.json();
    assert_eq!(body["enabled"], true);
    let metrics = body["metrics"].as_array().unwrap();
    let draw = metrics
        .iter()
        .find(|metric| metric["path"] == "power.draw_watts")
        .unwrap();
    assert_eq!((&draw["unit"], &draw["kind"]), (&json!("watts"), &json!("gauge")));
    assert_eq!(
        body["tiers"][0],
        json!({"step_seconds": 1, "kept_seconds": 3_600, "begins": "2027-01-15T08:00:00Z"})
    );
    let (bytes, most) = (
        body["bytes"].as_u64().unwrap(),
        body["max_bytes"].as_u64().unwrap(),
    );
    assert!(0 < bytes && bytes < most);
}
