//! Large bodies: whole to peers that read, in slices once too much waits for peers that do not.
//!
//! actix-http copies what a body hands over into the connection's buffer, and takes more of it once that was sent. A body
//! in one piece is copied whole, 300 kB for one of the large ones, and stays there as long as its peer takes its time. That
//! is the fastest way for a peer that reads; so all connections together may hold so much of it and no more.

use std::{
    convert::Infallible,
    pin::Pin,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
};
use bytes::Bytes;

use crate::listen::Connection;

/// Bodies up to this size are copied whole: as much as the buffer of a connection takes before it is written, so that
/// slices would save nothing.
const LARGEST_SMALL: usize = 32 * 1024;

/// Bytes of a slice: two of them fill a connection's buffer.
const SLICE: usize = 16 * 1024;

/// What connections may hold of bodies that were copied whole: 60 scrapes at once of a node with eight GPUs.
static WHOLE: Budget = Budget::new(16 * 1024 * 1024);

/// `bytes` as the body of the answer to `request`.
pub(crate) fn body(request: &HttpRequest, bytes: Bytes) -> BoxBody {
    within(request.conn_data().cloned(), bytes, &WHOLE)
}

/// The same for whoever asks, in slices.
pub(crate) fn sliced(bytes: Vec<u8>) -> BoxBody {
    within(None, bytes.into(), &WHOLE)
}

/// Takes as much out of `rest` as may be copied for `connection` at once; what is left waits for room.
pub(crate) fn piece(connection: Option<&Rc<Connection>>, rest: &mut Bytes) -> Bytes {
    taken(connection, rest, &WHOLE)
}

fn taken(connection: Option<&Rc<Connection>>, rest: &mut Bytes, budget: &'static Budget) -> Bytes {
    let is_small = rest.len() <= SLICE;
    if is_small || connection.is_some_and(|connection| may_go_whole(connection, rest.len(), budget)) {
        return std::mem::take(rest);
    }
    rest.split_to(SLICE)
}

/// Whether so much may be copied at once. Then the connection holds the share of the budget until it has sent that.
fn may_go_whole(connection: &Connection, length: usize, budget: &'static Budget) -> bool {
    // There the bytes are not copied.
    if connection.is_http2 {
        return true;
    }
    let share = budget.take(length);
    share.map(|share| connection.hold(share)).is_some()
}

fn within(connection: Option<Rc<Connection>>, rest: Bytes, budget: &'static Budget) -> BoxBody {
    if rest.len() <= LARGEST_SMALL {
        return BoxBody::new(rest);
    }
    BoxBody::new(Large {
        connection,
        rest,
        budget,
    })
}

/// A large body on its way.
struct Large {
    connection: Option<Rc<Connection>>,
    /// Still to go out.
    rest: Bytes,
    budget: &'static Budget,
}

impl MessageBody for Large {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    // No `try_into_bytes`: `BoxBody` would take the whole at once.

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let Self {
            connection,
            rest,
            budget,
        } = &mut *self;
        Poll::Ready(Some(Ok(taken(connection.as_ref(), rest, budget))))
    }
}

/// Bytes that may be held at once.
#[derive(Debug)]
struct Budget {
    free: AtomicUsize,
}

/// A part of a budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    bytes: usize,
    budget: &'static Budget,
}

impl Budget {
    const fn new(bytes: usize) -> Self {
        Self {
            free: AtomicUsize::new(bytes),
        }
    }

    /// A share of this many bytes, if as many are free.
    fn take(&'static self, bytes: usize) -> Option<Share> {
        let left = |free: usize| free.checked_sub(bytes);
        let taken = self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        // Made only where it was taken: what is dropped is given back.
        taken.is_ok().then(|| Share { bytes, budget: self })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.free.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use actix_web::body::to_bytes;

    use super::*;
    use crate::access::Scopes;

    fn budget(bytes: usize) -> &'static Budget {
        Box::leak(Box::new(Budget::new(bytes)))
    }

    fn connection(is_http2: bool) -> Rc<Connection> {
        Connection::new(Scopes::default(), is_http2)
    }

    /// The pieces in which a body of this many bytes goes out.
    async fn pieces(
        connection: Option<&Rc<Connection>>,
        length: usize,
        budget: &'static Budget,
    ) -> Vec<usize> {
        let whole: Vec<u8> = (0..length).map(|place| place as u8).collect();
        let mut body = within(connection.cloned(), whole.clone().into(), budget);
        assert_eq!(body.size(), BodySize::Sized(length as u64));
        let (mut pieces, mut sent) = (Vec::new(), Vec::new());
        while let Some(piece) = poll_fn(|context| Pin::new(&mut body).poll_next(context)).await {
            let piece = piece.unwrap();
            pieces.push(piece.len());
            sent.extend_from_slice(&piece);
        }
        assert_eq!(sent, whole);
        pieces
    }

    #[actix_web::test]
    async fn a_large_body_goes_out_in_slices_and_a_small_one_whole() {
        let (none, one) = (budget(0), connection(false));
        for connection in [None, Some(&one)] {
            assert_eq!(pieces(connection, LARGEST_SMALL, none).await, [LARGEST_SMALL]);
            assert_eq!(
                pieces(connection, LARGEST_SMALL + 1, none).await,
                [SLICE, SLICE, 1]
            );
            assert_eq!(pieces(connection, 3 * SLICE, none).await, [SLICE; 3]);
        }
    }

    #[actix_web::test]
    async fn it_goes_out_whole_while_connections_hold_little() {
        let (budget, reading, other) = (budget(100_000), connection(false), connection(false));
        assert_eq!(pieces(Some(&reading), 60_000, budget).await, [60_000]);
        assert_eq!(
            pieces(Some(&other), 60_000, budget).await,
            [SLICE, SLICE, 60_000 - 2 * SLICE],
            "in slices until what is left has room beside what one holds"
        );
        other.flushed();
        reading.flushed();
        assert_eq!(
            pieces(Some(&other), 60_000, budget).await,
            [60_000],
            "it was sent"
        );
        drop(other);
        assert_eq!(
            pieces(Some(&reading), 100_000, budget).await,
            [100_000],
            "it was closed"
        );
    }

    #[actix_web::test]
    async fn a_connection_holds_all_that_it_was_given_until_it_is_sent() {
        let (budget, blocked) = (budget(100_000), connection(false));
        assert_eq!(pieces(Some(&blocked), 40_000, budget).await, [40_000]);
        blocked.blocked();
        assert_eq!(pieces(Some(&blocked), 40_000, budget).await, [40_000]);
        assert!(budget.take(20_001).is_none(), "two bodies are held");
        blocked.flushed();
        assert!(budget.take(100_000).is_some());
    }

    #[actix_web::test]
    async fn nothing_is_copied_on_http2() {
        assert_eq!(pieces(Some(&connection(true)), 60_000, budget(0)).await, [60_000]);
    }

    #[actix_web::test]
    async fn all_slices_together_are_the_body() {
        let bytes = Bytes::from(vec![7; 100_000]);
        let body = within(None, bytes.clone(), budget(0));
        assert_eq!(to_bytes(body).await.unwrap(), bytes);
    }
}
