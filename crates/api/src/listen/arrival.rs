//! What happens to a connection before its first request: a place for it, the TLS handshake, and who is there.

use std::{io, net::SocketAddr, rc::Rc, sync::Arc};

use actix_http::{Protocol, error::DispatchError};
use gpulse_aggregator::{Counters, OpenConnection};
use tokio::{
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use super::{Connection, Farewell, Guarded, Patience, Places, Tls};
use crate::{access::Scopes, drain::Drain};

/// A connection, ready for HTTP.
type Arrived<T> = (Guarded<T>, Protocol, Option<SocketAddr>);

/// Receives connections.
#[derive(Clone)]
pub(crate) struct Arrivals {
    patience: Patience,
    places: Option<Arc<Places>>,
    counters: Arc<Counters>,
    drain: Arc<Drain>,
}

impl Arrivals {
    pub(crate) fn new(
        patience: Patience,
        places: Option<Arc<Places>>,
        counters: Arc<Counters>,
        drain: Arc<Drain>,
    ) -> Self {
        Self {
            patience,
            places,
            counters,
            drain,
        }
    }

    /// A connection from the network.
    pub(crate) fn tcp(&self, stream: TcpStream) -> Result<Arrived<TcpStream>, DispatchError> {
        let peer = stream.peer_addr().map_err(DispatchError::Io)?;
        let place = self.place(peer)?;
        let open = self.counters.http().accepted();
        stream.set_nodelay(true).map_err(DispatchError::Io)?;
        let connection = Connection::new(Scopes::NONE, false);
        let guarded = Guarded::new(stream, connection, self.patience, place, open);
        Ok((guarded, Protocol::Http1, Some(peer)))
    }

    /// A connection from the network that is to become one of TLS.
    pub(crate) async fn tls(
        &self,
        tls: &Tls,
        stream: TcpStream,
    ) -> Result<Arrived<Farewell<TlsStream<TcpStream>>>, DispatchError> {
        let peer = stream.peer_addr().map_err(DispatchError::Io)?;
        let place = self.place(peer)?;
        let open = self.counters.http().accepted();
        stream.set_nodelay(true).map_err(DispatchError::Io)?;
        let stream = match timeout(self.patience.request, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(refused(&open, peer, error)),
            Err(_) => return Err(refused(&open, peer, io::ErrorKind::TimedOut.into())),
        };
        let (_, session) = stream.get_ref();
        let is_http2 = session.alpn_protocol() == Some(b"h2");
        // Where certificates are asked for nobody gets here without one.
        let scopes = if session.peer_certificates().is_some() {
            tls.client_scopes
        } else {
            Scopes::NONE
        };
        let protocol = if is_http2 {
            Protocol::Http2
        } else {
            Protocol::Http1
        };
        let connection = Connection::new(scopes, is_http2);
        let stream = Farewell::new(stream, Rc::clone(&connection), &self.drain);
        let guarded = Guarded::new(stream, connection, self.patience, place, open);
        Ok((guarded, protocol, Some(peer)))
    }

    /// A connection from this host, of somebody whom the socket's mode lets in.
    pub(crate) fn unix(&self, stream: UnixStream) -> Arrived<UnixStream> {
        let guarded = Guarded::new(
            stream,
            Connection::new(Scopes::READER, false),
            self.patience,
            None,
            self.counters.http().accepted(),
        );
        (guarded, Protocol::Http1, None)
    }

    fn place(&self, peer: SocketAddr) -> Result<Option<super::places::Place>, DispatchError> {
        let Some(places) = &self.places else {
            return Ok(None);
        };
        let place = places.take(peer.ip());
        if place.is_none() {
            self.counters.http().refused();
            tracing::debug!(%peer, "connection refused: this client has as many as it may have");
            return Err(DispatchError::Io(io::ErrorKind::ConnectionRefused.into()));
        }
        Ok(place)
    }
}

fn refused(open: &OpenConnection, peer: SocketAddr, error: io::Error) -> DispatchError {
    open.handshake_failed();
    tracing::debug!(%peer, %error, "TLS handshake failed");
    DispatchError::Io(error)
}
