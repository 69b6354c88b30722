//! TLS: versions, both protocols, client certificates, certificates that change, and peers that do not shake hands.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use nvml_sim::testing::Simulator;
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use rustix::process::Signal;
use rustls::version::{TLS12, TLS13};

use super::small;
use crate::support::{Agent, AgentBuilder, Authority, connect, eventually, exchange, get, rest, status};

fn served_by((certificate, key): &(PathBuf, PathBuf)) -> (Simulator, AgentBuilder) {
    let (simulator, builder) = small();
    let builder = builder
        .variable("GPULSE_TLS__CERTIFICATE", certificate.to_str().unwrap())
        .variable("GPULSE_TLS__KEY", key.to_str().unwrap())
        .variable("GPULSE_HTTP__REQUEST_TIMEOUT", "1s");
    (simulator, builder)
}

fn read(
    agent: &Agent,
    authority: &Authority,
    identity: Option<&(PathBuf, PathBuf)>,
    path: &str,
) -> Option<u16> {
    let mut stream = authority.connect(agent.address(), identity, &TLS13).ok()?;
    let answer = exchange(&mut stream, &get(path, ""));
    Some(status(&answer)).filter(|status| *status != 0)
}

#[test]
fn both_versions_are_served_and_plain_http_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path(), "agents");
    let (_simulator, builder) = served_by(&authority.issue("agent", ServerAuth));
    let agent = builder.start();
    assert!(agent.url("").starts_with("https://"), "{}", agent.url(""));
    for version in [&TLS12, &TLS13] {
        let mut stream = authority.connect(agent.address(), None, version).unwrap();
        let answer = exchange(&mut stream, &get("/gpu/info", ""));
        assert_eq!(status(&answer), 200, "{answer}");
    }
    let answer = exchange(&mut connect(agent.address()), &get("/gpu/info", ""));
    assert_eq!(status(&answer), 0, "{answer}");
    let stranger = Authority::new(directory.path(), "strangers");
    assert!(stranger.connect(agent.address(), None, &TLS13).is_err());
}

#[test]
fn a_client_certificate_is_asked_for_and_good_for_its_scopes() {
    let directory = tempfile::tempdir().unwrap();
    let (agents, clients) = (
        Authority::new(directory.path(), "agents"),
        Authority::new(directory.path(), "clients"),
    );
    let client = clients.issue("client", ClientAuth);
    let stranger = agents.issue("stranger", ClientAuth);
    let (_simulator, builder) = served_by(&agents.issue("agent", ServerAuth));
    let builder = builder.variable(
        "GPULSE_TLS__CLIENT_CA",
        directory.path().join("clients-ca.pem").to_str().unwrap(),
    );
    let agent = builder.start();
    assert_eq!(read(&agent, &agents, Some(&client), "/gpu/info"), Some(200));
    assert_eq!(read(&agent, &agents, Some(&client), "/api/v1/admin/x"), Some(403));
    assert_eq!(read(&agent, &agents, None, "/gpu/info"), None);
    assert_eq!(read(&agent, &agents, None, "/health/live"), None);
    assert_eq!(read(&agent, &agents, Some(&stranger), "/gpu/info"), None);
    drop(agent);

    let scraper = builder
        .variable("GPULSE_TLS__CLIENT_SCOPES", "[\"metrics\"]")
        .start();
    assert_eq!(read(&scraper, &agents, Some(&client), "/gpu/info"), Some(403));
    assert_eq!(read(&scraper, &agents, Some(&client), "/health/live"), Some(200));
}

/// Writes `new` over `old`, as a tool that renews certificates does.
fn replace(old: &(PathBuf, PathBuf), new: &(PathBuf, PathBuf)) {
    let put = |from: &Path, to: &Path| fs::rename(from, to).unwrap();
    put(&new.0, &old.0);
    put(&new.1, &old.1);
}

#[test]
fn a_new_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (
        Authority::new(directory.path(), "old"),
        Authority::new(directory.path(), "new"),
    );
    let files = old.issue("agent", ServerAuth);
    let (_simulator, builder) = served_by(&files);
    let agent = builder.start();
    assert_eq!(read(&agent, &old, None, "/gpu/info"), Some(200));

    let log_of = |part: &'static str| eventually(part, || agent.log().join("\n"), |log| log.contains(part));
    fs::write(&files.0, "no certificate").unwrap();
    log_of("stays in use");
    assert_eq!(read(&agent, &old, None, "/gpu/info"), Some(200));

    replace(&files, &new.issue("renewed", ServerAuth));
    agent.signal(Signal::HUP);
    eventually(
        "the new certificate is used",
        || read(&agent, &new, None, "/gpu/info"),
        |status| *status == Some(200),
    );
    assert!(old.connect(agent.address(), None, &TLS13).is_err());
}

#[test]
fn who_does_not_shake_hands_is_cut() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path(), "agents");
    let (_simulator, builder) = served_by(&authority.issue("agent", ServerAuth));
    let agent = builder.start();
    // Nothing at all, half a hello, and a record that never ends.
    for beginning in [&b""[..], &[0x16, 3, 1, 0, 200, 1, 0], &[0x16, 3, 1, 0x40, 0]] {
        let mut stream = connect(agent.address());
        stream.write_all(beginning).unwrap();
        rest(&mut stream);
    }
    // Hands are shaken, and then nothing comes.
    let mut stream = authority.connect(agent.address(), None, &TLS12).unwrap();
    rest(&mut stream);
    let mut stream = authority.connect(agent.address(), None, &TLS13).unwrap();
    stream.write_all(b"GET /gpu/info HT").unwrap();
    rest(&mut stream);
    assert_eq!(read(&agent, &authority, None, "/gpu/info"), Some(200));
}

#[test]
fn http_2_is_served_and_its_requests_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path(), "agents");
    let (_simulator, builder) = served_by(&authority.issue("agent", ServerAuth));
    let agent = builder.start();
    let mut stream = authority.connect_http2(agent.address());
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    // SETTINGS: no window at all, so that no body can be sent.
    stream
        .write_all(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0])
        .unwrap();
    // GET https://x/gpu/info, as HPACK has it without a table, on more and more streams.
    let head = b"\x82\x87\x41\x01x\x44\x09/gpu/info";
    let headers = |stream: u32| {
        let mut frame = vec![0, 0, u8::try_from(head.len()).unwrap(), 1, 5];
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(head);
        frame
    };
    stream.write_all(&headers(1)).unwrap();
    let mut answered = Vec::new();
    let mut room = [0; 1024];
    // `:status: 200` is the first entry of an answer's head.
    while !answered
        .windows(10)
        .any(|part: &[u8]| part[3] == 1 && part[5..10] == [0, 0, 0, 1, 0x88])
    {
        let count = stream.read(&mut room).unwrap();
        assert!(count > 0, "{answered:?}");
        answered.extend_from_slice(&room[..count]);
    }
    for number in 1..=200 {
        if stream.write_all(&headers(1 + 2 * number)).is_err() {
            break;
        }
    }
    rest(&mut stream);
    assert_eq!(read(&agent, &authority, None, "/gpu/info"), Some(200));
}

#[test]
fn at_the_end_http_2_is_told_so_and_ends_once_it_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path(), "agents");
    let (_simulator, builder) = served_by(&authority.issue("agent", ServerAuth));
    // Far longer than a test takes: whoever waits for it fails.
    let agent = builder.variable("GPULSE_SHUTDOWN_GRACE", "10m").start();
    let mut stream = authority.connect_http2(agent.address());
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).unwrap();
    // GET https://x/gpu/info on stream 1.
    let head = b"\x82\x87\x41\x01x\x44\x09/gpu/info";
    stream
        .write_all(&[0, 0, u8::try_from(head.len()).unwrap(), 1, 5, 0, 0, 0, 1])
        .unwrap();
    stream.write_all(head).unwrap();
    agent.signal(Signal::TERM);
    let mut sent = Vec::new();
    // The end of a TLS connection that the peer has not closed may be an error to it.
    let _ = stream.read_to_end(&mut sent);
    let (mut frames, mut left) = (Vec::new(), sent.as_slice());
    while let Some((frame, _)) = left.split_at_checked(9) {
        let length = usize::from(frame[1]) << 8 | usize::from(frame[2]);
        frames.push((frame[3], frame[4]));
        left = &left[9 + length..];
    }
    const DATA: u8 = 0;
    const GOAWAY: u8 = 7;
    assert!(
        frames.contains(&(DATA, 1)),
        "the last frame of an answer: {frames:?}"
    );
    let farewells = frames.iter().filter(|(kind, _)| *kind == GOAWAY);
    assert!(farewells.count() >= 1, "{frames:?}");
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
    assert!(!ended.log.join("\n").contains("are cut"), "{:#?}", ended.log);
}

#[test]
fn a_pair_that_does_not_fit_ends_the_start_with_its_files() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path(), "agents");
    let (one, other) = (
        authority.issue("one", ServerAuth),
        authority.issue("other", ServerAuth),
    );
    for (certificate, key) in [(&one.0, &other.1), (&one.1, &one.1), (&one.0, &one.0)] {
        let (_simulator, builder) = served_by(&(certificate.clone(), key.clone()));
        let output = builder.bind("127.0.0.1:0").command("serve").output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && (error.contains(".pem") || error.contains(".key")),
            "{error}"
        );
        assert!(!error.contains("PRIVATE KEY"), "{error}");
    }
}
