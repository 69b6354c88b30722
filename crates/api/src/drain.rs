//! The end of the server, as those see it who are being answered: the last answer on a connection says that it is the last,
//! so that nobody sends a request after it.
//!
//! actix-http says so of answers that begin once it has been told that a connection is to end, and drops what is queued
//! behind the answer that is under way. The head of that answer may be with its client long since, without a word of the
//! end. So a connection with a queue is told to end by its next answer, and only then.

use std::{
    cell::RefCell,
    future::{Future, pending, poll_fn},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_web::{
    Error,
    dev::{Service, ServiceRequest, ServiceResponse},
    http::{ConnectionType, Version},
};
use tokio::{sync::watch, task::yield_now};

use crate::listen::Connection;

/// How often a connection is read before it counts as idle: once before the runtime knows that something has come on a
/// connection that it was just given, and once after it.
const LOOKS: usize = 2;

/// Whether the server is ending.
#[derive(Debug)]
pub(crate) struct Drain {
    /// For each request, which must not cost more than a look.
    has_begun: AtomicBool,
    /// For connections that wait.
    told: watch::Sender<bool>,
}

impl Drain {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            has_begun: AtomicBool::new(false),
            told: watch::Sender::new(false),
        })
    }

    /// From now on answers are the last of their connections.
    pub(crate) fn begin(&self) {
        self.has_begun.store(true, Ordering::Release);
        self.told.send_replace(true);
    }

    /// Tells when it begins.
    pub(crate) fn follow(&self) -> watch::Receiver<bool> {
        self.told.subscribe()
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    /// Done once it has begun, and what had come by then on a connection that is read meanwhile has been read.
    pub(crate) async fn until_read(self: Arc<Self>) {
        self.until_begun().await;
        for _ in 0..LOOKS {
            yield_now().await;
        }
    }

    async fn until_begun(&self) {
        let mut told = self.told.subscribe();
        // As long as there is an end of it here, the other one is not gone.
        if told.wait_for(|told| *told).await.is_err() {
            pending::<()>().await;
        }
    }

    /// Done once `connection` is to begin no further answer.
    async fn until_parting(self: Arc<Self>, connection: Option<Rc<Connection>>) {
        let Some(connection) = connection else {
            return self.until_begun().await;
        };
        tokio::select! {
            biased;
            () = poll_fn(|context| connection.poll_last(context)) => return,
            () = self.until_begun() => {}
        }
        // A request that has arrived and was not looked at yet is begun meanwhile, also on a connection that is new: in between the
        // runtime asks the kernel what has come.
        for _ in 0..LOOKS {
            if connection.is_parting() {
                break;
            }
            yield_now().await;
        }
        poll_fn(|context| connection.poll_parting(context)).await;
    }
}

/// Hands the connection that has just arrived over to the future that ends it: actix-http asks for that one without
/// saying for which connection, right after it has shown it.
#[derive(Clone, Debug)]
pub(crate) struct Partings {
    drain: Arc<Drain>,
    arrived: Rc<RefCell<Option<Rc<Connection>>>>,
}

impl Partings {
    pub(crate) fn new(drain: Arc<Drain>) -> Self {
        Self {
            drain,
            arrived: Rc::default(),
        }
    }

    /// Notes a connection, if it is one of HTTP/1.1: others are not asked about.
    pub(crate) fn arrived(&self, connection: &Rc<Connection>) {
        if !connection.is_http2 {
            *self.arrived.borrow_mut() = Some(Rc::clone(connection));
        }
    }

    /// When the connection that was noted last is to end.
    pub(crate) fn next(&self) -> impl Future<Output = ()> + use<> {
        Arc::clone(&self.drain).until_parting(self.arrived.take())
    }
}

/// Passes `request` on to `service`; an answer of HTTP/1.1 that is ready after the end has begun is the last of its
/// connection, as is one that says so itself or whose client wants it: actix-http would answer what was sent after it.
pub(crate) fn say_goodbye<S, B>(
    drain: &Arc<Drain>,
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let drain = Arc::clone(drain);
    let is_last = request.head().connection_type() == ConnectionType::Close;
    let answer = service.call(request);
    async move {
        let mut response = answer.await?;
        let head = response.response_mut().head_mut();
        let is_last = is_last || drain.has_begun() || head.connection_type() == ConnectionType::Close;
        if is_last && response.request().version() != Version::HTTP_2 {
            let head = response.response_mut().head_mut();
            head.set_connection_type(ConnectionType::Close);
            if let Some(connection) = response.request().conn_data::<Rc<Connection>>() {
                // What comes after is dropped by then, instead of being answered as well.
                connection.part().await;
            }
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::access::Scopes;

    /// A connection whose end has begun, and when it is to end.
    async fn ending(connection: &Rc<Connection>) -> impl Future<Output = ()> + Unpin {
        let drain = Drain::new();
        let partings = Partings::new(Arc::clone(&drain));
        partings.arrived(connection);
        let mut end = Box::pin(partings.next());
        assert!(end.as_mut().now_or_never().is_none(), "before the end has begun");
        drain.begin();
        for _ in 0..LOOKS {
            assert!(
                end.as_mut().now_or_never().is_none(),
                "before a look at what has arrived"
            );
        }
        end
    }

    #[tokio::test]
    async fn a_connection_on_which_nothing_is_under_way_ends() {
        let connection = Connection::new(Scopes::NONE, false);
        let end = ending(&connection).await;
        assert!(end.now_or_never().is_some());
    }

    #[tokio::test]
    async fn one_with_an_answer_under_way_ends_by_the_next_or_once_there_is_none() {
        let connection = Connection::new(Scopes::NONE, false);
        connection.blocked();
        let mut end = ending(&connection).await;
        assert!((&mut end).now_or_never().is_none());
        let last = connection.part();
        tokio::pin!(last);
        assert!(last.as_mut().now_or_never().is_none(), "it waits to be the last");
        assert!(end.now_or_never().is_some());
        assert!(last.now_or_never().is_some());

        let connection = Connection::new(Scopes::NONE, false);
        connection.blocked();
        let mut end = ending(&connection).await;
        assert!((&mut end).now_or_never().is_none());
        connection.flowing();
        assert!(end.now_or_never().is_some());
    }
}
