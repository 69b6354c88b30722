//! The driver's own ring of samples.

use gpulse_models::{Reading, Reason, Timestamp};
use nvml_wrapper::enum_wrappers::device::Sampling;

use super::Gpu;
use crate::{convert, interval::ring::Stats, raw};

impl Gpu<'_> {
    /// Statistics of the samples that the driver took since they were last asked for; `not_ready` where it took none.
    pub(super) fn samples(&mut self, key: &'static str, kind: Sampling) -> Reading<Stats> {
        let since = self.book.seen(kind, self.now);
        let device = self.device;
        let taken = self
            .asker
            .ask(key, || raw::where_known(raw::samples(device, &kind, since)), Ok);
        if self.asker.is_abandoned() {
            return Reading::Unavailable(Reason::Timeout);
        }
        taken.and_then(|samples| {
            let numbers = samples
                .into_iter()
                .filter_map(|(at, value)| Some((at, convert::sample(value).ok()?)))
                .collect();
            self.book
                .take(kind, numbers, Timestamp::now())
                .ok_or(Reason::NotReady)
        })
    }
}
