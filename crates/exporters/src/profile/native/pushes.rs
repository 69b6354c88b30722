//! What the exporters that push have to say about themselves.

use super::{
    super::{View, row::OnFirst},
    host::seconds,
};
use crate::family::{Family, Kind, Labels, Point, Sink};

pub(super) fn expose(view: &View<'_>, sink: &mut dyn Sink) {
    let none = Labels::default();
    let counted = |value: u64| Point {
        created: Some(view.started_at),
        ..Point::from(value as f64)
    };
    let family = Family::new(
        Kind::Counter,
        "gpulse_push_batches_total",
        "Batches that were pushed, by what became of them; `retried` are failed attempts that were made again.",
    );
    let mut family = OnFirst::new(&family, sink);
    for push in &view.stats.pushes {
        for (outcome, value) in [
            ("sent", push.sent),
            ("dropped", push.dropped),
            ("retried", push.retried),
        ] {
            let labels = [("exporter", push.exporter), ("outcome", outcome)];
            family.series(&none, &labels, counted(value));
        }
    }
    let family = Family::new(
        Kind::Counter,
        "gpulse_push_dropped_samples_total",
        "Samples that a receiver will never get, and why.",
    );
    let mut family = OnFirst::new(&family, sink);
    for push in &view.stats.pushes {
        for (reason, value) in push.dropped_samples {
            let labels = [("exporter", push.exporter), ("reason", reason.as_str())];
            family.series(&none, &labels, counted(value));
        }
    }
    let family = Family::new(
        Kind::Gauge,
        "gpulse_push_buffered_bytes",
        "What waits for a receiver, compressed.",
    );
    let mut family = OnFirst::new(&family, sink);
    for push in &view.stats.pushes {
        family.series(&none, &[("exporter", push.exporter)], push.buffered_bytes as f64);
    }
    let family = Family::new(
        Kind::Gauge,
        "gpulse_push_last_success_timestamp_seconds",
        "When a receiver last took a batch.",
    );
    let mut family = OnFirst::new(&family, sink);
    for push in &view.stats.pushes {
        if let Some(at) = push.last_success {
            family.series(&none, &[("exporter", push.exporter)], seconds(at));
        }
    }
}
