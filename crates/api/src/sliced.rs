//! Bodies that are too large to be copied as a whole for each peer that does not read: they go out in slices.
//!
//! actix-http copies what a body hands over into the connection's buffer, and takes more of it once there is room. A body
//! in one piece is copied whole, 300 kB for one of the large ones, and stays there as long as its peer takes its time.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

/// Bodies up to this size are copied whole: as much as the buffer of a connection takes before it is written, so that
/// slices would save nothing.
const LARGEST_WHOLE: usize = 32 * 1024;

/// Bytes of a slice: two of them fill a connection's buffer.
const SLICE: usize = 16 * 1024;

/// `bytes` as a body.
pub(crate) fn body(bytes: impl Into<Bytes>) -> BoxBody {
    let bytes = bytes.into();
    if bytes.len() <= LARGEST_WHOLE {
        BoxBody::new(bytes)
    } else {
        BoxBody::new(Sliced(bytes))
    }
}

/// What is still to go out of a shared body.
struct Sliced(Bytes);

impl MessageBody for Sliced {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    // No `try_into_bytes`: `BoxBody` would take the whole at once.

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(SLICE);
        Poll::Ready(Some(Ok(self.0.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use actix_web::body::to_bytes;

    use super::*;

    /// The pieces in which a body of this many bytes goes out.
    async fn pieces(length: usize) -> Vec<usize> {
        let whole: Vec<u8> = (0..length).map(|place| place as u8).collect();
        let mut body = body(whole.clone());
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
        assert_eq!(pieces(LARGEST_WHOLE).await, [LARGEST_WHOLE]);
        assert_eq!(pieces(LARGEST_WHOLE + 1).await, [SLICE, SLICE, 1]);
        assert_eq!(pieces(3 * SLICE).await, [SLICE; 3]);
    }

    #[actix_web::test]
    async fn all_slices_together_are_the_body() {
        let bytes = Bytes::from(vec![7; 100_000]);
        assert_eq!(to_bytes(body(bytes.clone())).await.unwrap(), bytes);
    }
}
