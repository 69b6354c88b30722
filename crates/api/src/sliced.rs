//! Bodies that are too large to be copied as a whole for each peer that does not read: beyond what memory is set apart for
//! that, they go out in slices.
//!
//! actix-http copies what a body hands over into the connection's buffer, and takes more of it once that was sent. A body
//! in one piece is copied whole, 300 kB for one of the large ones, and stays there as long as its peer takes its time. That
//! is the fastest way for a peer that reads, so that it is taken as long as few do not.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

/// Bodies up to this size are copied whole: as much as the buffer of a connection takes before it is written, so that
/// slices would save nothing.
const LARGEST_WHOLE: usize = 32 * 1024;

/// Bytes of a slice: two of them fill a connection's buffer.
const SLICE: usize = 16 * 1024;

/// What large bodies that went out whole and were not yet taken may hold of all connections together: 60 scrapes at once of
/// a node with eight GPUs. Whoever comes then is served in slices.
static WHOLE: Budget = Budget::new(16 * 1024 * 1024);

/// `bytes` as a body.
pub(crate) fn body(bytes: impl Into<Bytes>) -> BoxBody {
    within(bytes.into(), &WHOLE)
}

fn within(bytes: Bytes, budget: &'static Budget) -> BoxBody {
    if bytes.len() <= LARGEST_WHOLE {
        BoxBody::new(bytes)
    } else {
        BoxBody::new(Large {
            share: budget.take(bytes.len()),
            rest: bytes,
        })
    }
}

/// A large shared body. The connection keeps it until what it handed over was sent, and drops it then.
struct Large {
    /// Still to go out.
    rest: Bytes,
    /// Of the memory for whole bodies, if there was enough.
    share: Option<Share>,
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
        let length = match self.share {
            Some(_) => self.rest.len(),
            None => self.rest.len().min(SLICE),
        };
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}

/// Bytes that may be held at once.
struct Budget {
    free: AtomicUsize,
}

/// A part of a budget, given back when it is dropped.
struct Share {
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
        self.free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left)
            .is_ok()
            .then_some(Share { bytes, budget: self })
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

    fn budget(bytes: usize) -> &'static Budget {
        Box::leak(Box::new(Budget::new(bytes)))
    }

    /// The pieces in which a body of this many bytes goes out.
    async fn pieces(length: usize, budget: &'static Budget) -> Vec<usize> {
        let whole: Vec<u8> = (0..length).map(|place| place as u8).collect();
        let mut body = within(whole.clone().into(), budget);
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
    async fn without_memory_for_it_a_large_body_goes_out_in_slices_and_a_small_one_whole() {
        let none = budget(0);
        assert_eq!(pieces(LARGEST_WHOLE, none).await, [LARGEST_WHOLE]);
        assert_eq!(pieces(LARGEST_WHOLE + 1, none).await, [SLICE, SLICE, 1]);
        assert_eq!(pieces(3 * SLICE, none).await, [SLICE; 3]);
    }

    #[actix_web::test]
    async fn a_large_body_goes_out_whole_while_there_is_memory_for_it() {
        let one = budget(100_000);
        assert_eq!(pieces(100_000, one).await, [100_000]);
        let first = within(Bytes::from(vec![7; 60_000]), one);
        assert_eq!(pieces(60_000, one).await.len(), 4, "another holds it");
        assert_eq!(pieces(40_000, one).await, [40_000]);
        drop(first);
        assert_eq!(pieces(60_000, one).await, [60_000], "it was given back");
    }

    #[actix_web::test]
    async fn a_whole_body_holds_its_share_until_it_is_dropped() {
        let one = budget(60_000);
        let mut body = within(Bytes::from(vec![7; 60_000]), one);
        let piece = poll_fn(|context| Pin::new(&mut body).poll_next(context)).await;
        assert_eq!(piece.unwrap().unwrap().len(), 60_000);
        assert!(one.take(1).is_none(), "the connection may not have sent it");
        drop(body);
        assert!(one.take(60_000).is_some());
    }

    #[actix_web::test]
    async fn all_slices_together_are_the_body() {
        let bytes = Bytes::from(vec![7; 100_000]);
        assert_eq!(to_bytes(within(bytes.clone(), budget(0))).await.unwrap(), bytes);
    }
}
