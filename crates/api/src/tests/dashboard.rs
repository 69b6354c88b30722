//! The dashboard's page and files: their headers, who gets them, and what they leave closed.

use actix_web::{http::StatusCode, web::Data};

use super::{Api, BROWSER, DashboardLinks, config, gate::closed, healthy};
use crate::{ApiConfig, state::State};

async fn page(api: &Api) -> super::Answer {
    api.get_with("/", &[("accept", BROWSER)]).await
}

fn with_dashboard(dashboard: Option<DashboardLinks>) -> Api {
    let mut api = Api::over(healthy(1));
    let config = ApiConfig {
        dashboard,
        ..config()
    };
    api.state = Data::new(State::new(api.cache.clone(), &config));
    api
}

#[actix_web::test]
async fn page_and_files_are_under_a_strict_policy() {
    let api = Api::over(healthy(1));
    let answers = [
        page(&api).await,
        api.get("/ui/main.js").await,
        api.get("/ui/style/base.css").await,
        api.get("/ui/lib/uplot.js").await,
    ];
    for answer in answers {
        assert_eq!(answer.status, StatusCode::OK);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-cache");
    }
}

#[actix_web::test]
async fn the_configuration_says_whom_the_page_may_ask() {
    let api = with_dashboard(Some(DashboardLinks {
        agents: vec!["https://gpu-2.example:8003".to_owned()],
        ..DashboardLinks::default()
    }));
    let answer = page(&api).await;
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("connect-src 'self' https://gpu-2.example:8003;"),
        "{policy}"
    );
    let html = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(html.contains("<meta name=\"gpulse-agent\" content=\"https://gpu-2.example:8003\">"));
}

#[actix_web::test]
async fn what_a_browser_has_is_not_sent_again_by_the_next_process_either() {
    for path in ["/", "/ui/main.js"] {
        let ask = async |tag: &str| {
            let api = Api::over(healthy(1));
            api.get_with(
                path,
                &[
                    ("accept", BROWSER),
                    ("accept-encoding", "gzip"),
                    ("if-none-match", tag),
                ],
            )
            .await
        };
        let first = ask("\"none\"").await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        assert_eq!(first.header("content-encoding"), "gzip");
        let again = ask(first.header("etag")).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
    }
}

#[actix_web::test]
async fn the_page_says_by_what_it_varies() {
    let api = Api::over(healthy(1));
    assert_eq!(page(&api).await.header("vary"), "accept, accept-encoding");
    assert_eq!(api.get("/").await.header("vary"), "accept");
}

#[actix_web::test]
async fn without_credentials_there_is_the_page_that_asks_for_them_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let (api, reader, _) = closed(&directory);
    assert_eq!(page(&api).await.status, StatusCode::OK);
    assert_eq!(api.get("/ui/core/auth.js").await.status, StatusCode::OK);
    for path in [
        "/",
        "/ui",
        "/api/v1/gpus",
        "/docs",
        "/ui/../api/v1/gpus",
        "/ui%2f..%2fapi/v1/gpus",
    ] {
        assert_ne!(api.get(path).await.status, StatusCode::OK, "{path}");
    }
    for path in ["/", "/api/v1/gpus"] {
        assert_eq!(api.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
        let known = api.get_with(path, &[("authorization", &reader)]).await;
        assert_eq!(known.status, StatusCode::OK, "{path}");
    }
}

#[actix_web::test]
async fn switched_off_there_is_neither_page_nor_file() {
    let api = with_dashboard(None);
    let answer = page(&api).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "docs"));
    assert_eq!(api.get("/ui/main.js").await.status, StatusCode::NOT_FOUND);
    let directory = tempfile::tempdir().unwrap();
    let (mut closed, _, _) = closed(&directory);
    closed.state = api.state.clone();
    assert_eq!(page(&closed).await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn what_is_no_file_is_not_found() {
    let api = Api::over(healthy(1));
    for path in [
        "/ui/",
        "/ui/index.html",
        "/ui/nothing.js",
        "/ui/core/nothing.js",
        "/ui/core/",
    ] {
        assert_eq!(api.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// The dashboard's words are not those of `models`, which it does not know; here both are at hand.
#[test]
fn the_dashboard_has_a_text_for_every_word_of_the_agent() {
    let words = gpulse_dashboard::asset("core/words.js").unwrap();
    let words = String::from_utf8(words.bytes.into_owned()).unwrap();
    let reasons = gpulse_models::Reason::ALL.map(gpulse_models::Reason::as_str);
    let throttles = gpulse_models::ThrottleReasons(0x1ff).names();
    let known = reasons.into_iter().map(ToOwned::to_owned).chain(throttles);
    for word in known {
        assert!(words.contains(&format!("\n  {word}: ")), "{word}");
    }
}
