//! The gate: what is refused before a handler is asked, and with which answer.

use std::{fs, path::PathBuf};

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Answer, Api, healthy};
use crate::{
    CredentialFiles, RateLimit, Security, fresh_token,
    openapi::{REFUSALS, openapi_json},
};

/// An interface with two tokens, which are given back, and a user `ann` with the password `secret`.
pub(super) fn closed(directory: &tempfile::TempDir) -> (Api, String, String) {
    let reader = fresh_token("read".parse().unwrap(), "reader").unwrap();
    let admin = fresh_token("admin".parse().unwrap(), "admin").unwrap();
    let file = |name: &str, text: String| -> PathBuf {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let mut api = Api::over(healthy(1));
    api.security = Security {
        credentials: CredentialFiles {
            tokens: Some(file("tokens", format!("{}\n{}\n", reader.line, admin.line))),
            users: Some(file(
                "users",
                format!("ann:{}:read\n", bcrypt::hash("secret", 4).unwrap()),
            )),
        },
        ..Security::default()
    };
    (
        api,
        format!("Bearer {}", reader.token),
        format!("bearer {}", admin.token),
    )
}

async fn with(api: &Api, path: &str, authorization: &str) -> Answer {
    api.get_with(path, &[("authorization", authorization)]).await
}

#[actix_web::test]
async fn credentials_open_what_their_scopes_say() {
    let directory = tempfile::tempdir().unwrap();
    let (api, reader, admin) = closed(&directory);
    for (credentials, path, status) in [
        (reader.as_str(), "/gpu/metrics", 200),
        (&reader, "/no/such/path", 404),
        (&reader, "/api/v1/admin/x", 403),
        (&admin, "/api/v1/admin/x", 404),
        (&admin, "/gpu/metrics", 403),
        ("Basic YW5uOnNlY3JldA==", "/gpu/metrics", 200),
        ("Basic YW5uOnNlY3JldA==", "/api/v1/admin/x", 403),
        ("Basic YW5uOndyb25n", "/gpu/metrics", 401),
        ("Bearer wrong", "/gpu/metrics", 401),
        ("nonsense", "/gpu/metrics", 401),
        ("", "/gpu/metrics", 401),
        ("", "/health/live", 200),
    ] {
        let answer = with(&api, path, credentials).await;
        assert_eq!(answer.status.as_u16(), status, "{path} with {credentials:.9}");
        if [401, 403].contains(&status) {
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    let twice = [("authorization", reader.as_str()), ("authorization", &admin)];
    assert_eq!(
        api.get_with("/gpu/metrics", &twice).await.status,
        StatusCode::UNAUTHORIZED
    );
    let head = api.ask(Method::HEAD, "/gpu/metrics", &[]).await;
    assert_eq!(head.status, StatusCode::UNAUTHORIZED);
    let post = api
        .ask(Method::POST, "/gpu/metrics", &[("authorization", &reader)])
        .await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[actix_web::test]
async fn without_authentication_everybody_reads_and_nobody_administrates() {
    let api = Api::over(healthy(1));
    assert_eq!(api.get("/gpu/metrics").await.status, StatusCode::OK);
    for path in ["/api/v1/admin", "/api/v1/admin/x", "/api/v1/%61dmin/x"] {
        assert_eq!(api.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[actix_web::test]
async fn a_page_of_another_origin_may_send_credentials_of_its_own_and_reads_the_refusal() {
    let directory = tempfile::tempdir().unwrap();
    let (mut api, reader, _) = closed(&directory);
    api.cors_origins = vec!["https://grafana.example.org".to_owned()];
    let origin = ("origin", "https://grafana.example.org");
    let preflight = [
        origin,
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];
    let asked = api.ask(Method::OPTIONS, "/gpu/metrics", &preflight).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert_eq!(asked.header("access-control-allow-credentials"), "");
    for (headers, status) in [
        (vec![origin], 401),
        (vec![origin, ("authorization", &reader)], 200),
    ] {
        let answer = api.get_with("/gpu/metrics", &headers).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("access-control-allow-origin"), origin.1);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[actix_web::test]
async fn the_refusals_are_those_of_the_document() {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (closed, _, admin) = closed(&directory);
    let open = Api::over(healthy(1));
    for refusal in &REFUSALS {
        let answer = match refusal.status {
            "401" => closed.get("/gpu/info").await,
            "403" => with(&closed, "/gpu/info", &admin).await,
            "413" => open.get_with("/gpu/info", &[("content-length", "65537")]).await,
            "414" => open.get(&format!("/{}", "x".repeat(32 * 1024))).await,
            _ => {
                assert!(
                    ["400", "408", "421", "429", "431"].contains(&refusal.status),
                    "{}",
                    refusal.status
                );
                continue;
            }
        };
        assert_eq!(answer.status.as_str(), refusal.status);
        assert_eq!(Some(answer.json()), refusal.example());
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        let is_open = path == "/health/live" || path == "/health/ready";
        let operation = item.get("get").unwrap_or(&item["post"]);
        assert_eq!(operation["responses"].get("401").is_none(), is_open, "{path}");
        assert_eq!(operation.get("security").is_some(), is_open, "{path}");
    }
    assert_eq!(document["security"][0], json!({}));
}

#[actix_web::test]
async fn a_client_that_asks_too_often_is_told_when_to_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let (closed, ..) = closed(&directory);
    let limit = RateLimit {
        per_second: 1.try_into().unwrap(),
        burst: 2.try_into().unwrap(),
    };
    let security = Security {
        rate_limit: Some(limit),
        ..closed.security.clone()
    };
    let (gate, _) = crate::gate::Gate::open(&security).unwrap();
    let request = |peer: &str| {
        let peer = format!("{peer}:1").parse().unwrap();
        actix_web::test::TestRequest::with_uri("/health/live")
            .peer_addr(peer)
            .to_srv_request()
    };
    let is_refused = |peer: &str| match gate.judge(&request(peer)) {
        crate::gate::Verdict::Refuse(refusal) => {
            assert_eq!(refusal.status(), StatusCode::TOO_MANY_REQUESTS);
            assert!(refusal.headers().contains_key("retry-after"));
            true
        }
        _ => false,
    };
    let asked = [
        is_refused("10.0.0.1"),
        is_refused("10.0.0.1"),
        is_refused("10.0.0.1"),
    ];
    assert_eq!(asked, [false, false, true]);
    assert!(!is_refused("10.0.0.2"));
}
