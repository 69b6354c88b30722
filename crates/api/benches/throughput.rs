//! How fast the hot route answers, against a bare actix-web handler that sends as many bytes.
//!
//! Both servers run in this process with the same number of workers and are asked in turn by the same clients over
//! kept-alive connections, while a writer publishes a new generation eight times a second. What counts is the
//! ratio, and its median over the rounds; a machine that does something else on the side shifts both sides alike.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use actix_web::{App, HttpResponse, web};
use bytes::Bytes;
use gpulse_aggregator::SnapshotCache;
use gpulse_api::{ApiConfig, DashboardLinks, HttpServer, Metrics, Security};
use gpulse_exporters::{Profile, Profiles};
use gpulse_models::{GpuSnapshot, HostSnapshot, example};

const GPUS: u32 = 8;
const WORKERS: usize = 2;
const CLIENT_THREADS: usize = 2;
const CONNECTIONS_PER_THREAD: usize = 16;
const ROUNDS: usize = 31;
const ROUND: Duration = Duration::from_millis(300);
const PUBLICATION: Duration = Duration::from_millis(125);

fn main() {
    // As in production: someone listens, but not for debug lines.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .with_writer(std::io::sink)
        .init();
    let cache = Arc::new(SnapshotCache::holding(example::host((0..GPUS).map(example::gpu))));
    let ours = serve_ours(Arc::clone(&cache));
    thread::spawn(move || publish(&cache));

    for path in ["/gpu/metrics", "/metrics"] {
        println!("{path}");
        compare("identity", ours, path, "");
        compare("gzip", ours, path, "accept-encoding: gzip, deflate\r\n");
        compare("zstd", ours, path, "accept-encoding: zstd\r\n");
        compare("304", ours, path, "if-none-match: *\r\n");
    }
}

/// Measures both servers in turn and prints what came out.
fn compare(name: &str, ours: SocketAddr, path: &str, headers: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: gpulse\r\n{headers}\r\n");
    let (status, size) = probe(ours, &request);
    let bare = serve_bare(status, size);
    assert_eq!(probe(bare, &request), (status, size), "both servers send as much");
    let (mut ours_cpu, mut bare_cpu) = (Vec::new(), Vec::new());
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let (bare, ours) = (drive(bare, &request), drive(ours, &request));
            bare_cpu.push(bare.cpu);
            ours_cpu.push(ours.cpu);
            (ours.rate / bare.rate, ours.rate, bare.rate)
        })
        .collect();
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, ours, bare) = rounds[ROUNDS / 2];
    let (worst, best) = (rounds[0].0, rounds[ROUNDS - 1].0);
    println!(
        "{name:8} {size:6} bytes: gpulse {ours:7.0} req/s, bare {bare:7.0} req/s, ratio {ratio:.3} ({worst:.3} to {best:.3}); \
         server CPU {:.2} and {:.2} us/req",
        median(ours_cpu),
        median(bare_cpu)
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What one round brought.
struct Round {
    /// Requests a second.
    rate: f64,
    /// Microseconds of the workers' CPU time for each request: steadier than the rate on a busy machine.
    cpu: f64,
}

/// What `server` answers in one round.
fn drive(server: SocketAddr, request: &str) -> Round {
    let (began, cpu) = (Instant::now(), workers_cpu());
    let clients: Vec<_> = (0..CLIENT_THREADS)
        .map(|_| {
            let request = request.to_owned();
            thread::spawn(move || {
                let mut connections: Vec<_> = (0..CONNECTIONS_PER_THREAD)
                    .map(|_| Client::connect(server))
                    .collect();
                let started = Instant::now();
                let mut answered = 0_u32;
                while started.elapsed() < ROUND {
                    for connection in &mut connections {
                        connection.send(&request);
                    }
                    for connection in &mut connections {
                        connection.receive();
                        answered += 1;
                    }
                }
                f64::from(answered)
            })
        })
        .collect();
    let answered: f64 = clients
        .into_iter()
        .map(|client| client.join().expect("client"))
        .sum();
    Round {
        rate: answered / began.elapsed().as_secs_f64(),
        cpu: (workers_cpu() - cpu) * 1e6 / answered,
    }
}

/// Seconds of CPU time that the threads of this process have used, the clients' and the main one excepted; only the
/// server that is asked uses any.
fn workers_cpu() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let nanoseconds = tasks.filter_map(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let used = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        let used: f64 = used.split(' ').next()?.parse().ok()?;
        ["actix", "http-"]
            .iter()
            .any(|kind| name.starts_with(kind))
            .then_some(used)
    });
    nanoseconds.sum::<f64>() / 1e9
}

/// Status and size of one answer.
fn probe(server: SocketAddr, request: &str) -> (u16, usize) {
    let mut client = Client::connect(server);
    client.send(request);
    client.receive()
}

/// A kept-alive connection.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("connect");
        stream.set_nodelay(true).expect("nodelay");
        Self {
            stream,
            buffer: vec![0; 1 << 20],
        }
    }

    fn send(&mut self, request: &str) {
        self.stream.write_all(request.as_bytes()).expect("send");
    }

    /// Reads one answer to its end.
    fn receive(&mut self) -> (u16, usize) {
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).expect("receive");
            assert!(read > 0, "the server closed the connection");
            filled += read;
            let Some(head) = self.buffer[..filled]
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n")
            else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..head]).expect("head");
            let status = text[9..12].parse().expect("status");
            let size = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |size| size.parse().expect("size"));
            while filled < head + 4 + size {
                let read = self.stream.read(&mut self.buffer[filled..]).expect("receive");
                assert!(read > 0, "the server closed the connection");
                filled += read;
            }
            return (status, size);
        }
    }
}

/// Publishes as eight samplers do that tick once a second: one GPU changes per generation.
fn publish(cache: &SnapshotCache) {
    for turn in 0.. {
        thread::sleep(PUBLICATION);
        let host = HostSnapshot::clone(&cache.host());
        let generation = host.generation + 1;
        let mut next = HostSnapshot { generation, ..host };
        let place = turn % next.gpus.len();
        let gpu = GpuSnapshot::clone(&next.gpus[place]);
        next.gpus[place] = Arc::new(GpuSnapshot { generation, ..gpu });
        cache.replace(next);
    }
}

fn serve_ours(cache: Arc<SnapshotCache>) -> SocketAddr {
    serve(move |listener| {
        let config = ApiConfig {
            agent_id: "resource-agent-001".to_owned(),
            workers: WORKERS,
            max_connections: 1_000,
            keep_alive: Duration::from_secs(60),
            request_timeout: Duration::from_secs(5),
            cors_origins: Vec::new(),
            sampling_interval: Duration::from_secs(1),
            version: "0.0.0",
            target: None,
            metrics: Metrics {
                profiles: Profiles::from_iter([Profile::Native]),
                node: "node-1".to_owned(),
                per_process: false,
                created: false,
            },
            security: Security::default(),
            dashboard: Some(DashboardLinks::default()),
        };
        // Kept by the thread, which lasts as long as the process.
        std::mem::forget(HttpServer::start(listener, cache, config).expect("server"));
    })
}

/// A server that sends `size` bytes and does nothing else.
fn serve_bare(status: u16, size: usize) -> SocketAddr {
    let body = Bytes::from(vec![b'x'; size]);
    serve(move |listener| {
        let app = move || {
            let body = body.clone();
            let handler = move || {
                let body = body.clone();
                let mut response = HttpResponse::build(status.try_into().expect("status"));
                async move {
                    if body.is_empty() {
                        response.finish()
                    } else {
                        response.content_type("application/json").body(body)
                    }
                }
            };
            App::new()
                .route("/gpu/metrics", web::get().to(handler.clone()))
                .route("/metrics", web::get().to(handler))
        };
        let server = actix_web::HttpServer::new(app)
            .workers(WORKERS)
            .keep_alive(Duration::from_secs(60))
            .tcp_nodelay(true)
            .disable_signals()
            .listen(listener)
            .expect("listen");
        tokio::spawn(server.run());
    })
}

/// Calls `start` with a listener on a runtime that runs as long as the process.
fn serve(start: impl FnOnce(TcpListener) + Send + 'static) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_rt::System::new().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
            sender
                .send(listener.local_addr().expect("address"))
                .expect("main waits");
            start(listener);
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().expect("server thread")
}
