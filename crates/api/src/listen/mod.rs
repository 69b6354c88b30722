//! Connections: who may open how many, TLS, and what cuts a peer that does not do its part.

mod arrival;
mod connection;
mod farewell;
mod guarded;
mod places;
mod reception;
mod stall;
mod threads;
mod tls;
mod unix_socket;
mod workers;

pub(crate) use arrival::Arrivals;
pub(crate) use connection::{Connection, UnderWay};
pub(crate) use farewell::Farewell;
pub(crate) use guarded::{Guarded, Patience};
pub(crate) use places::Places;
pub(crate) use reception::{Door, Hall, Reception};
pub(crate) use tls::Tls;
pub use tls::TlsFiles;
pub(crate) use unix_socket::SocketFile;
pub use unix_socket::{UnixSocket, UnixSocketSettings};
pub(crate) use workers::{Desk, Workers};

use std::net::TcpListener;

/// Where requests come from.
#[derive(Debug, Default)]
pub struct Listeners {
    /// Bound addresses.
    pub tcp: Vec<TcpListener>,
    /// Whether these are the service manager's as well: at the end, connections that wait there are left to the next agent.
    pub are_shared: bool,
    /// A bound unix socket.
    pub unix: Option<UnixSocket>,
}

impl From<TcpListener> for Listeners {
    fn from(listener: TcpListener) -> Self {
        Self {
            tcp: vec![listener],
            ..Self::default()
        }
    }
}
