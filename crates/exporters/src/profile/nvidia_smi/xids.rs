//! XIDs by number.

use gpulse_models::XidTally;

use super::super::{
    View,
    row::{Labelled, OnFirst},
};
use crate::family::{Family, Kind, Sink};

const COUNT: (&str, &str) = (
    "nvidia_smi_xid_errors_total",
    "XIDs since the agent started, by number.",
);
const LAST: (&str, &str) = (
    "nvidia_smi_xid_last_timestamp_seconds",
    "When the agent last heard of an XID, by number.",
);

pub(super) fn expose(view: &View<'_>, gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let mut each = |kind, (name, help): (&'static str, &'static str), value: fn(&XidTally) -> f64| {
        let family = Family::new(kind, name, help);
        let mut family = OnFirst::new(&family, sink);
        for gpu in gpus {
            let events = view.events_of(gpu.seen.gpu).into_iter();
            for (code, tally) in events.flat_map(|events| &events.xids) {
                family.series(&gpu.labels, &[("xid", &code.to_string())], value(tally));
            }
        }
    };
    each(Kind::Counter, COUNT, |tally| tally.count as f64);
    each(Kind::Gauge, LAST, |tally| tally.at.as_microsecond() as f64 / 1e6);
}
