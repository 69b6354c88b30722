//! Each request is one line in the log. In a process of its own, since the workers write to the one global log.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use gpulse_aggregator::SnapshotCache;
use gpulse_api::{ApiConfig, DashboardLinks, HttpServer, Metrics, Security};
use gpulse_exporters::{Profile, Profiles};
use gpulse_models::{GpuState, example};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .map_err(|_| io::ErrorKind::Other)?
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[actix_web::test]
async fn each_request_is_one_line() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let mut lost = example::gpu(1);
    lost.health.state = GpuState::Lost;
    let cache = Arc::new(SnapshotCache::holding(example::host([example::gpu(0), lost])));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = ApiConfig {
        agent_id: "resource-agent-001".to_owned(),
        workers: 2,
        max_connections: 100,
        keep_alive: Duration::from_secs(5),
        request_timeout: Duration::from_secs(5),
        cors_origins: Vec::new(),
        sampling_interval: Duration::from_secs(1),
        version: "0.1.0",
        metrics: Metrics {
            profiles: Profiles::from_iter([Profile::Native]),
            node: "node-1".to_owned(),
            per_process: false,
            created: false,
        },
        target: None,
        security: Security::default(),
        dashboard: Some(DashboardLinks::default()),
    };
    let server = HttpServer::start(listener, cache, config).unwrap();
    let expected = [
        ("DEBUG", "/gpu/metrics/0", 200),
        ("DEBUG", "/nowhere", 404),
        ("DEBUG", "/gpu/metrics/1", 500),
    ];
    tokio::task::spawn_blocking(move || {
        for (_, path, _) in expected {
            let mut stream = TcpStream::connect(address).unwrap();
            let request =
                format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-request-id: mine\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        }
    })
    .await
    .unwrap();
    server.stop(Duration::from_secs(5)).await;

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("request answered"))
        .collect();
    assert_eq!(lines.len(), expected.len(), "{log}");
    for (line, (level, path, status)) in lines.iter().zip(expected) {
        assert!(line.contains(level), "{line}");
        assert!(
            line.contains(&format!("path={path:?} status={status} duration_us=")),
            "{line}"
        );
        assert!(
            line.contains("method=GET") && line.contains("request_id=\"mine\""),
            "{line}"
        );
    }
}
