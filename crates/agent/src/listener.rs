//! Where requests arrive: at a socket that the service manager holds and hands over, or at one that is bound here.
//!
//! A socket of the service manager's outlives the agent: while it is started anew, connections wait instead of being
//! refused, and an old process that cannot end keeps no address.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use gpulse_api::Listeners;
use listenfd::ListenFd;

/// The sockets that were handed over (`LISTEN_FDS`), or else those that are bound to `addresses`. To be called before there are
/// other threads: what describes the sockets is taken out of the environment.
pub(crate) fn listen(addresses: &[SocketAddr]) -> anyhow::Result<Listeners> {
    let mut given = ListenFd::from_env();
    let are_shared = given.len() > 0;
    let tcp = if are_shared {
        take(&mut given)
    } else {
        addresses.iter().copied().map(bind).collect()
    };
    Ok(Listeners {
        tcp: tcp?,
        are_shared,
        unix: None,
    })
}

fn take(given: &mut ListenFd) -> anyhow::Result<Vec<TcpListener>> {
    (0..given.len())
        .map(|place| {
            given
                .take_tcp_listener(place)
                .context("a socket of the service manager is no TCP socket")?
                .context("a socket of the service manager is gone")
        })
        .collect()
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| {
        format!(
            "{address} cannot be bound; choose an address of this host with a port that is free, with --bind"
        )
    })
}
