//! The agent and the node as a whole.

use gpulse_models::DriverStatus;

use super::super::{View, row::OnFirst};
use crate::family::{Family, Kind, Labels, Sink};

pub(super) fn expose(view: &View<'_>, sink: &mut dyn Sink) {
    let none = Labels::default();
    let mut one = |kind, name: &'static str, help: &'static str, value: f64| {
        OnFirst::new(&Family::new(kind, name, help), sink).series(&none, &[], value);
    };
    let host = view.host;
    one(
        Kind::Gauge,
        "gpulse_generation",
        "Number of the snapshot that this was made of; the same as over REST.",
        host.generation as f64,
    );
    one(
        Kind::Gauge,
        "gpulse_published_timestamp_seconds",
        "When that snapshot was published.",
        seconds(host.published_at),
    );
    one(
        Kind::Gauge,
        "gpulse_driver_up",
        "Whether NVML can be used.",
        f64::from(u8::from(matches!(host.driver, DriverStatus::Ready(_)))),
    );
    one(
        Kind::Gauge,
        "gpulse_gpus",
        "GPUs that NVML knows.",
        host.gpus.len() as f64,
    );
    driver(view, sink);
    expected(view, sink);
}

fn driver(view: &View<'_>, sink: &mut dyn Sink) {
    let none = Labels::default();
    match &view.host.driver {
        DriverStatus::Starting => {}
        DriverStatus::Ready(driver) => {
            let family = Family::new(Kind::Info, "gpulse_driver_info", "What NVML says of itself.");
            let simulated = driver.simulated.to_string();
            let said = [
                ("driver_version", driver.driver_version.as_str()),
                (
                    "cuda_version",
                    driver.cuda_driver_version.as_deref().unwrap_or(""),
                ),
                ("nvml_version", driver.nvml_version.as_deref().unwrap_or("")),
                ("simulated", &simulated),
            ];
            let said: Vec<_> = said.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            OnFirst::new(&family, sink).series(&none, &said, 1.0);
        }
        DriverStatus::Unavailable(fault) => {
            let family = Family::new(
                Kind::Gauge,
                "gpulse_driver_unavailable",
                "1 while NVML cannot be used, and why.",
            );
            OnFirst::new(&family, sink).series(&none, &[("reason", fault.reason.as_str())], 1.0);
            let family = Family::new(
                Kind::Gauge,
                "gpulse_driver_unavailable_since_timestamp_seconds",
                "When the first of these attempts failed.",
            );
            OnFirst::new(&family, sink).series(&none, &[], seconds(fault.since));
        }
    }
}

/// GPUs that there should be, where that is known.
fn expected(view: &View<'_>, sink: &mut dyn Sink) {
    let none = Labels::default();
    let Ok(expected) = view.host.expected_gpus() else {
        return;
    };
    let mut one = |name: &'static str, help: &'static str, value: usize| {
        OnFirst::new(&Family::new(Kind::Gauge, name, help), sink).series(&none, &[], value as f64);
    };
    one(
        "gpulse_expected_gpus",
        "GPUs that the node should have, by its PCI devices or its configuration.",
        expected.count,
    );
    one(
        "gpulse_missing_gpus",
        "GPUs that the node should have and that NVML does not know.",
        expected.missing_count,
    );
}

/// A point in time as Prometheus writes it.
pub(super) fn seconds(at: gpulse_models::Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}
