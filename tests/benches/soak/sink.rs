//! Whom the agent pushes to: a receiver that takes, refuses, and does not answer, as chance has it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use super::{chance::Chance, load::Load};

/// Longer than the agent waits for an answer.
const SILENCE: Duration = Duration::from_millis(1_500);

/// The receiver. Its threads end with the process.
pub(crate) struct Sink {
    address: SocketAddr,
    taken: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Sink {
    pub(crate) fn start(seed: u64, load: &Arc<Load>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let sink = Self {
            address: listener.local_addr()?,
            taken: Arc::default(),
            refused: Arc::default(),
        };
        let (taken, refused, load) = (
            Arc::clone(&sink.taken),
            Arc::clone(&sink.refused),
            Arc::clone(load),
        );
        thread::spawn(move || {
            for (number, stream) in (0..).zip(listener.incoming().map_while(Result::ok)) {
                let (taken, refused, load) = (Arc::clone(&taken), Arc::clone(&refused), Arc::clone(&load));
                let chance = Chance::new(seed ^ number << 8);
                thread::spawn(move || serve(&mut BufReader::new(stream), chance, &load, &taken, &refused));
            }
        });
        Ok(sink)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many requests were taken, and how many were not.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (
            self.taken.load(Ordering::Relaxed),
            self.refused.load(Ordering::Relaxed),
        )
    }
}

/// Answers the requests of a connection until either side closes it. While all rest everything is taken.
fn serve(
    stream: &mut BufReader<TcpStream>,
    mut chance: Chance,
    load: &Load,
    taken: &AtomicU64,
    refused: &AtomicU64,
) {
    while swallow(stream).is_some() {
        let status = match chance.below(10) {
            _ if load.rests() => "200 OK",
            0 => "503 Service Unavailable",
            1 => "429 Too Many Requests",
            2 => "400 Bad Request",
            3 => {
                refused.fetch_add(1, Ordering::Relaxed);
                thread::sleep(SILENCE);
                return;
            }
            _ => "200 OK",
        };
        let counter = if status.starts_with("200") { taken } else { refused };
        counter.fetch_add(1, Ordering::Relaxed);
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        if stream.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads a request and forgets it; nothing if the connection is closed.
fn swallow(stream: &mut BufReader<TcpStream>) -> Option<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let read = std::io::copy(&mut stream.take(length), &mut std::io::sink()).ok()?;
    (read == length).then_some(())
}
