//! Commands as clients of an agent elsewhere: over TCP, TLS with a token, and a unix socket; and when that fails.

use std::{fs, net::TcpListener};

use rcgen::ExtendedKeyUsagePurpose::ServerAuth;
use serde_json::Value;

use super::{Gpulse, gpulse};
use crate::{
    security::{small, token},
    support::{Agent, Authority, eventually},
};

#[test]
fn an_agent_is_asked_over_tcp_and_over_its_socket() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("gpulse.sock");
    let (_simulator, builder) = small();
    let agent = builder
        .variable("GPULSE_HTTP__UNIX_SOCKET", socket.to_str().unwrap())
        .variable("AGENT_ID", "node-7")
        .start();
    agent.wait_until_ready();
    let uuid = agent.json("/api/v1/gpus")["gpus"][0]["uuid"].clone();
    for url in [
        agent.url(""),
        agent.url("/"),
        format!("unix:{}", socket.display()),
        format!("unix://{}", socket.display()),
    ] {
        let ran = gpulse(&["snapshot", "--json", "--connect", &url]);
        let body: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, &body["gpus"][0]["uuid"]), (Some(0), &uuid), "{url}");
    }
    let ran = gpulse(&["snapshot", "--connect", &agent.url("")]);
    assert!(ran.out.starts_with("node-7 · driver"), "{ran:?}");
    let ran = gpulse(&[
        "query",
        "uuid",
        "--format=csv,noheader",
        "--connect",
        &agent.url(""),
    ]);
    assert_eq!(format!("\"{}\"", ran.out.trim_end()), uuid.to_string());
}

/// An agent that serves by TLS and asks for a token; with a token that it knows.
fn guarded(directory: &std::path::Path) -> (nvml_sim::testing::Simulator, Agent, String) {
    let (certificate, key) = Authority::new(directory, "agents").issue("agent", ServerAuth);
    let (token, line) = token("reader", "read");
    let tokens = directory.join("tokens");
    fs::write(&tokens, line).unwrap();
    let (simulator, builder) = small();
    let agent = builder
        .variable("GPULSE_TLS__CERTIFICATE", certificate.to_str().unwrap())
        .variable("GPULSE_TLS__KEY", key.to_str().unwrap())
        .variable("GPULSE_AUTH__TOKENS_FILE", tokens.to_str().unwrap())
        .start();
    (simulator, agent, token)
}

#[test]
fn a_token_is_shown_over_tls_and_every_refusal_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, agent, token) = guarded(directory.path());
    let path = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (good, bad) = (
        path("good", &format!("{token}\n")),
        path("bad", "gpulse_not-this-one"),
    );
    let authority = directory.path().join("agents-ca.pem");
    let authority = authority.to_str().unwrap();
    let url = agent.url("");
    let ask = |more: &[&str]| {
        let arguments: Vec<_> = ["snapshot", "--csv", "--connect", &url]
            .iter()
            .chain(more)
            .copied()
            .collect();
        Gpulse::new(&arguments)
    };
    // The agent may still be reading its GPU for the first time.
    let ran = eventually(
        "the agent shows its GPU",
        || ask(&["--ca-file", authority, "--token-file", &good]).run(),
        |ran| ran.code == Some(0),
    );
    assert!(ran.out.contains("Tesla T4"), "{ran:?}");
    let ran = ask(&["--ca-file", authority])
        .variable("GPULSE_TOKEN", &token)
        .run();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for (more, says) in [
        (&["--ca-file", authority][..], "--token-file"),
        (
            &["--ca-file", authority, "--token-file", &bad],
            "does not know this token",
        ),
        (&["--ca-file", authority, "--token-file", "/nowhere"], "/nowhere"),
        (&["--token-file", &good], "--ca-file"),
        (&["--ca-file", "/nowhere", "--token-file", &good], "/nowhere"),
    ] {
        let ran = ask(more).run();
        assert!(
            ran.code == Some(1) && ran.err.contains(says) && !ran.err.contains(&token),
            "{more:?}: {ran:?}"
        );
    }
    let plain = url.replace("https://", "http://");
    let ran = gpulse(&["snapshot", "--connect", &plain]);
    assert!(ran.code == Some(1) && ran.err.contains("try https://"), "{ran:?}");
}

#[test]
fn an_agent_that_is_not_there_or_is_none_gives_code_1() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let (_simulator, builder) = small();
    let agent = builder.start();
    let tls = agent.url("").replace("http://", "https://");
    for (url, says) in [
        (format!("http://{address}"), "gpulse serve"),
        ("unix:/nowhere/gpulse.sock".to_owned(), "http.unix_socket"),
        (tls, "try http://"),
    ] {
        let ran = gpulse(&["snapshot", "--connect", &url]);
        assert!(ran.code == Some(1) && ran.err.contains(says), "{url}: {ran:?}");
    }
    for url in ["nonsense", "ftp://x", "http://x/api", "http://me:secret@x"] {
        let ran = gpulse(&["snapshot", "--connect", url]);
        assert!(
            ran.code == Some(2) && ran.err.contains("unix:PATH"),
            "{url}: {ran:?}"
        );
    }
}

#[test]
fn a_watch_outlives_the_agent_that_it_asks() {
    use std::io::{BufRead as _, BufReader};
    let (_simulator, builder) = small();
    let agent = builder.start();
    agent.wait_until_ready();
    let mut gpulse = Gpulse::new(&[
        "snapshot",
        "--csv",
        "--fields",
        "index",
        "--watch=0.05",
        "--connect",
        &agent.url(""),
    ]);
    let mut child = gpulse.spawn();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert_eq!(
        (lines.next(), lines.next()),
        (Some("index".to_owned()), Some("0".to_owned()))
    );
    drop(agent);
    let mut complaints = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(
        complaints.next().is_some(),
        "it says that nobody answers, and goes on"
    );
    assert!(complaints.next().is_some());
    super::interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(1), "as its last look ended");
}
