//! A connection's bytes, watched: a peer that owes something and does not send it, or does not take what it is sent,
//! is cut.
//!
//! actix-http bounds the first head of a connection and the pauses between requests, but neither a head that stops
//! half-way on a kept-alive connection, nor a body that stops, nor a peer that does not read. What a request costs
//! here is a comparison of its last bytes; no clock is read and no timer is set as long as requests come whole.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use gpulse_aggregator::OpenConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{connection::Connection, places::Place, stall::Stall};

/// Bytes that a peer may send without being sent any: a full head and a body of what is permitted, many times over.
const MOST_UNANSWERED: usize = 1 << 20;

/// A peer that takes nothing for so long has gone, or wants to hold the connection.
const LONGEST_UNREAD: Duration = Duration::from_secs(30);

/// The end of a head or of a body in chunks; the last bytes of a request that is whole.
const ENDS: [&[u8]; 2] = [b"\n\r\n", b"\n\n"];
const END_LENGTH: usize = 3;

/// How long a peer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// To send a request that it has begun.
    pub(crate) request: Duration,
    /// Until its next request on HTTP/2; on HTTP/1.1 actix-http sees to that.
    pub(crate) idle: Duration,
}

/// A connection that is watched.
#[derive(Debug)]
pub(crate) struct Guarded<T> {
    io: T,
    connection: Rc<Connection>,
    patience: Patience,
    /// The last bytes that came, the latest at the end.
    tail: [u8; END_LENGTH],
    /// Whether a request has begun to come.
    is_owed: bool,
    /// Requests that came whole.
    whole: u64,
    unanswered: usize,
    written: u64,
    reading: Stall,
    writing: Stall,
    _place: Option<Place>,
    /// Counts it as open, and what is sent.
    open: OpenConnection,
}

impl<T> Guarded<T> {
    pub(crate) fn new(
        io: T,
        connection: Rc<Connection>,
        patience: Patience,
        place: Option<Place>,
        open: OpenConnection,
    ) -> Self {
        Self {
            io,
            connection,
            patience,
            tail: [0; END_LENGTH],
            is_owed: false,
            whole: 0,
            unanswered: 0,
            written: 0,
            reading: Stall::default(),
            writing: Stall::default(),
            _place: place,
            open,
        }
    }

    pub(crate) fn connection(&self) -> Rc<Connection> {
        Rc::clone(&self.connection)
    }

    /// Notes what came; whether that is bearable.
    fn received(&mut self, bytes: &[u8]) -> bool {
        self.unanswered += bytes.len();
        if let Some(last) = bytes.last_chunk::<END_LENGTH>() {
            self.tail = *last;
        } else {
            self.tail.rotate_left(bytes.len());
            self.tail[END_LENGTH - bytes.len()..].copy_from_slice(bytes);
        }
        self.is_owed = !ENDS.iter().any(|end| self.tail.ends_with(end));
        self.whole += u64::from(!self.is_owed);
        self.unanswered <= MOST_UNANSWERED
    }

    /// Whether the peer has let the agent wait for too long.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        // What is under way keeps the peer waiting, not the other way round.
        if self.connection.is_answering() {
            return false;
        }
        if self.connection.is_http2 {
            return self
                .reading
                .is_over(context, self.connection.requests(), self.patience.idle);
        }
        self.is_owed && self.reading.is_over(context, self.whole, self.patience.request)
    }

    fn sent(&mut self, written: usize) {
        self.written += written as u64;
        self.open.sent(written);
        self.unanswered = 0;
        self.connection.flowing();
    }

    /// Pending, unless the peer has not taken anything for too long.
    fn blocked<R>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        if self.writing.is_over(context, self.written, LONGEST_UNREAD) {
            return Poll::Ready(Err(self.cut("the peer does not read what it is sent")));
        }
        self.connection.blocked();
        Poll::Pending
    }

    fn cut(&self, why: &'static str) -> io::Error {
        tracing::debug!(why, "connection cut");
        self.open.cut();
        io::Error::new(io::ErrorKind::TimedOut, why)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.connection.is_condemned() {
            return Poll::Ready(Err(this.cut("too many requests at once on one connection")));
        }
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.io).poll_read(context, buffer) {
            read?;
            let new = &buffer.filled()[before..];
            if !new.is_empty() && !this.received(new) {
                return Poll::Ready(Err(this.cut("the peer sends without end")));
            }
            return Poll::Ready(Ok(()));
        }
        if this.is_late(context) {
            return Poll::Ready(Err(this.cut("the peer does not finish its request")));
        }
        Poll::Pending
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.io).poll_write(context, bytes) {
            Poll::Ready(written) => Poll::Ready(written.inspect(|written| this.sent(*written))),
            Poll::Pending => this.blocked(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.io).poll_write_vectored(context, bytes) {
            Poll::Ready(written) => Poll::Ready(written.inspect(|written| this.sent(*written))),
            Poll::Pending => this.blocked(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.io).poll_flush(context) {
            Poll::Ready(flushed) => {
                this.connection.flushed();
                Poll::Ready(flushed)
            }
            Poll::Pending => this.blocked(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.io).poll_shutdown(context))?;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use gpulse_aggregator::Http;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;
    use crate::access::Scopes;

    const PATIENCE: Patience = Patience {
        request: Duration::from_secs(5),
        idle: Duration::from_secs(75),
    };

    fn pair(is_http2: bool) -> (tokio::io::DuplexStream, Guarded<tokio::io::DuplexStream>) {
        let (peer, io) = duplex(64 * 1024);
        let connection = Connection::new(Scopes::NONE, is_http2);
        (
            peer,
            Guarded::new(io, connection, PATIENCE, None, Http::default().accepted()),
        )
    }

    /// How long the connection is read before it is cut.
    async fn until_cut(guarded: &mut Guarded<tokio::io::DuplexStream>) -> Duration {
        let start = tokio::time::Instant::now();
        let mut room = [0; 4096];
        while guarded.read(&mut room).await.is_ok() {}
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_stops_half_way_is_cut() {
        for request in [
            &b"G"[..],
            b"GET / HTTP/1.1\r\n",
            b"GET / HTTP/1.1\r\nhost: x\r\n",
            b"\r\n\r\nGET",
        ] {
            let (mut peer, mut guarded) = pair(false);
            peer.write_all(request).await.unwrap();
            assert_eq!(until_cut(&mut guarded).await.as_secs(), 5);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_drips_is_cut() {
        let (mut peer, mut guarded) = pair(false);
        let dripping = tokio::spawn(async move {
            while peer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(until_cut(&mut guarded).await.as_secs(), 5);
        drop(guarded);
        dripping.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_came_whole_leaves_the_peer_alone() {
        for pieces in [
            &[&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..]][..],
            &[b"GET / HTTP/1.1\n\n"],
            &[b"GET / HTTP/1.1\r\n", b"\r\n"],
            &[b"GET / HTTP/1.1\r\n\r", b"\n"],
            &[b"GET / HTTP/1.1\r", b"\n", b"\r", b"\n"],
        ] {
            let (mut peer, mut guarded) = pair(false);
            for piece in pieces {
                peer.write_all(piece).await.unwrap();
                let mut room = [0; 64];
                assert_eq!(guarded.read(&mut room).await.unwrap(), piece.len());
            }
            let waiting = tokio::time::timeout(Duration::from_secs(3600), until_cut(&mut guarded));
            assert!(waiting.await.is_err(), "{pieces:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_being_answered_is_not_late() {
        let (mut peer, mut guarded) = pair(false);
        peer.write_all(b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nhalf")
            .await
            .unwrap();
        let under_way = guarded.connection().begin();
        let waiting = tokio::time::timeout(Duration::from_secs(60), until_cut(&mut guarded));
        assert!(waiting.await.is_err());
        drop(under_way);
        assert!(until_cut(&mut guarded).await <= PATIENCE.request * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_is_cut() {
        let (_peer, mut guarded) = pair(false);
        let start = tokio::time::Instant::now();
        let error = guarded.write_all(&[0; 256 * 1024]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), LONGEST_UNREAD);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_slowly_is_served() {
        let (mut peer, mut guarded) = pair(false);
        let reading = tokio::spawn(async move {
            let mut room = [0; 1024];
            while peer.read(&mut room).await.unwrap() > 0 {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        });
        guarded.write_all(&[0; 256 * 1024]).await.unwrap();
        drop(guarded);
        reading.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_sends_without_end_is_cut() {
        let (mut peer, mut guarded) = pair(false);
        let sending = tokio::spawn(async move { while peer.write_all(&[b'\n'; 4096]).await.is_ok() {} });
        assert_eq!(until_cut(&mut guarded).await, Duration::ZERO);
        assert!(guarded.unanswered <= MOST_UNANSWERED + 4096);
        drop(guarded);
        sending.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_http2_connection_is_cut_and_one_with_too_many_requests_at_once() {
        let (mut peer, mut guarded) = pair(true);
        peer.write_all(b"frames").await.unwrap();
        assert_eq!(until_cut(&mut guarded).await, PATIENCE.idle);

        let (_peer, mut guarded) = pair(true);
        let connection = guarded.connection();
        let many: Vec<_> = (0..128).map(|_| connection.begin()).collect();
        assert!(!connection.is_condemned());
        let _one_more = connection.begin();
        assert_eq!(until_cut(&mut guarded).await, Duration::ZERO);
        drop(many);
    }
}
