//! Pushing: what all protocols have in common. An actor ([`Pusher`]) makes batches of the latest snapshot, keeps them in a
//! bounded buffer and sends them in order.

mod access;
mod actor;
mod backoff;
mod buffer;
mod endpoint;
mod http;
mod listed;
mod secrets;
mod sender;
mod subject;

pub use access::{Access, FileError};
pub use actor::{PushSettings, Pusher, StartError};
pub use buffer::{BUFFER_BYTES, MAX_BUFFER_BYTES, MIN_BUFFER_BYTES};
pub use endpoint::{Endpoint, EndpointError};
pub use http::{chain, http_client};
pub use listed::{Headers, NotListed, listed};
pub use subject::Subject;

pub(crate) use access::TlsText;
pub(crate) use buffer::Batch;
pub(crate) use http::HttpSender;
pub(crate) use secrets::Secrets;
pub(crate) use sender::{Accepted, Encoder, Refusal, Sender};
