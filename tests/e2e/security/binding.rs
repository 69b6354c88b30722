//! Where the agent serves: this host unless somebody says otherwise, several addresses, a unix socket.

use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _},
        net::{UnixListener, UnixStream},
    },
    path::Path,
    time::Duration,
};

use rustix::process::Signal;

use super::small;
use crate::support::{AgentBuilder, connect, exchange, get, request, status};

fn refused(builder: &AgentBuilder) -> String {
    let output = builder.command("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn beyond_this_host_it_serves_nobody_unless_somebody_says_so() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let error = refused(&AgentBuilder::default().bind(address));
        for advice in [
            "`bind` (set by flag --bind)",
            "auth.tokens_file",
            "gpulse token",
            "--insecure",
        ] {
            assert!(error.contains(advice), "{error}");
        }
    }
    let error = refused(&AgentBuilder::default().bind("127.0.0.1:0").bind("0.0.0.0:0"));
    assert!(error.contains("0.0.0.0"), "{error}");

    let (_simulator, builder) = small();
    let agent = builder.bind("0.0.0.0:0").argument("--insecure").start();
    let port = agent.address().port();
    assert_eq!(
        request("GET", &format!("http://127.0.0.1:{port}/gpu/info"), &[]).status,
        200
    );
    let log = agent.log().join("\n");
    assert!(log.contains("INSECURE") && log.contains("WARN"), "{log}");
}

#[test]
fn a_page_whose_name_leads_to_this_host_reads_nothing() {
    let (_simulator, builder) = small();
    let builder = builder.variable("GPULSE_HTTP__ALLOWED_HOSTS", r#"["gpu-1.example"]"#);
    let agent = builder.start();
    agent.wait_until_ready();
    let asked_as = |host: &str, path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        exchange(&mut connect(agent.address()), request.as_bytes())
    };
    let port = agent.address().port();
    for own in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        "gpu-1.example:80".to_owned(),
        "gpulse".to_owned(),
    ] {
        assert_eq!(status(&asked_as(&own, "/api/v1/processes")), 200, "{own}");
    }
    for path in ["/api/v1/processes", "/gpu/metrics", "/metrics", "/api/v1/stream"] {
        let answer = asked_as(&format!("rebound.example:{port}"), path);
        assert_eq!(status(&answer), 421, "{answer}");
        assert!(answer.contains("http.allowed_hosts"), "{answer}");
    }
    assert_eq!(status(&asked_as("rebound.example", "/health/live")), 200);
}

#[test]
fn an_agent_that_everybody_may_read_goes_by_any_name() {
    let (_simulator, builder) = small();
    let agent = builder.bind("0.0.0.0:0").argument("--insecure").start();
    agent.wait_until_ready();
    let address = format!("127.0.0.1:{}", agent.address().port());
    let request = b"GET /gpu/metrics HTTP/1.1\r\nhost: gpu-1.example\r\nconnection: close\r\n\r\n";
    assert_eq!(
        status(&exchange(&mut connect(address.parse().unwrap()), request)),
        200
    );
}

#[test]
fn it_serves_several_addresses_alike() {
    let (_simulator, builder) = small();
    let agent = builder.bind("127.0.0.1:0").bind("127.0.0.2:0").start();
    agent.wait_until_ready();
    let served = agent.served();
    assert_eq!(served.len(), 2, "{served:?}");
    for base in served {
        assert_eq!(request("GET", &format!("{base}/gpu/metrics"), &[]).status, 200);
    }
}

fn ask(socket: &Path, path: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    exchange(&mut stream, &get(path, ""))
}

#[test]
fn a_unix_socket_is_served_beside_addresses_or_alone() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("gpulse.sock");
    for alone in [false, true] {
        // What an agent that was killed left behind.
        drop(UnixListener::bind(&socket).unwrap());
        let (_simulator, builder) = small();
        let mut builder = builder
            .variable("GPULSE_HTTP__UNIX_SOCKET", socket.to_str().unwrap())
            .variable("GPULSE_HTTP__UNIX_SOCKET_MODE", "0600");
        if alone {
            builder = builder.variable("GPULSE_BIND", "[]").bound_by_configuration();
        }
        let agent = builder.start();
        assert_eq!(agent.served().len(), if alone { 1 } else { 2 });
        let found = fs::symlink_metadata(&socket).unwrap();
        assert!(found.file_type().is_socket());
        assert_eq!(found.mode() & 0o777, 0o600);
        let answer = ask(&socket, "/gpu/info");
        assert_eq!(status(&answer), 200, "{answer}");
        assert!(agent.end(Signal::TERM).status.success());
        assert!(!socket.exists());
    }
}

#[test]
fn a_file_that_is_no_socket_and_a_socket_in_use_stay() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "data").unwrap();
    let used = directory.path().join("used");
    let _other = UnixListener::bind(&used).unwrap();
    for (path, problem) in [(&file, "no socket"), (&used, "serves here already")] {
        let (_simulator, builder) = small();
        let builder = builder
            .variable("GPULSE_HTTP__UNIX_SOCKET", path.to_str().unwrap())
            .bind("127.0.0.1:0");
        let output = builder.command("serve").output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(problem), "{error}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "data");
    UnixStream::connect(&used).unwrap();
}

#[test]
fn who_reaches_the_unix_socket_reads_without_credentials_and_does_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let (socket, tokens) = (directory.path().join("s"), directory.path().join("tokens"));
    fs::write(&tokens, "").unwrap();
    let (_simulator, builder) = small();
    let agent = builder
        .variable("GPULSE_HTTP__UNIX_SOCKET", socket.to_str().unwrap())
        .variable("GPULSE_AUTH__TOKENS_FILE", tokens.to_str().unwrap())
        .start();
    assert_eq!(status(&ask(&socket, "/gpu/info")), 200);
    assert_eq!(status(&ask(&socket, "/api/v1/admin/x")), 403);
    assert_eq!(agent.get("/gpu/info").status, 401);
}
