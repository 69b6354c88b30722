//! The tables of profiles: which metric comes from which reading.

use gpulse_models::{GpuSnapshot, MigDevice, PodContainer};

use super::View;
use crate::{
    family::{Extra, Family, Kind, Labels, Sink},
    seen::{CATALOGUE, Item, LeafId, ListId, Seen},
};

/// A metric of a profile.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
    /// What it is made of.
    pub source: Source,
}

/// The rows of a table: type, name and meaning, and what it is made of, such as
///
/// ```ignore
/// gauge "DCGM_FI_DEV_GPU_TEMP" "Core temperature, in °C." reading "thermal.gpu_celsius";
/// gauge "DCGM_FI_DEV_FB_USED" "Memory, in MiB." both "memory.used_bytes" "memory_used_bytes", Scale::Over(1_048_576.0);
/// ```
macro_rules! rows {
    ($($kind:ident $name:literal $help:literal $from:ident $what:tt $($path:literal)? $(, $with:expr)?;)*) => {
        &[$($crate::profile::Row {
            name: $name,
            kind: $crate::profile::row::rows!(kind $kind),
            help: $help,
            source: $crate::profile::row::rows!(source $from $what $($path)? $(, $with)?),
        }),*]
    };
    (kind gauge) => { $crate::family::Kind::Gauge };
    (kind counter) => { $crate::family::Kind::Counter };
    (source reading $path:tt) => { $crate::profile::Source::Reading($path, $crate::profile::Scale::One) };
    (source reading $path:tt, $scale:expr) => { $crate::profile::Source::Reading($path, $scale) };
    (source both $path:tt $instance:literal) => {
        $crate::profile::Source::WithInstances($path, $instance, $crate::profile::Scale::One)
    };
    (source both $path:tt $instance:literal, $scale:expr) => {
        $crate::profile::Source::WithInstances($path, $instance, $scale)
    };
    (source made $what:tt, $made:expr) => { $crate::profile::Source::Made($what, $made) };
    (source each $what:tt, $each:expr) => { $crate::profile::Source::Each($what, $each) };
}

pub(super) use rows;

/// What a metric is made of.
#[derive(Clone, Copy)]
pub enum Source {
    /// The reading at this path.
    Reading(&'static str, Scale),
    /// The reading at the second path below `mig.instances` of MIG instances, or where none has it the GPU's at the first path.
    WithInstances(&'static str, &'static str, Scale),
    /// One value for each GPU; the text says of what.
    Made(&'static str, fn(&Seen<'_>) -> Option<f64>),
    /// Series of each GPU with labels of their own; the text says of what.
    Each(&'static str, Each),
}

/// Gives the labels and the value of each series of a GPU.
pub type Each = fn(&Seen<'_>, &mut dyn FnMut(&[Extra<'_>], f64));

/// What a reading is multiplied with or divided by: of the two, the one that loses no digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// The reading as it is.
    One,
    /// Times this.
    Times(f64),
    /// Divided by this.
    Over(f64),
}

impl Scale {
    /// `value` in the metric's unit.
    pub fn apply(self, value: f64) -> f64 {
        match self {
            Self::One => value,
            Self::Times(factor) => value * factor,
            Self::Over(divisor) => value / divisor,
        }
    }
}

/// The table of a profile, with each path looked up.
pub struct Table {
    /// The rows, in the order of the exposition.
    pub rows: Vec<Row>,
    resolved: Vec<Resolved>,
}

struct Resolved {
    family: Family,
    source: At,
}

enum At {
    Leaf(LeafId, Option<LeafId>, Scale),
    Made(fn(&Seen<'_>) -> Option<f64>),
    Each(Each),
    /// A path that does not exist: no series. A test sees to it that there is none.
    Nowhere,
}

/// Where MIG instances are listed.
const INSTANCES: &str = "mig.instances";

impl Table {
    /// The table of these rows.
    pub(super) fn new(rows: &[Row]) -> Self {
        let resolved = rows.iter().map(|row| Resolved {
            family: Family::new(row.kind, row.name, row.help),
            source: At::of(row.source),
        });
        Self {
            rows: rows.to_vec(),
            resolved: resolved.collect(),
        }
    }

    /// Rows whose path does not exist.
    #[cfg(test)]
    pub(super) fn lost(&self) -> impl Iterator<Item = &Row> {
        let lost = |(_, resolved): &(&Row, &Resolved)| matches!(resolved.source, At::Nowhere);
        self.rows
            .iter()
            .zip(&self.resolved)
            .filter(lost)
            .map(|(row, _)| row)
    }

    /// Shows `sink` the families that have a series.
    pub(super) fn expose(&self, gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
        for resolved in &self.resolved {
            let mut family = OnFirst::new(&resolved.family, sink);
            for gpu in gpus {
                match &resolved.source {
                    At::Leaf(leaf, instance, scale) => {
                        let of_instances = instance.iter().flat_map(|leaf| gpu.of_instances(*leaf));
                        let mut is_cut = false;
                        for (labels, value) in of_instances {
                            is_cut = true;
                            family.series(labels, &[], scale.apply(value));
                        }
                        // What the instances have is not shown a second time as the GPU's.
                        if let Some(value) = gpu.seen.number(*leaf).filter(|_| !is_cut) {
                            family.series(&gpu.labels, &[], scale.apply(value));
                        }
                    }
                    At::Made(made) => {
                        if let Some(value) = made(gpu.seen) {
                            family.series(&gpu.labels, &[], value);
                        }
                    }
                    At::Each(each) => each(gpu.seen, &mut |extra, value| {
                        family.series(&gpu.labels, extra, value);
                    }),
                    At::Nowhere => {}
                }
            }
        }
    }
}

impl At {
    fn of(source: Source) -> Self {
        let leaf = |path: &str| CATALOGUE.leaf(path);
        let found = match source {
            Source::Reading(path, scale) => leaf(path).map(|leaf| Self::Leaf(leaf, None, scale)),
            Source::WithInstances(path, instance, scale) => {
                let instance = leaf(&format!("{INSTANCES}.{instance}"));
                leaf(path)
                    .zip(instance)
                    .map(|(leaf, instance)| Self::Leaf(leaf, Some(instance), scale))
            }
            Source::Made(_, made) => Some(Self::Made(made)),
            Source::Each(_, each) => Some(Self::Each(each)),
        };
        found.unwrap_or(Self::Nowhere)
    }
}

/// A GPU with the labels that a profile gives it and its MIG instances.
pub(super) struct Labelled<'s, 'a> {
    pub(super) seen: &'s Seen<'a>,
    pub(super) labels: Labels,
    pub(super) instances: Vec<(Labels, &'s Item<'a>)>,
}

impl<'s, 'a> Labelled<'s, 'a> {
    /// Labels each GPU, and each of its instances.
    pub(super) fn all(
        seen: &'s [Seen<'a>],
        of_gpu: impl Fn(&GpuSnapshot) -> Labels,
        of_instance: impl Fn(&GpuSnapshot, &Item<'a>) -> Labels,
    ) -> Vec<Self> {
        let list = CATALOGUE.list_named(INSTANCES);
        let label = |seen: &'s Seen<'a>| Self {
            labels: of_gpu(seen.gpu),
            instances: instances(seen, list)
                .map(|item| (of_instance(seen.gpu, item), item))
                .collect(),
            seen,
        };
        seen.iter().map(label).collect()
    }
}

impl Labelled<'_, '_> {
    /// What was read for `leaf` of each instance, with its labels.
    fn of_instances(&self, leaf: LeafId) -> impl Iterator<Item = (&Labels, f64)> {
        self.instances
            .iter()
            .filter_map(move |(labels, item)| Some((labels, item.number(leaf)?)))
    }
}

fn instances<'s, 'a>(seen: &'s Seen<'a>, list: Option<ListId>) -> impl Iterator<Item = &'s Item<'a>> {
    list.into_iter().flat_map(|list| seen.items(list))
}

/// The labels of who holds a device, where it is one container alone: a shared device belongs to nobody.
pub(super) fn holder(holders: &[PodContainer]) -> Vec<(&'static str, String)> {
    holder_as(["namespace", "pod", "container"], holders)
}

/// The same under other names.
pub(crate) fn holder_as(
    [namespace, pod, container]: [&'static str; 3],
    holders: &[PodContainer],
) -> Vec<(&'static str, String)> {
    match holders {
        [sole] => vec![
            (namespace, sole.namespace.clone()),
            (pod, sole.pod.clone()),
            (container, sole.container.clone()),
        ],
        _ => Vec::new(),
    }
}

/// Who holds the MIG instance of `gpu` that is listed as `item`.
pub(crate) fn instance_holders<'v>(
    view: &View<'v>,
    gpu: &GpuSnapshot,
    item: &Item<'_>,
) -> &'v [PodContainer] {
    let uuid = instance_text(item, "uuid");
    let instances = gpu
        .sample
        .as_deref()
        .and_then(|sample| sample.mig.instances.value());
    let is_it = |instance: &&MigDevice| instance.uuid.value() == Some(&uuid);
    let instance = instances.into_iter().flatten().find(is_it);
    instance.map_or(&[], |instance| view.host.pods.of_instance(gpu, instance))
}

/// What a MIG instance says of itself at `key`.
pub(super) fn instance_text(item: &Item<'_>, key: &str) -> String {
    let leaf = CATALOGUE.leaf(&format!("{INSTANCES}.{key}"));
    leaf.and_then(|leaf| item.text(leaf)).unwrap_or_default()
}

/// Shows a family at its first series: one that has none is not shown.
pub(super) struct OnFirst<'f, 's> {
    family: &'f Family,
    sink: &'s mut dyn Sink,
    shown: bool,
}

impl<'f, 's> OnFirst<'f, 's> {
    pub(super) fn new(family: &'f Family, sink: &'s mut dyn Sink) -> Self {
        Self {
            family,
            sink,
            shown: false,
        }
    }

    pub(super) fn series<'p>(
        &mut self,
        labels: &Labels,
        extra: &[Extra<'_>],
        point: impl Into<crate::family::Point<'p>>,
    ) {
        if !self.shown {
            self.sink.family(self.family);
            self.shown = true;
        }
        self.sink.series(labels, extra, point.into());
    }
}
