//! Where requests arrive: at a socket that the service manager holds and hands over, or at one that is bound here.
//!
//! A socket of the service manager's outlives the agent: while it is started anew, connections wait instead of being
//! refused, and an old process that cannot end keeps no address.

use std::net::{SocketAddr, TcpListener};

use anyhow::{Context, bail};
use listenfd::ListenFd;

/// The socket that was handed over (`LISTEN_FDS`), or else one that is bound to `address`. To be called before there are
/// other threads: what describes the socket is taken out of the environment.
pub(crate) fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let mut given = ListenFd::from_env();
    match given.len() {
        0 => bind(address),
        1 => given
            .take_tcp_listener(0)
            .context("the socket of the service manager is no TCP socket")?
            .context("the socket of the service manager is gone"),
        several => bail!("the service manager hands {several} sockets over, and only one can be served"),
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| {
        format!(
            "{address} cannot be bound; choose an address of this host with a port that is free, with --bind"
        )
    })
}
