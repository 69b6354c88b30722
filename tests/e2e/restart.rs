//! The agent is killed, or told to end, while clients ask it: they see whole answers or none.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{AgentBuilder, connect, eventually, get, rest, simulator};

/// What clients saw so far.
#[derive(Debug, Default)]
struct Seen {
    whole: AtomicUsize,
    refused: AtomicUsize,
    cut: AtomicUsize,
}

impl Seen {
    /// Asks once and takes note. A cut answer is one that its own length shows to be cut.
    fn ask(&self, address: SocketAddr) {
        let Ok(mut stream) = TcpStream::connect(address) else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let mut answer = Vec::new();
        let sent = stream.write_all(&get("/api/v1/gpus", ""));
        let read = sent.and_then(|()| stream.read_to_end(&mut answer));
        let whole = body(&String::from_utf8_lossy(&answer)).is_some_and(|(body, _)| {
            let body: Value = serde_json::from_str(body).unwrap();
            // The GPUs, or that they are not known yet.
            assert!(body["gpus"].is_array() || body["status"] == 503, "{body}");
            true
        });
        assert!(!whole || read.is_ok(), "{read:?} after a whole answer");
        let seen = if whole { &self.whole } else { &self.cut };
        seen.fetch_add(1, Ordering::Relaxed);
    }

    fn whole(&self) -> usize {
        self.whole.load(Ordering::Relaxed)
    }
}

/// Ends the clients, also where the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The body of the first answer, if all of it came, and what follows.
fn body(answers: &str) -> Option<(&str, &str)> {
    let (head, rest) = answers.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    })?;
    rest.split_at_checked(length.parse().unwrap())
}

#[test]
fn no_client_takes_a_cut_answer_for_a_whole_one_when_the_agent_is_killed() {
    const KILLS: usize = 5;
    let simulator = simulator("h100-sxm-8");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let builder = AgentBuilder::over(simulator.library_path()).bind(&address.to_string());
    let (seen, is_over) = (Seen::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        let _end = End(&is_over);
        for _ in 0..8 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    seen.ask(address);
                }
            });
        }
        for _ in 0..KILLS {
            let agent = builder.start();
            agent.wait_until_ready();
            let before = seen.whole();
            eventually(
                "clients are served",
                || seen.whole(),
                |whole| *whole >= before + 50,
            );
            let status = agent.end(Signal::KILL).status;
            assert_eq!(status.code(), None, "{status}");
        }
    });
    assert!(seen.refused.load(Ordering::Relaxed) > 0, "{seen:?}");
}

#[test]
fn sigterm_cuts_no_answer_that_has_begun_and_the_last_one_says_so() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SHUTDOWN_GRACE", "10m")
        .start();
    agent.wait_until_ready();
    let lone = agent.get("/openapi.json").body;
    // Each client asks for more than all buffers on the way hold, and has read one byte of it.
    const REQUESTS: usize = 200;
    let requests = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(REQUESTS);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut client = connect(agent.address());
            client.write_all(requests.as_bytes()).unwrap();
            client.read_exact(&mut [0]).unwrap();
            client
        })
        .collect();
    agent.signal(Signal::TERM);
    eventually(
        "the signal is noticed",
        || agent.log().join("\n"),
        |log| log.contains("ending"),
    );
    for mut client in clients {
        let answers = rest(&mut client);
        let (mut left, mut heads) = (answers.as_str(), Vec::new());
        while !left.is_empty() {
            let (whole, follows) = body(left).expect("an answer was cut");
            assert_eq!(whole.as_bytes(), lone);
            heads.push(left.split_once("\r\n\r\n").unwrap().0);
            left = follows;
        }
        let (last, others) = heads.split_last().unwrap();
        assert!(last.contains("\r\nconnection: close"), "the last one: {last}");
        // Nobody is told that it is the last and then sent another one.
        assert!(others.iter().all(|head| !head.contains("connection: close")));
        assert!(
            heads.len() < REQUESTS,
            "all were answered before the end had begun"
        );
    }
    let ended = agent.end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
}

#[test]
fn sigterm_answers_whoever_is_connected_and_has_asked_by_then() {
    let simulator = simulator("t4");
    let builder = AgentBuilder::over(simulator.library_path());
    // How many of them the agent has taken in when the signal comes differs from time to time.
    for _ in 0..5 {
        let agent = builder.start();
        agent.wait_until_ready();
        let clients: Vec<_> = (0..100)
            .map(|_| {
                let mut client = connect(agent.address());
                client.write_all(&get("/api/v1/gpus", "")).unwrap();
                client
            })
            .collect();
        agent.signal(Signal::TERM);
        for (mut client, number) in clients.into_iter().zip(0..) {
            let answer = rest(&mut client);
            let body = body(&answer).unwrap_or_else(|| panic!("client {number} was sent {answer:?}"));
            assert!(body.0.contains("\"gpus\":["), "client {number} was sent {answer}");
        }
        let ended = agent.end(Signal::TERM);
        assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
    }
}
