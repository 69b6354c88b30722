//! Clients that send nonsense, too much, or half of something.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use super::small;
use crate::support::{Agent, connect, exchange, get, rest, status};

/// An agent that is not patient.
fn impatient() -> (nvml_sim::testing::Simulator, Agent) {
    let (simulator, builder) = small();
    let agent = builder.variable("GPULSE_HTTP__REQUEST_TIMEOUT", "1s").start();
    agent.wait_until_ready();
    (simulator, agent)
}

/// One request and its whole answer, on a connection that stays open.
fn keep_alive(stream: &mut TcpStream) {
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let mut room = [0; 1024];
    while !answer.ends_with(b"{\"alive\":true}") {
        let count = stream.read(&mut room).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&room[..count]);
    }
}

#[test]
fn whoever_stops_half_way_is_cut_and_nobody_else_is() {
    let (_simulator, agent) = impatient();
    let mut idle = connect(agent.address());
    keep_alive(&mut idle);
    let halves: [&[u8]; 6] = [
        b"",
        b"G",
        b"GET /gpu/info HTTP/1.1\r\nhost: x\r\n",
        b"POST /gpu/info HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf",
        b"GET /gpu/info HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n\r\n\r\n",
        b"GET /gpu/info HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf",
    ];
    for half in halves {
        let mut fresh = connect(agent.address());
        fresh.write_all(half).unwrap();
        rest(&mut fresh);
    }
    // What actix-http does not see to: the same on a connection that has been of use before.
    for half in &halves[1..] {
        let mut kept = connect(agent.address());
        keep_alive(&mut kept);
        kept.write_all(half).unwrap();
        rest(&mut kept);
    }
    // An idle connection has rights of its own.
    keep_alive(&mut idle);
}

#[test]
fn whoever_drips_is_cut() {
    let (_simulator, agent) = impatient();
    let mut stream = connect(agent.address());
    keep_alive(&mut stream);
    let head = b"GET /gpu/info HTTP/1.1\r\nx-drip: ";
    stream.write_all(head).unwrap();
    let mut cut = false;
    // A minute of drops: the bound of a test that fails.
    for _ in 0..600 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        if stream.write_all(b"x").is_err() {
            cut = true;
            break;
        }
    }
    assert!(cut, "the agent takes a drop at a time for ever");
}

#[test]
fn what_is_malformed_or_too_much_is_refused_with_a_code() {
    let (_simulator, agent) = impatient();
    let long = |length: usize| "x".repeat(length);
    let many = |count: usize| {
        (0..count)
            .map(|number| format!("x-{number}: y\r\n"))
            .collect::<String>()
    };
    let cases: Vec<(Vec<u8>, &[u16])> = vec![
        (b"nonsense\r\n\r\n".to_vec(), &[400]),
        (b"GET /gpu/info HTTP/9.9\r\n\r\n".to_vec(), &[400]),
        (b"GET /gpu/info HTTP/1.1\r\n\r\n".to_vec(), &[400]),
        (
            b"GET /gpu/info HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n".to_vec(),
            &[400],
        ),
        (
            b"GET /gpu/info HTTP/1.1\r\nhost: x\r\nbad header: y\r\n\r\n".to_vec(),
            &[400],
        ),
        (
            b"GET /gpu/info HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_vec(),
            &[400],
        ),
        (
            b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
            &[400],
        ),
        (
            b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n".to_vec(),
            &[400],
        ),
        (get(&format!("/{}", long(40_000)), ""), &[414]),
        (get(&format!("/{}", long(70_000)), ""), &[400, 414]),
        (get("/gpu/info", &format!("x: {}\r\n", long(200_000))), &[431]),
        (get("/gpu/info", &many(200)), &[431]),
        (get("/gpu/info", "content-length: 70000\r\n"), &[413]),
        (get("/gpu/metrics/%00", ""), &[422]),
        (get("/gpu/metrics/%ff%fe", ""), &[422]),
        (get("/gpu/metrics/99999999999999999999999", ""), &[404]),
        (get("/gpu/metrics/..%2f..%2fetc", ""), &[404, 422]),
        (get("/api/v1/gpus?fields=%ff", ""), &[422]),
        (get("/api/v1/events?after=-1", ""), &[422]),
        (get("/docs/..%2fCargo.toml", ""), &[404]),
        (get("/gpu/info", "accept-encoding: *;q=0\r\n"), &[406]),
        (
            get(
                "/gpu/info",
                "accept-encoding: ;;q=,,\r\nif-none-match: \"\r\nrange: bytes=9-1\r\n",
            ),
            &[200],
        ),
        (get("/gpu/info", "content-length: 3\r\n\r\nabc"), &[200]),
    ];
    for (request, expected) in cases {
        let answer = exchange(&mut connect(agent.address()), &request);
        let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        assert!(expected.contains(&status(&answer)), "{shown:?}: {answer:.200}");
        if [404, 406, 413, 414, 422].contains(&status(&answer)) {
            assert!(answer.contains("{\"detail\":"), "{shown:?}: {answer:.200}");
        }
    }
    let log = agent.log().join("\n");
    assert!(
        !log.contains("ERROR"),
        "what anybody can send is no error of the agent's: {log}"
    );
}

#[test]
fn whoever_asks_too_often_or_opens_too_much_is_told_so_and_others_are_not() {
    let (_simulator, builder) = small();
    let agent = builder
        .variable("GPULSE_HTTP__RATE_LIMIT", "1")
        .variable("GPULSE_HTTP__RATE_BURST", "5")
        .variable("GPULSE_HTTP__MAX_CONNECTIONS_PER_CLIENT", "3")
        .bind("127.0.0.1:0")
        .start();
    let answers: Vec<_> = (0..50).map(|_| agent.get("/health/live")).collect();
    let refused = answers
        .iter()
        .find(|answer| answer.status == 429)
        .expect("one of 50 at once");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(refused.json()["status"], 429);
    assert_eq!(answers[0].status, 200);

    let _held: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = connect(agent.address());
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            assert!(stream.read(&mut [0; 64]).unwrap() > 0);
            stream
        })
        .collect();
    assert_eq!(
        rest(&mut connect(agent.address())),
        "",
        "the fourth of one client"
    );
}

#[test]
fn nothing_is_answered_after_an_answer_that_is_the_last() {
    let (_simulator, agent) = impatient();
    let follows = "GET /gpu/info HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3);
    for first in [
        "GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /health/live HTTP/1.0\r\n\r\n",
        "POST /health/live HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde",
        "GET /health/live HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde",
        "POST /health/live HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        "POST /api/v1/admin/park HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde",
    ] {
        let answers = exchange(
            &mut connect(agent.address()),
            format!("{first}{follows}").as_bytes(),
        );
        assert_eq!(answers.matches("HTTP/1.").count(), 1, "{first}: {answers}");
        assert!(answers.contains("\r\n\r\n{"), "{first}: {answers}");
    }
    // What is sent before it is answered.
    let last = "GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answers = exchange(
        &mut connect(agent.address()),
        format!("{follows}{last}").as_bytes(),
    );
    assert_eq!(answers.matches("HTTP/1.").count(), 4, "{answers}");
}
