//! A kubelet of the tests' own: gRPC over a unix socket, with answers written byte by byte, so that a mistake in the
//! agent's messages is not made twice. The end-to-end tests use it as well.

use std::{
    convert::Infallible,
    fs,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    thread,
};

use bytes::{Buf as _, BufMut as _};
use tokio::{net::UnixListener, sync::oneshot};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{Service, http},
    server::{Grpc, UnaryService},
    transport::Server,
};

const LIST: &str = "/v1.PodResourcesLister/List";

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a kubelet says when it is asked.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// These bytes, as the one message of the answer.
    Bytes(Vec<u8>),
    /// This error.
    Error(Status),
    /// Nothing, for ever.
    Silence,
}

/// A kubelet. It ends, and its socket goes, when it is dropped.
#[derive(Debug)]
pub(crate) struct FakeKubelet {
    socket: PathBuf,
    world: World,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Clone, Debug)]
struct World {
    answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
}

impl FakeKubelet {
    /// A kubelet that listens at `socket` and says `answer`.
    pub(crate) fn at(socket: &Path, answer: Answer) -> Self {
        let world = World {
            answer: Arc::new(Mutex::new(answer)),
            asked: Arc::default(),
        };
        let (end, ended) = oneshot::channel();
        let (path, served) = (socket.to_owned(), world.clone());
        let (tell, listens) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let incoming = UnixListenerStream::new(UnixListener::bind(path).unwrap());
                tell.send(()).unwrap();
                tokio::select! {
                    _ = ended => {}
                    outcome = Server::builder().serve_with_incoming(served, incoming) => outcome.unwrap(),
                }
            });
        });
        listens.recv().unwrap();
        Self {
            socket: socket.to_owned(),
            world,
            end: Some(end),
            thread: Some(thread),
        }
    }

    /// Says this from now on.
    pub(crate) fn say(&self, answer: Answer) {
        *self.world.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.world.asked.load(Ordering::SeqCst)
    }
}

impl Drop for FakeKubelet {
    fn drop(&mut self) {
        // What is under way is cut off, as by a process that ends.
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.socket);
    }
}

/// A container with these devices: namespace, pod, container, resource, device ids.
pub(crate) fn holder(names: [&str; 3], resource: &str, ids: &[&str]) -> Vec<u8> {
    let mut devices = field(1, resource.as_bytes());
    for id in ids {
        devices.extend(field(2, id.as_bytes()));
    }
    // The topology, which is skipped: NUMA node 1.
    devices.extend(field(3, &field(1, &[0x08, 0x01])));
    pod(names, &field(2, &devices))
}

/// A container with a claim: driver, device, and CDI device.
pub(crate) fn claimant(names: [&str; 3], driver: &str, device: &str, cdi: &str) -> Vec<u8> {
    let claimed = [
        field(1, &field(1, cdi.as_bytes())),
        field(2, driver.as_bytes()),
        field(3, b"node-1"),
        field(4, device.as_bytes()),
    ];
    let resource = [
        field(2, b"claim"),
        field(3, b"default"),
        field(4, &claimed.concat()),
    ];
    pod(names, &field(5, &resource.concat()))
}

fn pod([namespace, pod, name]: [&str; 3], resources: &[u8]) -> Vec<u8> {
    let container = [
        field(1, name.as_bytes()),
        // Exclusive CPUs, which are skipped.
        field(3, &[0x00, 0x01, 0x02]),
        resources.to_owned(),
    ];
    let pod = [
        field(1, pod.as_bytes()),
        field(2, namespace.as_bytes()),
        field(3, &container.concat()),
    ];
    field(1, &pod.concat())
}

/// A field of a protobuf message that has a length.
pub(crate) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes.extend_from_slice(content);
    bytes
}

impl Service<http::Request<Body>> for World {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Later<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let world = self.clone();
        Box::pin(async move {
            if request.uri().path() != LIST {
                return Ok(Status::unimplemented("no such method").into_http());
            }
            Ok(Grpc::new(Raw).unary(world, request).await)
        })
    }
}

impl UnaryService<Vec<u8>> for World {
    type Response = Vec<u8>;
    type Future = Later<Result<Response<Vec<u8>>, Status>>;

    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            match answer {
                _ if !request.get_ref().is_empty() => Err(Status::invalid_argument("the request is empty")),
                Answer::Bytes(bytes) => Ok(Response::new(bytes)),
                Answer::Error(status) => Err(status),
                Answer::Silence => std::future::pending().await,
            }
        })
    }
}

/// Messages as they are.
#[derive(Clone, Copy, Debug)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, room: &mut EncodeBuf<'_>) -> Result<(), Status> {
        room.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(bytes.copy_to_bytes(bytes.remaining()).to_vec()))
    }
}
