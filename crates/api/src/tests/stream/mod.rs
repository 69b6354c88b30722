//! Streams and long polls under paused time: what is sent when, to whom, and what is shared.

mod away;
mod events;
mod long_poll;
mod paced;
mod shown;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{
    body::{BoxBody, MessageBody as _},
    http::{StatusCode, header::HeaderMap},
    test::{TestRequest, init_service},
};
use bytes::Bytes;
use futures_util::future::poll_fn;
use gpulse_models::{Event, EventGpu, EventKind, HostSnapshot, example};
use serde_json::Value;

use super::{Api, app, healthy};
use crate::{cors, drain::Drain, gate::Gate};

const SECOND: Duration = Duration::from_secs(1);

/// A stream as its client has it.
struct Reader {
    status: StatusCode,
    headers: HeaderMap,
    body: BoxBody,
    text: String,
    drain: Arc<Drain>,
}

/// One event of a stream, or a comment.
#[derive(Debug, PartialEq)]
struct Frame {
    kind: String,
    id: Option<u64>,
    data: Value,
    comment: String,
}

impl Api {
    async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Reader {
        let (gate, _) = Gate::open(&self.security).unwrap();
        let drain = Drain::new();
        let cors = cors::layer(&self.cors_origins);
        let service = init_service(app(self.state.clone(), Arc::new(gate), cors, Arc::clone(&drain))).await;
        let request = headers
            .iter()
            .fold(TestRequest::with_uri(path), |request, (name, value)| {
                request.append_header((*name, *value))
            });
        let response = request.send_request(&service).await;
        Reader {
            status: response.status(),
            headers: response.headers().clone(),
            body: BoxBody::new(response.into_body()),
            text: String::new(),
            drain,
        }
    }

    /// Publishes a generation of two GPUs, `at` after the beginning.
    fn publish(&self, generation: u64, at: Duration) {
        let mut host = HostSnapshot {
            generation,
            published_at: example::at() + at,
            ..healthy(2)
        };
        for gpu in &mut host.gpus {
            Arc::make_mut(gpu).generation = generation;
        }
        self.cache.replace(host);
    }

    /// Publishes a generation in which one GPU was read.
    fn publish_gpu(&self, index: usize, generation: u64) {
        let mut host = HostSnapshot::clone(&self.cache.host());
        host.generation = generation;
        Arc::make_mut(&mut host.gpus[index]).generation = generation;
        self.cache.replace(host);
    }

    fn xid(&self, index: u32) {
        let gpu = EventGpu::of(&example::gpu(index));
        self.cache.log(Event {
            sequence: 0,
            at: example::at(),
            gpu: Some(gpu),
            kind: EventKind::Xid(Some(79)),
        });
    }

    fn streams(&self) -> (u64, u64, u64) {
        let streams = self.cache.counters().read().streams;
        (streams.open, streams.snapshots, streams.skipped)
    }
}

impl Reader {
    /// The next piece as the connection gets it.
    async fn piece(&mut self) -> Option<Bytes> {
        let body = &mut self.body;
        let piece = poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await;
        piece.map(|piece| piece.map_err(|_| "broken off").unwrap())
    }

    /// The next frame but for `retry`; nothing at the end.
    async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let parsed = Frame::parse(frame);
                self.text = rest.to_owned();
                match parsed {
                    Some(frame) => return Some(frame),
                    None => continue,
                }
            }
            let piece = self.piece().await?;
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    async fn next(&mut self) -> Frame {
        self.frame().await.unwrap()
    }

    /// The number of the next frame, which is a snapshot.
    async fn snapshot(&mut self) -> u64 {
        let frame = self.next().await;
        assert_eq!(frame.kind, "snapshot", "{frame:?}");
        assert_eq!(frame.data["generation"].as_u64(), frame.id);
        frame.id.unwrap()
    }

    /// Whether nothing is ready to be sent now.
    fn is_silent(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(Pin::new(&mut self.body).poll_next(&mut context), Poll::Pending)
    }
}

impl Frame {
    fn parse(text: &str) -> Option<Self> {
        let mut frame = Self {
            kind: String::new(),
            id: None,
            data: Value::Null,
            comment: String::new(),
        };
        for line in text.lines() {
            match line.split_once(": ").unwrap() {
                ("event", kind) => frame.kind = kind.to_owned(),
                ("id", id) => frame.id = Some(id.parse().unwrap()),
                ("data", data) => frame.data = serde_json::from_str(data).unwrap(),
                ("", comment) => frame.comment = comment.to_owned(),
                ("retry", _) => return None,
                other => panic!("{other:?}"),
            }
        }
        Some(frame)
    }
}

/// A stream over two GPUs at generation 1, of which hello was read.
async fn begun(path: &str) -> (Api, Reader) {
    let api = Api::over(healthy(2));
    api.publish(1, Duration::ZERO);
    let mut reader = api.stream(path, &[]).await;
    assert_eq!(reader.status, StatusCode::OK);
    assert_eq!(reader.next().await.kind, "hello");
    (api, reader)
}
