//! How often a client may ask, and how often it is logged that one was refused.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use governor::{
    Quota, RateLimiter as Governor, clock::Clock as _, clock::DefaultClock,
    state::keyed::DefaultKeyedStateStore,
};

/// Clients that are told apart. When there are more, those that have not asked lately are forgotten, and if there are
/// none of these, all share one allowance.
const CLIENTS: usize = 16_384;

/// At most one line in the log for each of these: nobody fills it by guessing.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// How often each client may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once after a pause.
    pub burst: NonZeroU32,
}

/// Counts the requests of each client.
pub(crate) struct RateLimiter {
    buckets: Governor<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock>,
    clock: DefaultClock,
    cleaned: Mutex<Instant>,
}

impl RateLimiter {
    pub(crate) fn new(limit: RateLimit) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        Self {
            buckets: Governor::keyed(quota),
            clock: DefaultClock::default(),
            cleaned: Mutex::new(Instant::now()),
        }
    }

    /// Takes one request of `client`; how long to wait if it has none left.
    pub(crate) fn take(&self, client: IpAddr) -> Result<(), Duration> {
        let client = if self.is_crowded() {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED)
        } else {
            client
        };
        self.buckets
            .check_key(&client)
            .map_err(|later| later.wait_time_from(self.clock.now()))
    }

    /// Whether there are too many clients to tell apart, once those of no importance are forgotten.
    fn is_crowded(&self) -> bool {
        if self.buckets.len() < CLIENTS {
            return false;
        }
        let mut cleaned = self.cleaned.lock().unwrap_or_else(PoisonError::into_inner);
        if cleaned.elapsed() >= Duration::from_secs(1) {
            *cleaned = Instant::now();
            self.buckets.retain_recent();
        }
        self.buckets.len() >= CLIENTS
    }
}

/// What counts as one client: an IPv4 address, or an IPv6 network, of which a host usually has all addresses.
pub(crate) fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// Counts refused credentials, and logs them now and then.
#[derive(Default)]
pub(super) struct Refusals {
    count: AtomicU64,
    logged: Mutex<Option<Instant>>,
}

impl Refusals {
    pub(super) fn note(&self, client: Option<IpAddr>) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_some_and(|logged| logged.elapsed() < BETWEEN_LINES) {
            return;
        }
        *logged = Some(Instant::now());
        self.count.store(0, Ordering::Relaxed);
        tracing::warn!(
            client = client.map(tracing::field::display),
            refused = count,
            "credentials refused; the last client is named"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(per_second: u32, burst: u32) -> RateLimiter {
        RateLimiter::new(RateLimit {
            per_second: per_second.try_into().unwrap(),
            burst: burst.try_into().unwrap(),
        })
    }

    #[test]
    fn each_client_has_an_allowance_of_its_own() {
        let limiter = limiter(1, 3);
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..3 {
            limiter.take(one).unwrap();
        }
        let wait = limiter.take(one).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        limiter.take(other).unwrap();
    }

    #[test]
    fn clients_that_cannot_be_told_apart_share_one_allowance() {
        let limiter = limiter(1, 2);
        // Nobody is forgotten during the test, however long it takes.
        *limiter.cleaned.lock().unwrap() = Instant::now() + Duration::from_secs(86_400);
        for number in 0..u32::try_from(CLIENTS).unwrap() {
            limiter.take(IpAddr::from(number.to_be_bytes())).unwrap();
        }
        let fresh: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(limiter.take(fresh).is_ok() && limiter.take(fresh).is_ok());
        assert!(limiter.take("192.0.2.2".parse().unwrap()).is_err());
        assert!(limiter.buckets.len() <= CLIENTS + 1);
    }

    #[test]
    fn a_host_with_many_addresses_is_one_client() {
        let client = |text: &str| client_of(text.parse().unwrap());
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff::9"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:10.0.0.1"), client("10.0.0.1"));
        assert_ne!(client("10.0.0.1"), client("10.0.0.2"));
    }
}
