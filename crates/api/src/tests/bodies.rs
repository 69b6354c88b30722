//! Every body of the GPU routes, frozen.

use gpulse_models::{HostSnapshot, example};
use insta::assert_json_snapshot;

use super::{Api, REASONS, healthy, hung, lost, pending, without_driver};

#[actix_web::test]
async fn with_gpus() {
    let api = Api::over(healthy(2));
    assert_json_snapshot!("info_with_gpus", api.get("/gpu/info").await.json());
    assert_json_snapshot!("metrics_with_gpus", api.get("/gpu/metrics").await.json());
    assert_json_snapshot!("gpu_ok", api.get("/gpu/metrics/1").await.json());
}

#[actix_web::test]
async fn with_gpus_in_trouble() {
    let api = Api::over(example::host([lost(0), hung(1), pending(2)]));
    assert_json_snapshot!("info_in_trouble", api.get("/gpu/info").await.json());
    assert_json_snapshot!("metrics_in_trouble", api.get("/gpu/metrics").await.json());
    assert_json_snapshot!("gpu_lost", api.get("/gpu/metrics/0").await.json());
    assert_json_snapshot!("gpu_hung", api.get("/gpu/metrics/1").await.json());
    assert_json_snapshot!("gpu_pending", api.get("/gpu/metrics/2").await.json());
}

#[actix_web::test]
async fn without_gpus() {
    let api = Api::over(healthy(0));
    assert_json_snapshot!("info_without_gpus", api.get("/gpu/info").await.json());
    assert_json_snapshot!("metrics_without_gpus", api.get("/gpu/metrics").await.json());
    assert_json_snapshot!("gpu_without_gpus", api.get("/gpu/metrics/0").await.json());
}

#[actix_web::test]
async fn without_any_sample() {
    let api = Api::over(example::host([pending(0), lost(1)]));
    assert_json_snapshot!("metrics_without_samples", api.get("/gpu/metrics").await.json());
}

#[actix_web::test]
async fn without_a_driver() {
    for reason in REASONS {
        let api = Api::over(without_driver(reason));
        let name = |route: &str| format!("{route}_{}", reason.as_str());
        assert_json_snapshot!(name("info"), api.get("/gpu/info").await.json());
        assert_json_snapshot!(name("metrics"), api.get("/gpu/metrics").await.json());
        assert_json_snapshot!(name("gpu"), api.get("/gpu/metrics/0").await.json());
    }
}

#[actix_web::test]
async fn while_starting() {
    let api = Api::over(HostSnapshot::starting(example::at()));
    assert_json_snapshot!("info_starting", api.get("/gpu/info").await.json());
    assert_json_snapshot!("metrics_starting", api.get("/gpu/metrics").await.json());
    assert_json_snapshot!("gpu_starting", api.get("/gpu/metrics/0").await.json());
}

#[actix_web::test]
async fn mistakes() {
    let api = Api::over(healthy(2));
    assert_json_snapshot!("not_found", api.get("/nowhere").await.json());
    assert_json_snapshot!("not_a_gpu", api.get("/gpu/metrics/abc").await.json());
    assert_json_snapshot!("unknown_gpu", api.get("/gpu/metrics/999").await.json());
    let refused = api
        .get_with("/gpu/metrics", &[("accept-encoding", "identity;q=0")])
        .await;
    assert_json_snapshot!("not_acceptable", refused.json());
    let post = api.ask(actix_web::http::Method::POST, "/gpu/metrics", &[]).await;
    assert_json_snapshot!("method_not_allowed", post.json());
}

#[actix_web::test]
async fn the_agent_itself() {
    assert_json_snapshot!("root", Api::over(healthy(1)).get("/").await.json());
}
