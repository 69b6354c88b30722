//! Which pods hold which GPUs and MIG instances.

use gpulse_models::PodContainer;

use super::super::{
    View,
    row::{Labelled, OnFirst, instance_holders, instance_text},
};
use crate::family::{Family, Kind, Labels, Sink};

pub(super) fn expose(view: &View<'_>, gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let help = "A container that the GPU or MIG instance is assigned to, one of several where it is shared.";
    let family = Family::new(Kind::Info, "gpulse_pod_info", help);
    let mut family = OnFirst::new(&family, sink);
    let mut show = |labels: &Labels, holders: &[PodContainer]| {
        for holder in holders {
            let said = [
                ("namespace", holder.namespace.as_str()),
                ("pod", &holder.pod),
                ("container", &holder.container),
            ];
            family.series(labels, &said, 1.0);
        }
    };
    for gpu in gpus {
        // Without the labels of a sole holder, which stand in each series anyway.
        show(
            &Labels::new(super::names(gpu.seen.gpu)),
            view.host.pods.of_gpu(gpu.seen.gpu),
        );
        for (_, item) in &gpu.instances {
            let own = super::derived::MIG.map(|(label, key)| (label, instance_text(item, key)));
            let labels = Labels::new(super::names(gpu.seen.gpu).into_iter().chain(own));
            show(&labels, instance_holders(view, gpu.seen.gpu, item));
        }
    }
}
