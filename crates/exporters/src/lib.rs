//! What the agent tells monitoring systems, in their own words: tables that give each metric a reading, pure encoders over
//! a snapshot, and the actors that push.
//!
//! A [`Profile`] is a table of names over the readings of `models`. It shows its families to a [`Sink`]: the text formats
//! are two of them.

mod exposition;
mod family;
mod kubelet;
pub mod otlp;
mod profile;
mod push;
mod reference;
pub mod remote_write;
pub mod seen;
mod text;
mod thread;

pub use exposition::{expose, to_text};
pub use family::{Exemplar, Extra, Family, Histogram, Kind, Labels, Point, Sink};
pub use kubelet::{KUBELET_SOCKET, PodSettings, PodWatch, watch_pods};
pub use profile::{Each, Profile, Profiles, Row, Scale, Source, Table, UnknownProfile, View};
pub use push::{
    Access, BUFFER_BYTES, Endpoint, EndpointError, FileError, Headers, MAX_BUFFER_BYTES, MIN_BUFFER_BYTES,
    NotListed, PushSettings, Pusher, StartError, Subject, chain, http_client, listed,
};
pub use reference::reference;
pub use text::Format;
