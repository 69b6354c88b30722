//! Tokens and passwords: what is open, what is closed, what changes while the agent runs, and what is never said.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use rustix::process::Signal;

use super::small;
use crate::support::{Agent, AgentBuilder, eventually};

/// The bcrypt hash of `secret-password`, of the lowest cost.
pub(super) const HASH: &str = "$2b$04$QhCmc9bjijXggtPcX8uz9eVIuhIvvfFUW20cRozMXhaoEQxu6acy6";

/// What `ann:secret-password` is in base64.
pub(super) const ANN: &str = "Basic YW5uOnNlY3JldC1wYXNzd29yZA==";

/// A fresh token and its line.
pub(crate) fn token(name: &str, scopes: &str) -> (String, String) {
    let command = AgentBuilder::default()
        .argument("--name")
        .argument(name)
        .argument("--scopes")
        .argument(scopes)
        .command("token")
        .output()
        .unwrap();
    let (line, shown) = (
        String::from_utf8(command.stdout).unwrap(),
        String::from_utf8(command.stderr).unwrap(),
    );
    let token = shown.lines().find(|line| line.starts_with("gpulse_")).unwrap();
    assert!(!line.contains(token), "the line holds no token");
    (token.to_owned(), line)
}

fn with_token(agent: &Agent, path: &str, token: &str) -> u16 {
    let header = format!("Bearer {token}");
    agent.request("GET", path, &[("authorization", &header)]).status
}

fn guarded_by(tokens: &Path) -> (nvml_sim::testing::Simulator, AgentBuilder) {
    let (simulator, builder) = small();
    let builder = builder.variable("GPULSE_AUTH__TOKENS_FILE", tokens.to_str().unwrap());
    (simulator, builder)
}

#[test]
fn without_credentials_nothing_but_the_probes_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    let (reader, reader_line) = token("reader", "read");
    let (scraper, scraper_line) = token("scraper", "metrics");
    fs::write(&tokens, reader_line + &scraper_line).unwrap();
    let (_simulator, builder) = guarded_by(&tokens);
    let agent = builder.start();
    agent.wait_until_ready();
    assert_eq!(agent.get("/health/live").status, 200);
    for path in [
        "/",
        "/gpu/info",
        "/gpu/metrics",
        "/gpu/metrics/0",
        "/health/",
        "/health/detailed",
        "/api/v1/gpus",
        "/api/v1/events",
        "/docs",
        "/docs/swagger-ui.css",
        "/openapi.json",
        "/metrics",
        "/no/such/path",
    ] {
        let refused = agent.get(path);
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(
            refused.header("www-authenticate"),
            "Bearer realm=\"gpulse\"",
            "{path}"
        );
        assert_eq!(refused.header("cache-control"), "no-store", "{path}");
        assert!(!refused.header("x-request-id").is_empty(), "{path}");
        assert_eq!(refused.json()["status"], 401, "{path}");
        assert_eq!(with_token(&agent, path, "gpulse_wrong"), 401, "{path}");
        if path != "/metrics" {
            assert_eq!(with_token(&agent, path, &scraper), 403, "{path}");
        }
        assert!(![401, 403].contains(&with_token(&agent, path, &reader)), "{path}");
    }
    assert!(![401, 403].contains(&with_token(&agent, "/metrics", &scraper)));
    // However it is written, what the router takes for administration asks for an administrator.
    for path in [
        "/api/v1/admin/park",
        "/api/v1/%61dmin/park",
        "/%61pi/v1/admin/park",
        "/api/v1/admin",
    ] {
        assert_eq!(with_token(&agent, path, &reader), 403, "{path}");
    }
}

#[test]
fn what_changes_in_the_file_counts_while_the_agent_runs() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    let (first, first_line) = token("first", "read");
    let (second, second_line) = token("second", "read");
    fs::write(&tokens, &first_line).unwrap();
    let (_simulator, builder) = guarded_by(&tokens);
    let agent = builder.start();
    let reads = |token: &str| with_token(&agent, "/gpu/info", token);
    assert_eq!((reads(&first), reads(&second)), (200, 401));

    fs::write(&tokens, &second_line).unwrap();
    eventually(
        "the second token counts",
        || (reads(&first), reads(&second)),
        |both| *both == (401, 200),
    );

    fs::write(&tokens, "nonsense\n").unwrap();
    agent.signal(Signal::HUP);
    eventually(
        "the mistake is reported",
        || agent.log().join("\n"),
        |log| log.contains("stays in use"),
    );
    assert_eq!((reads(&first), reads(&second)), (401, 200));
}

#[test]
fn a_password_is_as_good_as_a_token_and_nothing_of_them_is_logged_or_printed() {
    let directory = tempfile::tempdir().unwrap();
    let (tokens, users) = (directory.path().join("tokens"), directory.path().join("users"));
    let (token, line) = token("reader", "read");
    fs::write(&tokens, line).unwrap();
    fs::write(&users, format!("ann:{HASH}:metrics,read\n")).unwrap();
    let (_simulator, builder) = guarded_by(&tokens);
    let builder = builder
        .variable("GPULSE_AUTH__USERS_FILE", users.to_str().unwrap())
        .argument("--log-level")
        .argument("trace");
    let agent = builder.start();
    let challenges = agent.get("/gpu/info").headers;
    let challenges: Vec<_> = challenges.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges.len(), 2, "{challenges:?}");
    let reads = |header: &str| {
        agent
            .request("GET", "/gpu/info", &[("authorization", header)])
            .status
    };
    for _ in 0..2 {
        assert_eq!(reads(ANN), 200);
        assert_eq!(reads("Basic YW5uOndyb25n"), 401);
        assert_eq!(reads("Basic bm9ib2R5OnNlY3JldC1wYXNzd29yZA=="), 401);
    }
    assert_eq!(with_token(&agent, "/gpu/info", &token), 200);

    let printed = builder.command("config").output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let log = agent.end(Signal::TERM).log.join("\n");
    assert!(log.contains("credentials refused"), "{log}");
    for secret in [&token[7..], "secret-password", &ANN[6..], &HASH[29..]] {
        assert!(!log.contains(secret) && !printed.contains(secret), "{secret}");
    }
}

#[test]
fn a_file_that_cannot_be_used_ends_the_start_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    fs::write(&tokens, "# good\nread ann plaintexttoken\n").unwrap();
    for path in [tokens.clone(), directory.path().join("missing")] {
        let (_simulator, builder) = guarded_by(&path);
        let output = builder.bind("127.0.0.1:0").command("serve").output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{error}");
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert!(!error.contains("plaintexttoken"), "{error}");
    }
}

#[test]
fn a_file_that_everybody_can_read_is_warned_about_whenever_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    let (_, line) = token("reader", "read");
    fs::write(&tokens, &line).unwrap();
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o600)).unwrap();
    let (_simulator, builder) = guarded_by(&tokens);
    let agent = builder.start();
    let warned = || agent.log().join("\n").contains("everybody on this host can read");
    assert!(!warned());
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o644)).unwrap();
    eventually("the open file is noticed", warned, |warned| *warned);
}
