//! Watching counters: no total goes back, and no rate is absurd.

use serde_json::Value;

use super::{gpu, look::at};
use crate::support::{Agent, eventually};

/// Counters of a GPU under load.
const TOTALS: [&str; 6] = [
    "power.energy_joules_total",
    "pcie.sent_bytes_total",
    "pcie.received_bytes_total",
    "nvlink.links.0.sent_bytes_total",
    "nvlink.links.17.received_bytes_total",
    "clocks.lowered.application_clocks_seconds_total",
];

/// Rates, and more than there can be: 700 W and a little, 64 GB/s over PCIe, 450 GB/s over NVLink.
const RATES: [(&str, f64); 5] = [
    ("power.mean_watts", 1_400.0),
    ("pcie.sent_bytes_per_second", 64e9),
    ("pcie.received_bytes_per_second", 64e9),
    ("nvlink.sent_bytes_per_second", 450e9),
    ("nvlink.links.0.sent_bytes_per_second", 25e9),
];

/// How often counters were seen to begin anew.
pub(super) const RESETS: [&str; 4] = [
    "power.energy_resets_total",
    "pcie.resets_total",
    "nvlink.links.0.resets_total",
    "nvlink.links.17.resets_total",
];

/// Looks at one sample after the other: no total goes back, and no rate is absurd.
#[derive(Default)]
pub(super) struct Watch {
    totals: [f64; TOTALS.len()],
    /// The latest of [`RESETS`].
    pub(super) resets: [f64; RESETS.len()],
}

impl Watch {
    #[track_caller]
    fn see(&mut self, gpu: &Value) {
        let pairs = TOTALS.iter().zip(&mut self.totals);
        for (path, before) in pairs.chain(RESETS.iter().zip(&mut self.resets)) {
            let Some(now) = at(gpu, path).as_f64() else {
                continue;
            };
            assert!(now >= *before, "{path} went from {before} back to {now}");
            *before = now;
        }
        for (path, most) in RATES {
            if let Some(rate) = at(gpu, path).as_f64() {
                assert!((0.0..most).contains(&rate), "{path} is {rate}");
            }
        }
    }

    /// Sees every sample until `holds` is true of one.
    #[track_caller]
    pub(super) fn until(&mut self, agent: &Agent, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(
            what,
            || {
                let now = gpu(agent, 0);
                self.see(&now);
                now
            },
            holds,
        )
    }

    /// Sees so many further samples.
    #[track_caller]
    pub(super) fn samples(&mut self, agent: &Agent, count: u64) -> Value {
        let first = gpu(agent, 0)["sequence"].as_u64().unwrap();
        self.until(agent, "further samples", |gpu| {
            gpu["sequence"].as_u64() >= Some(first + count)
        })
    }
}
