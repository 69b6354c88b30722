//! The counters of one HTTP worker.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use gpulse_models::HttpMethod;

/// The statuses that are told apart: those that the agent and its libraries answer with. All others are one.
pub const STATUSES: [u16; 26] = [
    200, 202, 204, 206, 301, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 411, 413, 414, 415, 422,
    429, 431, 500, 501, 503,
];

const METHODS: usize = HttpMethod::ALL.len();

/// The counters of one worker, on cache lines that no other writes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Stripe {
    pub(super) in_flight: AtomicI64,
    pub(super) abandoned: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) open: AtomicI64,
    pub(super) refused: AtomicU64,
    pub(super) handshakes_failed: AtomicU64,
    pub(super) cut: AtomicU64,
    /// By route, method and status, in this order; the last route and the last status take what has no place of its own.
    answers: Box<[AtomicU64]>,
}

impl Stripe {
    pub(super) fn new(routes: usize) -> Self {
        let answers = routes * METHODS * (STATUSES.len() + 1);
        Self {
            answers: (0..answers).map(|_| AtomicU64::default()).collect(),
            ..Self::default()
        }
    }

    /// Counts an answer.
    pub(super) fn answer(&self, route: usize, method: HttpMethod, status: u16) {
        let status = STATUSES.binary_search(&status).unwrap_or(STATUSES.len());
        if let Some(counter) = self.answers.get(place(route, method, status)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many answers had the status at this place of [`STATUSES`], or beyond it another one.
    pub(super) fn answers(&self, route: usize, method: HttpMethod, status: usize) -> u64 {
        let counter = self.answers.get(place(route, method, status));
        counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

fn place(route: usize, method: HttpMethod, status: usize) -> usize {
    (route * METHODS + method as usize) * (STATUSES.len() + 1) + status
}
