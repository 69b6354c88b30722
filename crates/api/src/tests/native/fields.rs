//! `?fields=`: what is selected is sent, as it is without a selection, and nothing else.

use actix_web::http::StatusCode;
use gpulse_models::{Reason, Timed, example};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Api, SHARED, at, gpu_with, healthy, keys, lost};
use crate::routes::v1::{
    selection::{Selection, Word},
    vocabulary,
};

async fn get(api: &Api, path: &str) -> Value {
    let answer = api.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    assert_eq!(answer.header("content-type"), "application/json", "{path}");
    answer.json()
}

#[actix_web::test]
async fn only_what_is_selected_is_sent_beside_what_always_is() {
    let api = Api::over(healthy(2));
    let query = "fields=power.draw_watts,load,thermal.fans.speed_percent,state";
    let body = get(&api, &format!("/api/v1/gpus?{query}")).await;
    assert_eq!(keys(&body), ["generation", "gpus", "published_at"]);
    let gpu = &body["gpus"][1];
    let sent = [
        "index",
        "load",
        "power",
        "state",
        "thermal",
        "unavailable",
        "uuid",
    ];
    assert_eq!(keys(gpu), sent);
    assert_eq!(gpu["power"], json!({"draw_watts": 350.0}));
    let fan = json!({"speed_percent": 50.0});
    assert_eq!(gpu["thermal"], json!({"fans": [fan, fan]}));
    assert_eq!(keys(&gpu["load"]).len(), 8);
    let one = get(&api, &format!("/api/v1/gpus/1?{query}")).await;
    assert_eq!((&one["power"], &one["generation"]), (&gpu["power"], &json!(1)));
}

#[actix_web::test]
async fn all_fields_together_are_the_whole_body() {
    let api = Api::over(example::host([example::gpu(0), lost(1)]));
    for (path, words) in [
        ("/api/v1/gpus", &*vocabulary::GPU),
        ("/api/v1/gpus/1", &vocabulary::GPU),
        ("/api/v1/gpus/0/processes", &vocabulary::PROCESS),
        ("/api/v1/processes", &vocabulary::PROCESS),
        ("/api/v1/topology", &vocabulary::TOPOLOGY),
        ("/api/v1/host", &vocabulary::HOST),
    ] {
        let (mut leaves, mut tops) = (Vec::new(), Vec::new());
        for word in words {
            tops.push(word.key().to_owned());
            paths(word, "", &mut leaves);
        }
        let whole = get(&api, path).await;
        for selected in [tops, leaves] {
            let filtered = get(&api, &format!("{path}?fields={}", selected.join(","))).await;
            assert_eq!(filtered, whole, "{path}");
        }
    }
}

/// The path of every key below `word` that has nothing below itself.
fn paths(word: &Word, above: &str, found: &mut Vec<String>) {
    let path = if above.is_empty() {
        word.key().to_owned()
    } else {
        format!("{above}.{}", word.key())
    };
    if word.below().is_empty() {
        found.push(path);
    } else {
        for below in word.below() {
            paths(below, &path, found);
        }
    }
}

#[actix_web::test]
async fn gaps_are_those_of_what_is_selected() {
    let gpu = gpu_with(0, |sample| sample.activity = Timed::absent(Reason::Disabled));
    let api = Api::over(example::host([gpu]));
    for (fields, unavailable) in [
        ("power.draw_watts", json!({})),
        ("activity.sm_percent", json!({"activity": "disabled"})),
        (
            "power.module_instant_watts",
            json!({"power.module_instant_watts": "not_supported"}),
        ),
        (
            "reliability.fabric.state",
            json!({"reliability.fabric": "not_supported"}),
        ),
        ("state", json!({})),
    ] {
        let body = get(&api, &format!("/api/v1/gpus/0?fields={fields}")).await;
        assert_eq!(body["unavailable"], unavailable, "{fields}");
    }
}

#[actix_web::test]
async fn what_is_always_sent_comes_with_rows_of_processes_and_topology() {
    let api = Api::over(healthy(2));
    let body = get(&api, "/api/v1/processes?fields=user").await;
    let row = &body["processes"][0];
    assert_eq!(keys(row), ["gpu_index", "gpu_uuid", "pid", "unavailable", "user"]);
    let body = get(&api, "/api/v1/gpus/1/processes?fields=user").await;
    assert_eq!(keys(&body["processes"][0]), ["pid", "unavailable", "user"]);
    let body = get(&api, "/api/v1/topology?fields=gpus.numa_node,pairs.nvlinks").await;
    assert_eq!(
        keys(&body),
        ["generation", "gpus", "pairs", "published_at", "unavailable"]
    );
    assert_eq!(keys(&body["gpus"][0]), ["index", "numa_node", "uuid"]);
    assert_eq!(keys(&body["pairs"][0]), ["first", "nvlinks", "second"]);
    let body = get(&api, "/api/v1/host?fields=gpus.ok,totals.power_draw_watts,agent").await;
    assert_eq!(body["gpus"], json!({"ok": 2}));
    assert_eq!(body["totals"], json!({"power_draw_watts": 700.0}));
    assert_eq!(at(&body, "agent.id"), "resource-agent-001");
    assert_eq!(body.get("driver"), None);
}

#[actix_web::test]
async fn a_wrong_field_is_named_with_the_nearest_ones() {
    let api = Api::over(healthy(1));
    for (path, query, parameter, words) in [
        (
            "gpus",
            "fields=power.drw_watts",
            "fields",
            "in `power`; the nearest are `draw_watts`",
        ),
        ("gpus", "fields=laod", "fields", "the nearest are `load`"),
        ("gpus/0", "fields=", "fields", "there is no field ``"),
        ("gpus", "fields=load,,power", "fields", "there is no field ``"),
        ("gpus", "fields=state.x", "fields", "nothing below `state`"),
        (
            "gpus",
            "fields=thermal.fans.0.speed_rpm",
            "fields",
            "positions in lists are left out",
        ),
        (
            "gpus",
            "field=load",
            "query",
            "there are `fields`, `wait_for` and `wait`",
        ),
        ("gpus", "fields=load&fields=power", "query", "twice"),
        ("processes", "fields=usr", "fields", "the nearest are `user`"),
        (
            "gpus/0/processes",
            "fields=pidd",
            "fields",
            "the nearest are `pid`",
        ),
        (
            "topology",
            "fields=pairs.nvlink",
            "fields",
            "the nearest are `nvlinks`",
        ),
        ("host", "fields=drivers", "fields", "the nearest are `driver`"),
    ] {
        let answer = api.get(&format!("/api/v1/{path}?{query}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(answer.header("cache-control"), "no-store", "{query}");
        let error = &answer.json()["detail"][0];
        assert_eq!(error["loc"], json!(["query", parameter]), "{query}");
        assert!(error["msg"].as_str().unwrap().contains(words), "{query}: {error}");
    }
}

#[actix_web::test]
async fn no_more_is_sent_back_than_tells_what_was_meant() {
    let api = Api::over(healthy(1));
    for query in ["fields=", "fields=power.", "fiel", "fields=load&x"] {
        let query = format!("{query}{}", "%C3%A4".repeat(5_000));
        let answer = api.get(&format!("/api/v1/gpus?{query}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.len() < 1_500, "{} bytes", answer.body.len());
    }
}

#[actix_web::test]
async fn a_filtered_body_has_no_tag_and_comes_in_the_wanted_encoding() {
    let api = Api::over(healthy(1));
    let tag = api.get("/api/v1/gpus").await.header("etag").to_owned();
    for known in [tag.as_str(), "*"] {
        let headers = [("if-none-match", known), ("accept-encoding", "gzip")];
        let answer = api.get_with("/api/v1/gpus?fields=load", &headers).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            (answer.header("etag"), answer.header("cache-control")),
            ("", "no-store")
        );
        assert_eq!(answer.header("content-encoding"), "gzip");
        assert_eq!(answer.header("vary"), "accept-encoding");
    }
    for path in SHARED.into_iter().chain(["/api/v1/host"]) {
        let refused = [("accept-encoding", "*;q=0")];
        assert_eq!(
            api.get_with(path, &refused).await.status,
            StatusCode::NOT_ACCEPTABLE,
            "{path}"
        );
    }
    let refused = [("accept-encoding", "identity;q=0")];
    let answer = api.get_with("/api/v1/gpus?fields=load", &refused).await;
    assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_query_makes_a_route_fail(query in "\\PC*") {
        let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        actix_rt::System::new().block_on(async {
            let api = Api::over(healthy(1));
            for path in SHARED.into_iter().chain(["/api/v1/host"]) {
                for name in ["fields=", ""] {
                    let answer = api.get(&format!("{path}?{name}{query}")).await;
                    let status = answer.status;
                    assert!(status == StatusCode::OK || status == StatusCode::UNPROCESSABLE_ENTITY, "{status}");
                }
            }
        });
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "([a-z_]{0,12}|power|thermal|fans|,|\\.|\\PC){0,12}") {
        let _ = Selection::parse(&text, &vocabulary::GPU);
    }
}
