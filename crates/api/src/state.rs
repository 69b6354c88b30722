//! What all workers share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, http::header::HeaderValue, web::Data};
use gpulse_aggregator::SnapshotCache;
use gpulse_models::{Timestamp, microseconds};

use crate::{
    ApiConfig,
    app::TEMPLATES,
    bodies::Bodies,
    exposition::Expositions,
    routes::{dashboard::Dashboard, docs::Documents},
    stream::Feeds,
    target::ScrapeTarget,
};

/// Digits of a request id that tell this process from others.
const BOOT_DIGITS: usize = 8;

/// What all workers share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) cache: Arc<SnapshotCache>,
    pub(crate) bodies: Bodies,
    pub(crate) expositions: Expositions,
    pub(crate) feeds: Feeds,
    pub(crate) documents: Documents,
    pub(crate) dashboard: Option<Dashboard>,
    pub(crate) agent_id: String,
    pub(crate) target: Option<ScrapeTarget>,
    /// How often GPUs are read: no stream is faster.
    pub(crate) sampling_interval: Duration,
    pub(crate) version: &'static str,
    pub(crate) started: Instant,
    pub(crate) started_at: Timestamp,
    /// Drawn at start; tells this process's ETags, request ids and events from those of the one before.
    boot: u64,
    requests: Requests,
}

/// A counter that every request of every worker writes: alone on its cache lines, so that what is only read
/// stays in the caches of all of them.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Requests(AtomicU64);

impl State {
    /// The state behind `request`, without touching the counter that all workers share.
    pub(crate) fn of(request: &HttpRequest) -> &Self {
        request
            .app_data::<Data<Self>>()
            .expect("the application is built with its state")
    }

    pub(crate) fn new(cache: Arc<SnapshotCache>, config: &ApiConfig) -> Self {
        let boot = fastrand::u64(..);
        cache.counters().http().name_routes(TEMPLATES);
        Self {
            bodies: Bodies::new(&cache, boot, &config.agent_id),
            expositions: Expositions::new(config.metrics.clone()),
            feeds: Feeds::default(),
            documents: Documents::default(),
            dashboard: config.dashboard.as_ref().map(Dashboard::new),
            cache,
            agent_id: config.agent_id.clone(),
            target: config.target.clone(),
            sampling_interval: config.sampling_interval,
            version: config.version,
            started: Instant::now(),
            started_at: microseconds(Timestamp::now()),
            boot,
            requests: Requests::default(),
        }
    }

    /// The name of this process, unlike that of the one before.
    pub(crate) fn instance(&self) -> String {
        format!("{:016x}", self.boot)
    }

    /// Counts a request and returns an id for it, unlike any other of this process.
    pub(crate) fn next_request_id(&self) -> HeaderValue {
        let number = self.requests.0.fetch_add(1, Ordering::Relaxed) + 1;
        // Hexadecimal digits by hand: the formatting machinery would be a measurable part of a request.
        let mut id = *b"00000000-000000000000";
        let (boot, count) = id.split_at_mut(BOOT_DIGITS);
        write_hex(boot, self.boot);
        write_hex(&mut count[1..], number);
        HeaderValue::from_bytes(&id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }

    /// Counts a request that brought its own id.
    pub(crate) fn count_request(&self) {
        self.requests.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests since the start, the one under way included.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.0.load(Ordering::Relaxed)
    }
}

/// The last digits of `number`, as many as there is room for.
fn write_hex(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 0xf) as usize];
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::write_hex;

    #[test]
    fn hexadecimal_digits_are_those_of_the_formatter() {
        for number in [0, 1, 0x9abc_def0, u64::MAX] {
            let mut room = [b'x'; 16];
            write_hex(&mut room, number);
            assert_eq!(std::str::from_utf8(&room).unwrap(), format!("{number:016x}"));
        }
    }
}
