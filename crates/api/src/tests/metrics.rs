//! What scrapers get: formats, profiles, and one rendering a generation.

use gpulse_models::{DriverReason, GpuState, example};

use super::{Answer, Api, healthy, hung, without_driver};

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

#[actix_web::test]
async fn the_client_says_which_format_it_wants() {
    let api = Api::over(healthy(2));
    let plain = api.get("/metrics").await;
    assert_eq!(
        plain.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert_eq!(plain.header("vary"), "accept, accept-encoding");
    assert!(!text(&plain).contains("# EOF"));
    let open = api
        .get_with(
            "/metrics",
            &[("accept", "application/openmetrics-text; version=1.0.0")],
        )
        .await;
    assert_eq!(
        open.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(text(&open).ends_with("\n# EOF\n"));
    let zipped = api.get_with("/metrics", &[("accept-encoding", "gzip")]).await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
}

#[actix_web::test]
async fn profiles_are_shown_as_asked_for() {
    let api = Api::over(healthy(1));
    let native = api.get("/metrics").await;
    assert!(text(&native).contains("\ngpulse_power_draw_watts{gpu=\"0\","));
    assert!(!text(&native).contains("DCGM_FI"));
    let both = api.get("/metrics?profile=dcgm,resource-agent").await;
    assert!(text(&both).contains("\nDCGM_FI_DEV_GPU_TEMP{gpu=\"0\","));
    assert!(text(&both).contains("\ngpu_exporter_success{node=\"node-1\"} 1\n"));
    assert!(!text(&both).contains("gpulse_"));
    for (query, wrong) in [
        ("profile=dgcm", "dgcm"),
        ("profiles=dcgm", "profiles"),
        ("profile=", "``"),
    ] {
        let answer = api.get(&format!("/metrics?{query}")).await;
        assert_eq!(answer.status, 422);
        assert!(text(&answer).contains(wrong), "{}", text(&answer));
    }
}

#[actix_web::test]
async fn a_generation_is_rendered_once_and_the_next_one_anew() {
    let api = Api::over(healthy(1));
    let (first, second) = (api.get("/metrics").await, api.get("/metrics").await);
    assert_eq!(first.address, second.address);
    assert_eq!(first.header("etag"), second.header("etag"));
    let known = first.header("etag").to_owned();
    let unchanged = api.get_with("/metrics", &[("if-none-match", &known)]).await;
    assert_eq!(unchanged.status, 304);

    let mut gpu = example::gpu(0);
    gpu.health.state = GpuState::Hung;
    let mut next = example::host([gpu]);
    next.generation = 2;
    api.cache.replace(next);
    let third = api.get("/metrics").await;
    assert_ne!(third.header("etag"), known);
    assert!(text(&third).contains("gpulse_generation 2\n"));
    assert!(!text(&third).contains("gpulse_power_draw_watts{"));
}

#[actix_web::test]
async fn without_gpus_it_says_so_with_200() {
    let api = Api::over(without_driver(DriverReason::DriverNotLoaded));
    let answer = api.get("/metrics?profile=native,resource-agent").await;
    assert_eq!(answer.status, 200);
    assert!(text(&answer).contains("gpulse_driver_up 0\n"));
    assert!(text(&answer).contains("gpulse_driver_unavailable{reason=\"driver_not_loaded\"} 1\n"));
    assert!(text(&answer).contains("gpu_exporter_success{node=\"node-1\"} 0\n"));
}

#[actix_web::test]
async fn a_sick_gpu_takes_no_series_of_the_others() {
    let api = Api::over(example::host([example::gpu(0), hung(1)]));
    let answer = api.get("/metrics").await;
    let up = |gpu: &str| {
        let begin = format!("gpulse_gpu_up{{gpu=\"{gpu}\",");
        let line = text(&answer).lines().find(|line| line.starts_with(&begin));
        line.unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!((up("0").as_str(), up("1").as_str()), ("1", "0"));
    assert!(text(&answer).contains("state=\"hung\"} 1\n"));
    assert!(text(&answer).contains("\ngpulse_power_draw_watts{gpu=\"0\","));
    assert!(!text(&answer).contains("\ngpulse_power_draw_watts{gpu=\"1\","));
}
