//! The agent's own names: `gpulse_*`, in Prometheus base units. Readings have theirs from the catalogue; what else there
//! is to say of GPUs, driver, events and processes is beside it.

mod absent;
mod derived;
mod gpus;
mod happened;
mod host;
mod own;
mod pods;
mod processes;
mod pushes;

use std::sync::LazyLock;

use gpulse_models::GpuSnapshot;

pub(crate) use derived::{Derived, From, derived, labels_for};

use super::{
    Row, Table, View,
    row::{Labelled, holder, instance_holders, instance_text, rows},
};
use crate::{
    family::{Extra, Labels, Sink},
    seen::Seen,
};

/// What the catalogue's names do not express: the states that a reading is one of, each with a series.
pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(ROWS));

const ROWS: &[Row] = rows! {
    gauge "gpulse_clocks_performance_state" "Performance state, 0 for the fastest." made "`clocks.performance_state`", super::dcgm::performance_state;
    gauge "gpulse_clocks_event_reason" "Whether this is a reason why clocks are lower than they could be." each "`clocks.event_reasons`", event_reasons;
};

/// The order in which families are written: how the agent and the GPUs are, what was read of them, what happened.
pub(super) fn expose(view: &View<'_>, seen: &[Seen<'_>], sink: &mut dyn Sink) {
    let gpus = Labelled::all(
        seen,
        |gpu| Labels::new(names(gpu).into_iter().chain(holder(view.host.pods.of_gpu(gpu)))),
        |gpu, item| {
            let own = derived::MIG.map(|(label, key)| (label, instance_text(item, key)));
            let holder = holder(instance_holders(view, gpu, item));
            Labels::new(names(gpu).into_iter().chain(own).chain(holder))
        },
    );
    host::expose(view, sink);
    gpus::expose(view, &gpus, sink);
    derived::expose(view, &gpus, sink);
    absent::expose(&gpus, sink);
    TABLE.expose(&gpus, sink);
    happened::expose(view, sink);
    processes::expose(view, &gpus, sink);
    pods::expose(view, &gpus, sink);
    own::expose(view, sink);
    pushes::expose(view, sink);
}

/// What a GPU goes by: index and UUID.
fn names(gpu: &GpuSnapshot) -> [(&'static str, String); 2] {
    [
        ("gpu", gpu.index.to_string()),
        ("uuid", gpu.uuid().map(ToString::to_string).unwrap_or_default()),
    ]
}

fn event_reasons(seen: &Seen<'_>, show: &mut dyn FnMut(&[Extra<'_>], f64)) {
    let reasons = seen
        .sample()
        .and_then(|sample| sample.clocks.event_reasons.value());
    for (name, holds) in reasons.into_iter().flat_map(|reasons| reasons.named()) {
        show(&[("reason", name)], f64::from(u8::from(holds)));
    }
}
