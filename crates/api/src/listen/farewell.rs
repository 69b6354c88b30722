//! The end of a connection of HTTP/2: its peer is told to send no further requests, and once nothing is under way it ends.
//!
//! actix-http does neither. A peer that keeps a connection, as collectors do, would hold the agent up for the whole grace time,
//! and lose whatever it asks right at its end without a word. What is said is one frame of 17 bytes, put between
//! those of the connection: where these are flushed none of them is half-way.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Connection;
use crate::drain::Drain;

/// GOAWAY without an error. That the last stream is the highest there is says that requests under way are answered, and also
/// those that were sent before this came (RFC 9113, 6.8).
const GOAWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// How often nothing has to have come or gone between two flushes until a connection is idle: an answer that nobody waits for, such
/// as a refusal, is made by another task and takes a turn.
const QUIET: u32 = 3;

/// A connection that may be one of HTTP/2.
pub(crate) struct Farewell<T> {
    io: T,
    connection: Rc<Connection>,
    /// Done when the end has begun, and what had come by then has been read.
    begins: Option<LocalBoxFuture<'static, ()>>,
    /// What is still to be said.
    left: &'static [u8],
    /// Bytes that came and went, and how many these were at the last flush.
    passed: u64,
    seen: u64,
    /// Whether anything was sent: the first frame is not this one.
    has_written: bool,
    quiet: u32,
}

impl<T> Farewell<T> {
    pub(crate) fn new(io: T, connection: Rc<Connection>, drain: &Arc<Drain>) -> Self {
        let begins = Arc::clone(drain).until_read();
        Self {
            io,
            connection,
            begins: Some(Box::pin(begins)),
            left: GOAWAY,
            passed: 0,
            seen: 0,
            has_written: false,
            quiet: 0,
        }
    }

    /// Whether the end has begun.
    fn has_begun(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(begins) = &mut self.begins
            && begins.as_mut().poll(context).is_ready()
        {
            self.begins = None;
        }
        self.begins.is_none()
    }

    fn is_idle(&self) -> bool {
        self.quiet >= QUIET && !self.connection.is_answering()
    }

    /// Notes that all is sent.
    fn flushed(&mut self, context: &Context<'_>) {
        if self.connection.is_answering() {
            // Whoever ends that flushes again.
            self.quiet = 0;
            return;
        }
        self.quiet = if self.passed == self.seen {
            self.quiet + 1
        } else {
            0
        };
        self.seen = self.passed;
        context.waker().wake_by_ref();
    }
}

impl<T: AsyncWrite + Unpin> Farewell<T> {
    /// Says the rest of it.
    fn poll_say(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.left.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(context, self.left))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.left = &self.left[written..];
        }
        Poll::Ready(Ok(()))
    }

    /// Says the rest of it if it has begun: nothing goes between.
    fn poll_unbroken(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.left.len() == GOAWAY.len() {
            return Poll::Ready(Ok(()));
        }
        self.poll_say(context)
    }

    fn wrote(&mut self, written: usize) {
        self.passed += written as u64;
        self.has_written = true;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Farewell<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.io).poll_read(context, buffer) {
            this.passed += (buffer.filled().len() - before) as u64;
            return Poll::Ready(read);
        }
        if this.connection.is_http2 && this.has_begun(context) && this.is_idle() {
            // As if the peer had closed it.
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Farewell<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_unbroken(context))?;
        let written = ready!(Pin::new(&mut this.io).poll_write(context, bytes))?;
        this.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_unbroken(context))?;
        let written = ready!(Pin::new(&mut this.io).poll_write_vectored(context, bytes))?;
        this.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.io).poll_flush(context))?;
        if this.connection.is_http2 && this.has_written && this.begins.is_none() {
            ready!(this.poll_say(context))?;
            ready!(Pin::new(&mut this.io).poll_flush(context))?;
            this.flushed(context);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;
    use crate::access::Scopes;

    fn pair(
        is_http2: bool,
        room: usize,
    ) -> (DuplexStream, Farewell<DuplexStream>, Rc<Connection>, Arc<Drain>) {
        let (peer, io) = duplex(room);
        let (connection, drain) = (Connection::new(Scopes::NONE, is_http2), Drain::new());
        let farewell = Farewell::new(io, Rc::clone(&connection), &drain);
        (peer, farewell, connection, drain)
    }

    /// Reads and flushes as HTTP/2 does, until the connection is as if its peer had closed it.
    async fn until_ended(farewell: &mut Farewell<DuplexStream>) {
        poll_fn(|context| {
            let mut room = [0; 64];
            let mut buffer = ReadBuf::new(&mut room);
            while Pin::new(&mut *farewell)
                .poll_read(context, &mut buffer)
                .is_ready()
            {
                if buffer.filled().is_empty() {
                    return Poll::Ready(());
                }
                buffer.clear();
            }
            let _ = Pin::new(&mut *farewell).poll_flush(context);
            Poll::Pending
        })
        .await;
    }

    async fn goes_on(farewell: &mut Farewell<DuplexStream>) {
        for _ in 0..50 {
            tokio::select! {
                biased;
                () = until_ended(farewell) => panic!("it has ended"),
                () = tokio::task::yield_now() => {}
            }
        }
    }

    #[tokio::test]
    async fn it_is_said_once_and_the_connection_ends_when_nothing_is_under_way() {
        let (mut peer, mut farewell, connection, drain) = pair(true, 1024);
        farewell.write_all(b"settings").await.unwrap();
        goes_on(&mut farewell).await;
        let under_way = connection.begin();
        drain.begin();
        goes_on(&mut farewell).await;
        farewell.write_all(b"answer").await.unwrap();
        drop(under_way);
        until_ended(&mut farewell).await;
        drop(farewell);
        let mut sent = Vec::new();
        peer.read_to_end(&mut sent).await.unwrap();
        assert_eq!(sent, [b"settings", GOAWAY, b"answer"].concat());
    }

    #[tokio::test]
    async fn nothing_goes_between_its_bytes() {
        let (mut peer, mut farewell, _connection, drain) = pair(true, 10);
        farewell.write_all(b"settings").await.unwrap();
        drain.begin();
        goes_on(&mut farewell).await;
        let reading = tokio::spawn(async move {
            let mut sent = Vec::new();
            peer.read_to_end(&mut sent).await.unwrap();
            sent
        });
        farewell.write_all(b"answer").await.unwrap();
        until_ended(&mut farewell).await;
        drop(farewell);
        assert_eq!(reading.await.unwrap(), [b"settings", GOAWAY, b"answer"].concat());
    }

    #[tokio::test]
    async fn what_has_come_by_then_is_read() {
        let (mut peer, mut farewell, _connection, drain) = pair(true, 1024);
        farewell.write_all(b"settings").await.unwrap();
        drain.begin();
        peer.write_all(b"request").await.unwrap();
        let mut room = [0; 7];
        assert_eq!(farewell.read_exact(&mut room).await.unwrap(), 7);
        assert_eq!(&room, b"request");
    }

    #[tokio::test]
    async fn http_1_is_left_alone() {
        let (mut peer, mut farewell, _connection, drain) = pair(false, 1024);
        farewell.write_all(b"answer").await.unwrap();
        drain.begin();
        goes_on(&mut farewell).await;
        drop(farewell);
        let mut sent = Vec::new();
        peer.read_to_end(&mut sent).await.unwrap();
        assert_eq!(sent, b"answer");
    }
}
