//! Which containers hold which GPUs, from the kubelet: its PodResources API, asked over a unix socket of the node.
//!
//! 1. A thread of its own asks every interval, each time over a connection of its own ([`client`]), so that a kubelet
//!    that was started anew is another socket and nothing more.
//! 2. What is a GPU among the devices of the answer becomes an assignment ([`resources`]; the messages are in [`wire`]).
//! 3. What that says together with what was said before goes to whoever listens ([`watch`]); the pause after a failure
//!    grows.
//!
//! Nobody waits for the thread: a kubelet that hangs leaves everything else as it is.

mod client;
mod resources;
mod watch;
mod wire;

pub use watch::{KUBELET_SOCKET, PodSettings, PodWatch, watch_pods};
