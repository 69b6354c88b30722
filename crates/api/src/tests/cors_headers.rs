//! CORS: off unless configured, listed origins only, never with credentials.

use actix_web::http::{Method, StatusCode};

use super::{Answer, Api, healthy};
use crate::cors;

const DASHBOARD: &str = "https://grafana.example.org";

async fn ask(origins: &[&str], origin: &str) -> Answer {
    let mut api = Api::over(healthy(1));
    api.cors_origins = origins.iter().map(|&origin| origin.to_owned()).collect();
    api.get_with("/gpu/metrics", &[("origin", origin)]).await
}

#[actix_web::test]
async fn it_is_off_unless_configured() {
    let answer = ask(&[], DASHBOARD).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
}

#[actix_web::test]
async fn listed_origins_may_read_and_others_may_not() {
    let answer = ask(&[DASHBOARD, "http://localhost:3000"], DASHBOARD).await;
    assert_eq!(answer.header("access-control-allow-origin"), DASHBOARD);
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let exposed = answer.header("access-control-expose-headers");
    assert!(
        exposed.contains("etag") && exposed.contains("x-request-id"),
        "{exposed}"
    );
    let vary = answer
        .headers
        .get_all("vary")
        .map(|value| value.to_str().unwrap().to_ascii_lowercase());
    let vary = vary.collect::<Vec<_>>().join(",");
    assert!(
        vary.contains("origin") && vary.contains("accept-encoding"),
        "{vary}"
    );

    let other = ask(&[DASHBOARD], "https://elsewhere.example.org").await;
    assert_eq!(other.header("access-control-allow-origin"), "");
}

#[actix_web::test]
async fn any_origin_is_a_literal_star() {
    let answer = ask(&["*"], DASHBOARD).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

#[actix_web::test]
async fn a_preflight_request_learns_the_methods() {
    let mut api = Api::over(healthy(1));
    api.cors_origins = vec![DASHBOARD.to_owned()];
    let headers = [("origin", DASHBOARD), ("access-control-request-method", "GET")];
    let answer = api.ask(Method::OPTIONS, "/gpu/metrics", &headers).await;
    assert_eq!(answer.status, StatusCode::OK);
    let methods = answer.header("access-control-allow-methods");
    assert!(
        methods.contains("GET") && methods.contains("HEAD") && !methods.contains("POST"),
        "{methods}"
    );
    assert!(!answer.header("x-request-id").is_empty());
}

#[test]
fn what_no_browser_sends_is_refused_with_advice() {
    for good in [
        "*",
        DASHBOARD,
        "http://localhost:3000",
        "http://10.0.0.1",
        "http://[::1]:8080",
    ] {
        assert!(cors::check_origins(&[good.to_owned()]).is_ok(), "{good}");
    }
    for wrong in [
        "",
        "null",
        "grafana.example.org",
        "https://grafana.example.org/",
        "https://grafana.example.org/path",
        "https://Grafana.example.org",
        "https://grafana.example.org:443",
        "https://user@grafana.example.org",
        "https://*.example.org",
        "ftp://example.org",
        "https://",
        "https://example.org?x",
    ] {
        let error = cors::check_origins(&["*".to_owned(), wrong.to_owned()]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{wrong}");
        assert!(error.to_string().contains("such as"), "{error}");
    }
}
