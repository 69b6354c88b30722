//! A receiver over HTTP that keeps what it is sent and answers as it was told.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// With this status, and this header if there is one.
    Status(u16, Option<(&'static str, &'static str)>),
    /// Not at all.
    Silence,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether it was answered with 200.
    pub(super) taken: bool,
}

impl Received {
    /// A header; empty if it was not sent.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }
}

#[derive(Debug, Default)]
struct World {
    script: VecDeque<Answer>,
    received: Vec<Received>,
}

/// The receiver. Its threads end with the test.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
}

impl Receiver {
    /// Answers by `script`, and what comes behind its end with 200.
    pub(super) fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), script, None)
    }

    /// The same by TLS.
    pub(super) fn encrypted(config: ServerConfig) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), [], Some(Arc::new(config)))
    }

    /// The same at an address that was chosen before.
    pub(super) fn at(
        address: SocketAddr,
        script: impl IntoIterator<Item = Answer>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let world = Arc::new(Mutex::new(World {
            script: script.into_iter().collect(),
            received: Vec::new(),
        }));
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            world,
        };
        let serving = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (receiver, tls) = (serving.clone(), tls.clone());
                thread::spawn(move || match tls {
                    None => receiver.serve(stream),
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        receiver.serve(StreamOwned::<_, TcpStream>::new(connection, stream));
                    }
                });
            }
        });
        receiver
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was received so far.
    pub(super) fn received(&self) -> Vec<Received> {
        self.lock().received.clone()
    }

    /// The bodies of those that were taken.
    pub(super) fn taken(&self) -> Vec<Received> {
        let all = self.received();
        all.into_iter().filter(|received| received.taken).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the requests of a connection, until it is closed.
    fn serve(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        while let Some(mut request) = read(&mut stream) {
            let answer = self.lock().script.pop_front();
            let answer = answer.unwrap_or(Answer::Status(200, None));
            request.taken = matches!(answer, Answer::Status(200, _));
            self.lock().received.push(request);
            let Answer::Status(status, header) = answer else {
                loop {
                    thread::park();
                }
            };
            let header = header.map_or(String::new(), |(name, value)| format!("{name}: {value}\r\n"));
            let text = format!("HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\n{header}\r\n");
            if stream.get_mut().write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// Reads a request; nothing if the connection was closed.
fn read(stream: &mut BufReader<impl Read>) -> Option<Received> {
    let mut line = || {
        let mut line = String::new();
        let length = stream.read_line(&mut line).ok()?;
        (length > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?;
    let mut body = vec![0; length.1.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Received {
        path: first.split(' ').nth(1)?.to_owned(),
        headers,
        body,
        taken: false,
    })
}
