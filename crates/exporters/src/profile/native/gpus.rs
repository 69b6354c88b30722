//! How each GPU is, beside its readings: state, age, and what went wrong.

use gpulse_models::{Failure, GpuState, Sample, catalogue::Group};

use super::{
    super::{
        View,
        row::{Labelled, OnFirst},
    },
    host::seconds,
};
use crate::family::{Family, Kind, Point, Sink};

/// All states that a GPU can be in.
const STATES: [GpuState; 5] = [
    GpuState::Ok,
    GpuState::Stale,
    GpuState::Hung,
    GpuState::Lost,
    GpuState::Unavailable,
];

pub(super) fn expose(view: &View<'_>, gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let family = Family::new(
        Kind::Gauge,
        "gpulse_gpu_state",
        "The state of the GPU: 1 for the one that holds.",
    );
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        for state in STATES {
            let holds = gpu.seen.gpu.health.state == state;
            let label = [("state", state.as_str())];
            family.series(&gpu.labels, &label, f64::from(u8::from(holds)));
        }
    }
    let mut each =
        |kind, name: &'static str, help: &'static str, value: &dyn Fn(&Labelled<'_, '_>) -> Option<f64>| {
            let family = Family::new(kind, name, help);
            let mut family = OnFirst::new(&family, sink);
            for gpu in gpus {
                if let Some(value) = value(gpu) {
                    let created = (kind == Kind::Counter).then_some(view.started_at);
                    let point = Point {
                        created,
                        ..Point::from(value)
                    };
                    family.series(&gpu.labels, &[], point);
                }
            }
        };
    let health = |gpu: &Labelled<'_, '_>| gpu.seen.gpu.health.clone();
    each(
        Kind::Gauge,
        "gpulse_gpu_up",
        "Whether the GPU is read at its pace.",
        &|gpu| Some(f64::from(u8::from(health(gpu).state == GpuState::Ok))),
    );
    each(
        Kind::Gauge,
        "gpulse_gpu_state_since_timestamp_seconds",
        "Since when it is in its state.",
        &|gpu| Some(seconds(health(gpu).since)),
    );
    each(
        Kind::Gauge,
        "gpulse_gpu_sample_timestamp_seconds",
        "When the last good sample was taken.",
        &|gpu| last(gpu).map(|sample| seconds(sample.taken_at)),
    );
    each(
        Kind::Gauge,
        "gpulse_gpu_sample_age_seconds",
        "How old the last good sample was when this was written.",
        &|gpu| last(gpu).map(|sample| (seconds(view.at) - seconds(sample.taken_at)).max(0.0)),
    );
    each(
        Kind::Counter,
        "gpulse_gpu_samples_total",
        "Good samples.",
        &|gpu| Some(health(gpu).sequence as f64),
    );
    each(
        Kind::Gauge,
        "gpulse_gpu_consecutive_failures",
        "Failed ticks since the last good sample.",
        &|gpu| Some(health(gpu).failures as f64),
    );
    each(
        Kind::Counter,
        "gpulse_gpu_overruns_total",
        "Ticks that found the reader of the GPU still busy.",
        &|gpu| Some(health(gpu).overruns as f64),
    );
    each(
        Kind::Counter,
        "gpulse_gpu_dropped_records_total",
        "Records of the GPU that the aggregator's mailbox refused.",
        &|gpu| Some(health(gpu).dropped as f64),
    );
    errors(gpus, sink);
    group_ages(view, gpus, sink);
}

/// The last good sample, fresh or not.
fn last<'a>(gpu: &Labelled<'_, 'a>) -> Option<&'a Sample> {
    gpu.seen.gpu.sample.as_deref()
}

fn errors(gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let help = "1 while the last tick of the GPU failed: the NVML call, and the reason.";
    let family = Family::new(Kind::Gauge, "gpulse_gpu_error", help);
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        if let Some(Failure { reason, call, .. }) = &gpu.seen.gpu.health.last_error {
            family.series(&gpu.labels, &[("reason", reason.as_str()), ("call", call)], 1.0);
        }
    }
}

/// Groups have clocks of their own: how old what is shown of each is.
fn group_ages(view: &View<'_>, gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let help = "How old the readings of a group were when this was written.";
    let family = Family::new(Kind::Gauge, "gpulse_group_age_seconds", help);
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        let Some(sample) = gpu.seen.sample() else { continue };
        for group in Group::ALL {
            if let Some((_, Some(read_at))) = sample.group(group) {
                let age = (seconds(view.at) - seconds(read_at)).max(0.0);
                family.series(&gpu.labels, &[("group", group.as_str())], age);
            }
        }
    }
}
