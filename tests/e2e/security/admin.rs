//! What an operator tells the agent: to let the GPUs go, and to read them again.

use std::fs;

use serde_json::Value;

use super::{
    credentials::{ANN, HASH, token},
    small,
};
use crate::support::{Agent, eventually};

/// Lets the agent's client be the one with this token.
struct Client<'a> {
    agent: &'a Agent,
    header: String,
}

impl Client<'_> {
    fn send(&self, method: &str, path: &str) -> (u16, Value) {
        let reply = self
            .agent
            .request(method, path, &[("authorization", &self.header)]);
        let body = if reply.body.is_empty() {
            Value::Null
        } else {
            reply.json()
        };
        (reply.status, body)
    }
}

#[test]
fn gpus_are_let_go_and_taken_again_at_the_word_of_an_admin_alone() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    let (reader, reader_line) = token("reader", "read");
    let (admin, admin_line) = token("admin", "read,admin");
    fs::write(&tokens, reader_line + &admin_line).unwrap();
    let (simulator, builder) = small();
    let agent = builder
        .variable("GPULSE_AUTH__TOKENS_FILE", tokens.to_str().unwrap())
        .start();
    agent.wait_until_ready();
    let client = |token: &str| Client {
        agent: &agent,
        header: format!("Bearer {token}"),
    };
    let (reader, admin) = (client(&reader), client(&admin));

    assert_eq!(agent.request("POST", "/api/v1/admin/park", &[]).status, 401);
    assert_eq!(reader.send("POST", "/api/v1/admin/park").0, 403);
    assert_eq!(admin.send("GET", "/api/v1/admin/park").0, 405);
    assert_eq!(reader.send("GET", "/gpu/info").1["available"], true);

    let (status, body) = admin.send("POST", "/api/v1/admin/park");
    assert_eq!((status, &body["parked"]), (202, &Value::Bool(true)));
    eventually(
        "the GPUs are let go",
        || admin.send("POST", "/api/v1/admin/park").1,
        |body| body["let_go"] == true,
    );
    assert_eq!(reader.send("GET", "/gpu/info").1["reason"], "parked");
    assert_eq!(reader.send("GET", "/gpu/metrics").0, 503);
    assert_eq!(simulator.calls_anywhere("nvmlShutdown"), 1, "no device is held");
    let calls = simulator.total_calls();
    for _ in 0..20 {
        reader.send("GET", "/api/v1/gpus");
    }
    assert_eq!(
        simulator.total_calls(),
        calls,
        "nobody asks a driver that is let go"
    );

    assert_eq!(admin.send("POST", "/api/v1/admin/resume").0, 202);
    eventually(
        "the GPUs are read again",
        || reader.send("GET", "/gpu/info").1,
        |info| info["gpus"][0]["state"] == "ok",
    );
}

#[test]
fn without_authentication_nobody_tells_the_agent_anything() {
    let (_simulator, builder) = small();
    let agent = builder.start();
    agent.wait_until_ready();
    assert_eq!(agent.request("POST", "/api/v1/admin/park", &[]).status, 403);
    assert_eq!(agent.json("/gpu/info")["available"], true);
}

#[test]
fn a_page_of_another_origin_cannot_make_a_browser_do_it() {
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("users");
    fs::write(&users, format!("ann:{HASH}:read,admin\n")).unwrap();
    let (_simulator, builder) = small();
    let agent = builder
        .variable("GPULSE_AUTH__USERS_FILE", users.to_str().unwrap())
        .start();
    agent.wait_until_ready();
    // What a browser sends once its user has typed name and password in, whatever page the form is on.
    let own = agent.url("");
    let sent = |name: &str, value: &str| {
        let headers = [("authorization", ANN), (name, value)];
        agent.request("POST", "/api/v1/admin/park", &headers).status
    };
    assert_eq!(sent("origin", "https://evil.example"), 403);
    assert_eq!(sent("origin", "null"), 403);
    assert_eq!(sent("sec-fetch-site", "cross-site"), 403);
    let headers = [("authorization", ANN)];
    assert_eq!(
        agent.request("GET", "/gpu/info", &headers).json()["available"],
        true
    );
    assert_eq!(sent("origin", &own), 202);
    assert_eq!(sent("sec-fetch-site", "same-origin"), 202);
    assert_eq!(agent.request("POST", "/api/v1/admin/park", &headers).status, 202);
}
