//! Counts requests and connections, for workers that must not wait for each other.

use std::{
    cell::Cell,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use gpulse_models::{ConnectionStats, HttpMethod, HttpStats, OTHER_ROUTE, RequestCount};

use super::stripe::{STATUSES, Stripe};

/// Sets of counters. A worker counts in one of them, and shares it with another only where there are more workers; what is
/// read is their sum. Each takes some twenty kilobytes once a worker uses it.
const STRIPES: usize = 16;

/// Requests and connections.
#[derive(Debug, Default)]
pub struct Http {
    /// The templates of routes.
    routes: OnceLock<&'static [&'static str]>,
    stripes: [OnceLock<Arc<Stripe>>; STRIPES],
}

/// A request that is being answered. Dropped without an answer it counts as abandoned.
#[derive(Debug)]
#[must_use = "a request that is not finished counts as abandoned"]
pub struct Answering {
    stripe: Arc<Stripe>,
    route: usize,
    method: HttpMethod,
    is_answered: bool,
}

/// A connection that is open until this is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<Stripe>);

impl Http {
    /// Gives the routes their names, before the first request. They are given once: later ones are ignored.
    pub fn name_routes(&self, templates: &'static [&'static str]) {
        self.routes.get_or_init(|| templates);
    }

    /// Begins to answer a request of the route with this place in the list of names, or of none.
    pub fn begin(&self, route: Option<usize>, method: HttpMethod) -> Answering {
        let routes = self.routes().len();
        let stripe = Arc::clone(self.stripe());
        stripe.in_flight.fetch_add(1, Ordering::Relaxed);
        Answering {
            stripe,
            route: route.filter(|place| *place < routes).unwrap_or(routes),
            method,
            is_answered: false,
        }
    }

    /// A connection was taken in.
    pub fn accepted(&self) -> OpenConnection {
        let stripe = Arc::clone(self.stripe());
        stripe.accepted.fetch_add(1, Ordering::Relaxed);
        stripe.open.fetch_add(1, Ordering::Relaxed);
        OpenConnection(stripe)
    }

    /// A connection was closed at once, since its client has as many as it may have.
    pub fn refused(&self) {
        self.stripe().refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> HttpStats {
        let stripes = || self.stripes.iter().filter_map(OnceLock::get);
        let sum = |of: fn(&Stripe) -> u64| stripes().map(|stripe| of(stripe)).sum();
        let at = |of: fn(&Stripe) -> i64| {
            // One worker may have begun what another ended, so that only the sum says something.
            let sum: i64 = stripes().map(|stripe| of(stripe)).sum();
            u64::try_from(sum).unwrap_or(0)
        };
        HttpStats {
            requests: self.requests(),
            in_flight: at(|stripe| stripe.in_flight.load(Ordering::Relaxed)),
            abandoned: sum(|stripe| stripe.abandoned.load(Ordering::Relaxed)),
            bytes_sent: sum(|stripe| stripe.bytes_sent.load(Ordering::Relaxed)),
            connections: ConnectionStats {
                accepted: sum(|stripe| stripe.accepted.load(Ordering::Relaxed)),
                open: at(|stripe| stripe.open.load(Ordering::Relaxed)),
                refused: sum(|stripe| stripe.refused.load(Ordering::Relaxed)),
                handshakes_failed: sum(|stripe| stripe.handshakes_failed.load(Ordering::Relaxed)),
                cut: sum(|stripe| stripe.cut.load(Ordering::Relaxed)),
            },
        }
    }

    fn requests(&self) -> Vec<RequestCount> {
        let mut counts = Vec::new();
        for (place, route) in self.routes().iter().chain([&OTHER_ROUTE]).enumerate() {
            for method in HttpMethod::ALL {
                for status in 0..=STATUSES.len() {
                    let stripes = self.stripes.iter().filter_map(OnceLock::get);
                    let count = stripes.map(|stripe| stripe.answers(place, method, status)).sum();
                    if count > 0 {
                        counts.push(RequestCount {
                            route,
                            method,
                            status: STATUSES.get(status).copied(),
                            count,
                        });
                    }
                }
            }
        }
        counts
    }

    fn routes(&self) -> &'static [&'static str] {
        self.routes.get().copied().unwrap_or_default()
    }

    /// The counters of the worker that asks.
    fn stripe(&self) -> &Arc<Stripe> {
        self.stripes[this_thread() % STRIPES].get_or_init(|| Arc::new(Stripe::new(self.routes().len() + 1)))
    }
}

impl Answering {
    /// The request got an answer.
    pub fn finish(mut self, status: u16) {
        self.is_answered = true;
        self.stripe.answer(self.route, self.method, status);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.stripe.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.is_answered {
            self.stripe.abandoned.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl OpenConnection {
    /// Bytes were handed to the kernel.
    pub fn sent(&self, bytes: usize) {
        self.0.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Its TLS handshake failed.
    pub fn handshake_failed(&self) {
        self.0.handshakes_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// It is cut, since its peer does not do its part.
    pub fn cut(&self) {
        self.0.cut.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A number of this thread, unlike that of those that asked before.
fn this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: Cell<Option<usize>> = const { Cell::new(None) });
    NUMBER.get().unwrap_or_else(|| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        NUMBER.set(Some(number));
        number
    })
}

#[cfg(test)]
mod tests;
