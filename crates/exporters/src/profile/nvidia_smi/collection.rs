//! What that exporter says of its own collecting, from what is known of each GPU: alerts on it see a GPU that is not well.

use gpulse_models::{DriverStatus, GpuState, HostSnapshot};

use super::super::{View, row::OnFirst};
use crate::family::{Family, Kind, Labels, Sink};

const SUCCESS: (&str, &str) = (
    "nvidia_smi_last_collect_success",
    "Whether NVML can be used and each GPU was read.",
);
const AT: (&str, &str) = (
    "nvidia_smi_last_collect_success_timestamp_seconds",
    "When the GPU that was read longest ago was read.",
);
const FAILED: (&str, &str) = ("nvidia_smi_failed_scrapes_total", "Reads of GPUs that failed.");

pub(super) fn expose(view: &View<'_>, sink: &mut dyn Sink) {
    let mut one = |kind, (name, help): (&'static str, &'static str), value: Option<f64>| {
        if let Some(value) = value {
            OnFirst::new(&Family::new(kind, name, help), sink).series(&Labels::default(), &[], value);
        }
    };
    one(
        Kind::Gauge,
        SUCCESS,
        Some(f64::from(u8::from(all_well(view.host)))),
    );
    one(Kind::Gauge, AT, oldest(view.host));
    let failures: u64 = view.stats.samplers.iter().map(|sampler| sampler.failures).sum();
    one(Kind::Counter, FAILED, Some(failures as f64));
}

fn all_well(host: &HostSnapshot) -> bool {
    let ready = matches!(host.driver, DriverStatus::Ready(_));
    ready && host.gpus.iter().all(|gpu| gpu.health.state == GpuState::Ok)
}

/// Nothing while one was never read.
fn oldest(host: &HostSnapshot) -> Option<f64> {
    let taken = host.gpus.iter().map(|gpu| Some(gpu.sample.as_ref()?.taken_at));
    let oldest = taken.collect::<Option<Vec<_>>>()?.into_iter().min()?;
    Some(oldest.as_microsecond() as f64 / 1e6)
}
