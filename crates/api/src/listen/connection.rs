//! What is known of a connection, shared by its bytes and by the requests on it.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use crate::{access::Scopes, large::Share};

/// Requests of an HTTP/2 connection that may be under way at once. actix sets no such limit, and a peer that reads
/// nothing could pile them up without end.
const MOST_UNDER_WAY: u32 = 128;

/// What is known of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// What whoever is on the other side may do without further credentials.
    pub(crate) scopes: Scopes,
    /// Whether it speaks HTTP/2.
    pub(crate) is_http2: bool,
    /// Requests that came so far, as far as they are counted (HTTP/2).
    requests: Cell<u64>,
    /// Requests that are being answered, as far as they are counted (HTTP/2, and those with a body).
    under_way: Cell<u32>,
    is_condemned: Cell<bool>,
    /// Whether the answer that is under way, or ready, is the last.
    is_parting: Cell<bool>,
    /// Whether no further answer is begun.
    has_parted: Cell<bool>,
    /// Whether there is more to send than the peer takes: further requests wait behind that.
    is_blocked: Cell<bool>,
    /// Who waits for the one or the other.
    waiting: RefCell<Option<Waker>>,
    /// Memory for what was copied for the peer and is not sent.
    shares: RefCell<Vec<Share>>,
}

impl Connection {
    pub(crate) fn new(scopes: Scopes, is_http2: bool) -> Rc<Self> {
        Rc::new(Self {
            scopes,
            is_http2,
            requests: Cell::new(0),
            under_way: Cell::new(0),
            is_condemned: Cell::new(false),
            is_parting: Cell::new(false),
            has_parted: Cell::new(false),
            is_blocked: Cell::new(false),
            waiting: RefCell::new(None),
            shares: RefCell::default(),
        })
    }

    /// Counts a request for as long as what is returned is kept. Too many at once condemn the connection.
    pub(crate) fn begin(self: &Rc<Self>) -> UnderWay {
        self.requests.set(self.requests.get() + 1);
        self.under_way.set(self.under_way.get() + 1);
        if self.is_http2 && self.under_way.get() > MOST_UNDER_WAY {
            self.is_condemned.set(true);
        }
        UnderWay(Rc::clone(self))
    }

    /// The answer that is ready now is the last. Done once whoever begins answers knows.
    pub(crate) async fn part(&self) {
        self.is_parting.set(true);
        self.wake();
        poll_fn(|context| {
            if self.has_parted.get() {
                return Poll::Ready(());
            }
            // The task is one for all of a connection: it has to come round once more.
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    pub(crate) fn is_parting(&self) -> bool {
        self.is_parting.get()
    }

    /// Done once an answer is the last, whoever says so: no further one is begun.
    pub(crate) fn poll_last(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.is_parting.get() {
            self.has_parted.set(true);
            return Poll::Ready(());
        }
        let mut waiting = self.waiting.borrow_mut();
        match &mut *waiting {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Whether this connection can end without its peer being surprised: by an answer that says so, or because nothing is
    /// under way on it.
    pub(crate) fn poll_parting(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.is_parting.get() || !self.is_blocked.get() {
            self.has_parted.set(true);
            return Poll::Ready(());
        }
        *self.waiting.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }

    /// Keeps `share` until all that is to be sent is sent, or the connection is closed.
    pub(crate) fn hold(&self, share: Share) {
        self.shares.borrow_mut().push(share);
    }

    pub(crate) fn blocked(&self) {
        self.is_blocked.set(true);
    }

    /// All that was to be sent is sent.
    pub(crate) fn flushed(&self) {
        self.shares.borrow_mut().clear();
        self.flowing();
    }

    pub(crate) fn flowing(&self) {
        if self.is_blocked.replace(false) {
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.get()
    }

    pub(super) fn is_answering(&self) -> bool {
        self.under_way.get() > 0
    }

    pub(super) fn is_condemned(&self) -> bool {
        self.is_condemned.get()
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct UnderWay(Rc<Connection>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
    }
}
