//! Counts calls of the driver: how many, how long they took, what came of them, and which have not returned.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use gpulse_models::{CALL_BUCKETS, CallErrors, CallStats, Latencies, Reason};

use super::names::Names;

/// Functions that are counted apart. The sampler calls some 130; what is beyond this is counted together, as
/// `other`.
pub const MOST_CALLS: usize = 256;

/// The name of functions that there is no room for.
const OTHER_CALLS: &str = "other";

/// Calls of the driver, by function.
///
/// A call costs two readings of the clock and four additions to counters that no other function shares.
#[derive(Debug)]
pub struct Calls(Names<Call>);

impl Default for Calls {
    fn default() -> Self {
        Self(Names::new(MOST_CALLS))
    }
}

/// One function. It has cache lines of its own, since several readers may be calling others at the same time.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Call {
    under_way: AtomicU64,
    nanoseconds: AtomicU64,
    returned: [AtomicU64; CALL_BUCKETS.len() + 1],
    errors: [AtomicU64; Reason::ALL.len()],
    hangs: AtomicU64,
}

/// A call that has not returned. Dropped without an end, which is a panic, it counts as an error.
#[derive(Debug)]
#[must_use = "a call that is not finished counts as an error"]
pub struct CallUnderWay<'a> {
    call: &'a Call,
    begun: Instant,
    error: Option<Reason>,
}

impl Calls {
    /// Begins a call. What follows an opening parenthesis in its name, an argument, is not counted apart.
    #[inline]
    pub fn begin(&self, name: &'static str) -> CallUnderWay<'_> {
        let call = self.0.find(name);
        call.under_way.fetch_add(1, Ordering::Relaxed);
        CallUnderWay {
            call,
            begun: Instant::now(),
            error: Some(Reason::Error),
        }
    }

    /// Counts that somebody gave up waiting for a call.
    pub fn hung(&self, name: &'static str) {
        self.0.find(name).hangs.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Vec<CallStats> {
        let (known, rest) = self.0.all();
        let mut calls: Vec<_> = known.iter().map(|(name, call)| call.read(name)).collect();
        calls.sort_unstable_by_key(|call| call.call);
        calls.push(rest.read(OTHER_CALLS));
        calls.retain(|call| call.under_way > 0 || call.latency.count() > 0 || call.hangs > 0);
        calls
    }
}

impl CallUnderWay<'_> {
    /// The call has returned, with this error or none.
    #[inline]
    pub fn finish(mut self, error: Option<Reason>) {
        self.error = error;
    }
}

impl Drop for CallUnderWay<'_> {
    #[inline]
    fn drop(&mut self) {
        self.call.finish(self.begun.elapsed(), self.error);
    }
}

impl Call {
    #[inline]
    fn finish(&self, took: Duration, error: Option<Reason>) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        if let Some(reason) = error {
            self.errors[reason as usize].fetch_add(1, Ordering::Relaxed);
        }
        self.returned[Latencies::bucket(took)].fetch_add(1, Ordering::Relaxed);
        // Last, and not before the rest: a call is never missing from both.
        self.under_way.fetch_sub(1, Ordering::Release);
    }

    fn read(&self, name: &'static str) -> CallStats {
        let under_way = self.under_way.load(Ordering::Acquire);
        let mut latency = Latencies::default();
        for (count, counter) in latency.counts.iter_mut().zip(&self.returned) {
            *count = counter.load(Ordering::Relaxed);
        }
        latency.sum_seconds = Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).as_secs_f64();
        CallStats {
            call: name,
            under_way,
            hangs: self.hangs.load(Ordering::Relaxed),
            errors: CallErrors(std::array::from_fn(|reason| {
                self.errors[reason].load(Ordering::Relaxed)
            })),
            latency,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn only(calls: &Calls) -> CallStats {
        match &calls.read()[..] {
            [one] => one.clone(),
            others => panic!("not one: {others:?}"),
        }
    }

    #[test]
    fn a_call_is_under_way_until_it_returns() {
        let calls = Calls::default();
        let call = calls.begin("a");
        calls.hung("a");
        let stats = only(&calls);
        assert_eq!((stats.under_way, stats.hangs, stats.latency.count()), (1, 1, 0));
        call.finish(None);
        let stats = only(&calls);
        assert_eq!((stats.under_way, stats.hangs, stats.latency.count()), (0, 1, 1));
        assert_eq!(stats.errors.total(), 0);
    }

    #[test]
    fn errors_are_counted_by_reason_and_a_panic_is_one() {
        let calls = Calls::default();
        for reason in Reason::ALL {
            calls.begin("a").finish(Some(reason));
        }
        let panicking = AssertUnwindSafe(|| {
            let _call = calls.begin("a");
            panic!("inside the driver");
        });
        catch_unwind(panicking).unwrap_err();
        let stats = only(&calls);
        for reason in Reason::ALL {
            let expected = 1 + u64::from(reason == Reason::Error);
            assert_eq!(stats.errors.of(reason), expected, "{reason:?}");
        }
        assert_eq!((stats.latency.count(), stats.under_way), (9, 0));
    }

    #[test]
    fn time_falls_into_its_bucket() {
        let call = Call::default();
        call.finish(Duration::from_micros(10), None);
        call.finish(Duration::from_micros(11), None);
        call.finish(Duration::from_secs(61), None);
        let latency = call.read("a").latency;
        assert_eq!((latency.counts[0], latency.counts[1]), (1, 1));
        assert_eq!(latency.counts.last(), Some(&1));
        assert!(
            (latency.sum_seconds - 61.000_021).abs() < 1e-9,
            "{}",
            latency.sum_seconds
        );
    }

    #[test]
    fn threads_at_once_lose_nothing() {
        const EACH: u64 = 20_000;
        const THREADS: u64 = 4;
        let calls = Calls::default();
        let count = || {
            for number in 0..EACH {
                let error = (number % 4 == 0).then_some(Reason::NoPermission);
                calls.begin("a").finish(error);
                calls.begin("b").finish(None);
                if number % 100 == 0 {
                    let all = calls.read();
                    assert!(all.iter().all(|call| call.under_way <= THREADS), "{all:?}");
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(count);
            }
        });
        let all = calls.read();
        assert_eq!(all.len(), 2);
        for call in &all {
            assert_eq!(call.under_way, 0, "{}", call.call);
            assert_eq!(call.latency.count(), THREADS * EACH, "{}", call.call);
        }
        assert_eq!(all[0].errors.of(Reason::NoPermission), THREADS * EACH / 4);
    }

    #[test]
    fn calls_without_room_are_counted_together() {
        let calls = Calls::default();
        for number in 0..MOST_CALLS + 10 {
            let name: &'static str = Box::leak(format!("call {number}").into_boxed_str());
            calls.begin(name).finish(None);
        }
        let all = calls.read();
        assert_eq!(all.len(), MOST_CALLS + 1);
        assert_eq!(
            all.last().map(|call| (call.call, call.latency.count())),
            Some((OTHER_CALLS, 10))
        );
    }
}
