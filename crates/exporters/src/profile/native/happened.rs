//! What happened to the GPUs since the agent started.

use gpulse_models::{EventCounters, Xid};

use super::{
    super::{View, row::OnFirst},
    host::seconds,
};
use crate::family::{Exemplar, Family, Kind, Labels, Point, Sink};

/// Without the labels of who holds a GPU: what happened to it may have happened to another.
pub(super) fn expose(view: &View<'_>, sink: &mut dyn Sink) {
    let counters: Vec<_> = view
        .host
        .gpus
        .iter()
        .filter_map(|gpu| Some((Labels::new(super::names(gpu)), view.events_of(gpu)?)))
        .collect();
    kinds(view, &counters, sink);
    xids(view, &counters, sink);
    times(&counters, sink);
    latest(&counters, sink);
    unwatched(&counters, sink);
    let family = Family::new(
        Kind::Counter,
        "gpulse_events_dropped_total",
        "Events that the agent heard of and could not take in.",
    );
    let dropped = view.events.dropped as f64;
    OnFirst::new(&family, sink).series(&Labels::default(), &[], counted(view, dropped));
}

type Counted<'c> = [(Labels, &'c EventCounters)];

fn kinds(view: &View<'_>, counters: &Counted<'_>, sink: &mut dyn Sink) {
    let help = "What happened to the GPU, by kind; a kind that is not there did not occur.";
    let family = Family::new(Kind::Counter, "gpulse_events_total", help);
    let mut family = OnFirst::new(&family, sink);
    for (labels, counters) in counters {
        for (kind, count) in &counters.kinds {
            family.series(labels, &[("kind", kind)], counted(view, *count as f64));
        }
    }
}

fn xids(view: &View<'_>, counters: &Counted<'_>, sink: &mut dyn Sink) {
    let help =
        "XIDs of the GPU, by number, with how grave it is; `other` are those beyond what is told apart.";
    let family = Family::new(Kind::Counter, "gpulse_xid_errors_total", help);
    let mut family = OnFirst::new(&family, sink);
    for (labels, counters) in counters {
        for (code, tally) in &counters.xids {
            let severity = Xid::of(*code).severity.as_str();
            let last = counters.last_xid.filter(|last| last.code == *code);
            let sequence = last.map(|last| last.sequence.to_string());
            let exemplar = last.zip(sequence.as_deref()).map(|(last, sequence)| Exemplar {
                label: ("event", sequence),
                value: 1.0,
                at: last.at,
            });
            let point = Point {
                exemplar,
                ..counted(view, tally.count as f64)
            };
            family.series(
                labels,
                &[("xid", &code.to_string()), ("severity", severity)],
                point,
            );
        }
        if counters.other_xids > 0 {
            let other = [("xid", "other"), ("severity", "unknown")];
            family.series(labels, &other, counted(view, counters.other_xids as f64));
        }
    }
}

/// By number, so that an alert goes by the time of what it is about.
fn times(counters: &Counted<'_>, sink: &mut dyn Sink) {
    let help = "When the agent last heard of an XID of the GPU, by number, with how grave it is.";
    let family = Family::new(Kind::Gauge, "gpulse_xid_last_timestamp_seconds", help);
    let mut family = OnFirst::new(&family, sink);
    for (labels, counters) in counters {
        for (code, tally) in &counters.xids {
            let severity = Xid::of(*code).severity.as_str();
            let said = [("xid", &*code.to_string()), ("severity", severity)];
            family.series(labels, &said, seconds(tally.at));
        }
    }
}

fn latest(counters: &Counted<'_>, sink: &mut dyn Sink) {
    let mut one = |name: &'static str, help: &'static str, value: &dyn Fn(gpulse_models::LastXid) -> f64| {
        let family = Family::new(Kind::Gauge, name, help);
        let mut family = OnFirst::new(&family, sink);
        for (labels, counters) in counters {
            if let Some(last) = counters.last_xid {
                family.series(labels, &[], value(last));
            }
        }
    };
    one("gpulse_last_xid", "The latest XID of the GPU.", &|last| {
        last.code as f64
    });
    one(
        "gpulse_last_xid_timestamp_seconds",
        "When the agent heard of the latest XID of the GPU.",
        &|last| seconds(last.at),
    );
}

fn unwatched(counters: &Counted<'_>, sink: &mut dyn Sink) {
    let help = "1 while the driver's events of the GPU do not reach the agent, and why.";
    let family = Family::new(Kind::Gauge, "gpulse_events_unwatched", help);
    let mut family = OnFirst::new(&family, sink);
    for (labels, counters) in counters {
        if let Some(reason) = counters.unwatched {
            family.series(labels, &[("reason", reason.as_str())], 1.0);
        }
    }
}

/// A counter that began with the agent.
fn counted(view: &View<'_>, value: f64) -> Point<'static> {
    Point {
        created: Some(view.started_at),
        ..Point::from(value)
    }
}
