//! Whatever is sent, the answer is one that a client can do something with.

use actix_web::http::StatusCode;
use proptest::prelude::*;

use super::{Api, healthy};

/// Headers that are read by some handler.
const HEADERS: [&str; 7] = [
    "accept",
    "accept-encoding",
    "authorization",
    "if-none-match",
    "origin",
    "range",
    "x-request-id",
];

const PATHS: [&str; 6] = [
    "/",
    "/gpu/metrics",
    "/gpu/metrics/0",
    "/api/v1/gpus",
    "/api/v1/events",
    "/openapi.json",
];

/// Each byte as it is, or in one of the ways to write it.
fn spelled(path: &str) -> impl Strategy<Value = String> + use<> {
    let bytes = path.bytes().map(|byte| {
        let ways = vec![
            char::from(byte).to_string(),
            format!("%{byte:02x}"),
            format!("%{byte:02X}"),
        ];
        prop::sample::select(ways)
    });
    bytes.collect::<Vec<_>>().prop_map(|parts| parts.concat())
}

fn run(test: impl Future<Output = ()>) {
    actix_rt::System::new().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_header_makes_a_route_fail(
        name in prop::sample::select(HEADERS.to_vec()),
        path in prop::sample::select(PATHS.to_vec()),
        value in "[ -~\u{80}-\u{ff}]{0,80}",
    ) {
        run(async {
            let mut api = Api::over(healthy(1));
            api.cors_origins = vec!["https://a.example".to_owned()];
            let answer = api.get_with(path, &[(name, &value)]).await;
            assert!(answer.status.as_u16() < 500, "{} for {name}: {value}", answer.status);
        });
    }

    #[test]
    fn no_path_makes_a_route_fail(
        before in prop::sample::select(vec!["/", "/gpu/metrics/", "/api/v1/gpus/", "/docs/", "/api/v1/admin/"]),
        path in "\\PC{0,20}",
    ) {
        let path: String = path.bytes().map(|byte| format!("%{byte:02X}")).collect();
        run(async {
            let answer = Api::over(healthy(1)).get(&format!("{before}{path}")).await;
            assert!(answer.status.as_u16() < 500, "{} for {before}{path}", answer.status);
        });
    }

    #[test]
    fn no_spelling_of_a_path_gets_around_its_scope(path in spelled("/api/v1/admin/park")) {
        // The slash at the beginning is what makes it a path.
        let path = format!("/{}", path.strip_prefix("%2f").or(path.strip_prefix("%2F")).unwrap_or(&path[1..]));
        run(async {
            let status = Api::over(healthy(1)).get(&path).await.status;
            // An encoded slash is none to the router: such a path is unknown, and nothing answers there.
            let expected = if path.to_ascii_lowercase().contains("%2f") { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
            assert!(status == StatusCode::FORBIDDEN || status == expected, "{status} for {path}");
        });
    }
}
