//! Readings under the names of OpenTelemetry: the table, looked up and filled in.

use std::sync::LazyLock;

use gpulse_models::{GpuSnapshot, GpuState, PodContainer, Timestamp, catalogue::Group};
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    metrics::v1::{Metric, NumberDataPoint},
};

use super::{
    points::{attribute, metric, point},
    row::{self, Instrument, Source},
    table::{METRICS, STATES},
};
use crate::{
    Scale, View,
    profile::{holder_as, instance_holders},
    seen::{CATALOGUE, Item, LeafId, ListId, Seen},
};

/// The series of each metric with their paths looked up, in the order of the table.
static RESOLVED: LazyLock<Vec<Vec<Resolved>>> = LazyLock::new(|| {
    let of = |metric: &row::Metric| metric.series.iter().flat_map(resolve).collect();
    METRICS.iter().map(of).collect()
});

struct Resolved {
    attributes: &'static [(&'static str, &'static str)],
    from: From,
}

enum From {
    Reading(LeafId, Scale),
    Ratio(LeafId, LeafId),
    Parts(LeafId, Scale, Part),
    State,
}

/// Attributes of who holds a GPU or instance, by the conventions for Kubernetes.
const HOLDER: [&str; 3] = ["k8s.namespace.name", "k8s.pod.name", "k8s.container.name"];

/// How the parts of a list are told apart.
#[derive(Clone, Copy)]
enum Part {
    Instance,
    Fan,
}

/// What is said in one go: the points of one metric of one GPU.
struct Saying<'s, 'a> {
    view: &'s View<'a>,
    seen: &'s Seen<'a>,
    /// Those of the GPU.
    attributes: &'s [KeyValue],
    metric: &'static row::Metric,
    points: &'s mut Vec<NumberDataPoint>,
}

/// All metrics that have a point.
pub(super) fn metrics(view: &View<'_>, seen: &[Seen<'_>]) -> Vec<Metric> {
    let gpus: Vec<_> = seen
        .iter()
        .map(|seen| (seen, attributes(view, seen.gpu)))
        .collect();
    let mut metrics = Vec::new();
    for (of, series) in METRICS.iter().zip(RESOLVED.iter()) {
        let mut points = Vec::new();
        for (seen, attributes) in &gpus {
            let mut saying = Saying {
                view,
                seen,
                attributes,
                metric: of,
                points: &mut points,
            };
            series.iter().for_each(|series| saying.say(series));
        }
        if !points.is_empty() {
            metrics.push(metric(of.name, of.help, of.unit, of.instrument, points));
        }
    }
    metrics
}

impl Saying<'_, '_> {
    fn say(&mut self, series: &Resolved) {
        let fixed: Vec<_> = series.attributes.to_vec();
        match series.from {
            From::Reading(leaf, scale) => {
                if let Some(value) = self.seen.number(leaf) {
                    self.add(&fixed, scale.apply(value), self.time(leaf));
                }
            }
            From::Ratio(part, whole) => {
                let read = self.seen.number(part).zip(self.seen.number(whole));
                if let Some((part_of, all)) = read.filter(|(_, all)| *all > 0.0) {
                    self.add(&fixed, part_of / all, self.time(part));
                }
            }
            From::Parts(leaf, scale, part) => {
                let Some(list) = CATALOGUE.at(leaf).of else { return };
                for item in self.seen.items(list) {
                    let Some(value) = item.number(leaf) else { continue };
                    self.part(&fixed, list, item, part, scale.apply(value), self.time(leaf));
                }
            }
            From::State => {
                let Some(holding) = status(self.seen) else { return };
                for state in STATES {
                    let holds = f64::from(u8::from(state == holding));
                    self.add(&[("hw.state", state)], holds, self.view.at);
                }
            }
        }
    }

    fn add(&mut self, own: &[(&str, &str)], value: f64, at: Timestamp) {
        let own = own.iter().map(|(name, value)| attribute(name, value));
        let all = self.attributes.iter().cloned().chain(own).collect();
        self.push(all, value, at);
    }

    /// A point of a part of the GPU. An instance has an identity of its own, and the GPU is its parent.
    fn part(
        &mut self,
        fixed: &[(&str, &str)],
        list: ListId,
        item: &Item<'_>,
        part: Part,
        value: f64,
        at: Timestamp,
    ) {
        let text = |key: &str| {
            let leaf = CATALOGUE.leaf(&format!("{}.{key}", CATALOGUE.list(list).path));
            leaf.and_then(|leaf| item.text(leaf)).unwrap_or_default()
        };
        match part {
            Part::Fan => {
                let location = format!("fan{}", text("index"));
                let mut own = fixed.to_vec();
                own.push(("hw.sensor_location", &location));
                self.add(&own, value, at);
            }
            Part::Instance => {
                let uuid = text("uuid");
                if uuid.is_empty() {
                    return;
                }
                let parent = self.seen.gpu.id.as_str();
                let name = text("name");
                let gpus = |attribute: &&KeyValue| {
                    let key = attribute.key.as_str();
                    !matches!(key, "hw.id" | "hw.name") && !HOLDER.contains(&key)
                };
                let mut all: Vec<_> = self.attributes.iter().filter(gpus).cloned().collect();
                let own = [
                    ("hw.id", uuid.as_str()),
                    ("hw.name", &name),
                    ("hw.parent", parent),
                ];
                all.extend(own.map(|(name, value)| attribute(name, value)));
                all.extend(held(instance_holders(self.view, self.seen.gpu, item)));
                all.extend(fixed.iter().map(|(name, value)| attribute(name, value)));
                self.push(all, value, at);
            }
        }
    }

    fn push(&mut self, attributes: Vec<KeyValue>, value: f64, at: Timestamp) {
        // What goes up and down has been told since the agent started; when the driver began to count is not known.
        let told = self.metric.instrument == Instrument::UpDownCounter;
        let since = told.then_some(self.view.started_at);
        let number = self.metric.number;
        self.points.push(point(attributes, value, number, since, at));
    }

    /// When `leaf` was read; what is read once holds now.
    fn time(&self, leaf: LeafId) -> Timestamp {
        let group = CATALOGUE.group_of(leaf);
        let read = |group: Group| self.seen.sample()?.group(group)?.1;
        group.and_then(read).unwrap_or(self.view.at)
    }
}

/// What tells a GPU from others, and what it is.
fn attributes(view: &View<'_>, gpu: &GpuSnapshot) -> Vec<KeyValue> {
    let identity = gpu.facts.as_deref().map(|facts| &facts.identity);
    let said = |reading: Option<&gpulse_models::Reading<String>>| {
        reading
            .and_then(|reading| reading.value().cloned())
            .unwrap_or_default()
    };
    let all = [
        ("hw.id", gpu.id.to_string()),
        ("hw.name", format!("gpu{}", gpu.index)),
        ("hw.type", "gpu".to_owned()),
        ("hw.vendor", "NVIDIA".to_owned()),
        ("hw.model", said(identity.map(|identity| &identity.name))),
        (
            "hw.serial_number",
            said(identity.map(|identity| &identity.serial)),
        ),
        (
            "hw.firmware_version",
            said(identity.map(|identity| &identity.vbios_version)),
        ),
        ("hw.driver_version", view.driver_version().to_owned()),
    ];
    let known = all.iter().filter(|(_, value)| !value.is_empty());
    let known = known.map(|(name, value)| attribute(name, value));
    known.chain(held(view.host.pods.of_gpu(gpu))).collect()
}

/// Who holds it, where it is one container alone.
fn held(holders: &[PodContainer]) -> impl Iterator<Item = KeyValue> {
    let said = holder_as(HOLDER, holders).into_iter();
    said.map(|(name, value)| attribute(name, &value))
}

/// The state of a GPU in the conventions' words; nothing as long as nothing was heard of it.
fn status(seen: &Seen<'_>) -> Option<&'static str> {
    if !seen.gpu.was_heard_of() {
        return None;
    }
    Some(match seen.gpu.health.state {
        // Rows of memory are worn out and there are no others: NVIDIA's criterion for replacing the board.
        GpuState::Ok if is_worn_out(seen) => "predicted_failure",
        GpuState::Ok => "ok",
        GpuState::Stale => "degraded",
        GpuState::Hung | GpuState::Lost | GpuState::Unavailable => "failed",
    })
}

fn is_worn_out(seen: &Seen<'_>) -> bool {
    let failed = seen
        .sample()
        .and_then(|sample| sample.reliability.remapped_rows.failed.value());
    failed.copied().unwrap_or_default()
}

fn resolve(series: &'static row::Series) -> impl Iterator<Item = Resolved> {
    let found = places(series.source).into_iter().flatten();
    found.map(|from| Resolved {
        attributes: series.attributes,
        from,
    })
}

/// Where a source is found; nothing for a path that does not exist, which a test sees to.
fn places(source: Source) -> Vec<Option<From>> {
    let leaf = |path: &str| CATALOGUE.leaf(path);
    let number = |path, scale| leaf(path).map(|leaf| From::Reading(leaf, scale));
    let parts = |path: &str, scale, part| leaf(path).map(|leaf| From::Parts(leaf, scale, part));
    match source {
        Source::Reading(path, scale) => vec![number(path, scale)],
        Source::WithInstances(path, key) => {
            let below = format!("mig.instances.{key}");
            vec![
                number(path, Scale::One),
                parts(&below, Scale::One, Part::Instance),
            ]
        }
        Source::Ratio(part, whole) => {
            let both = leaf(part).zip(leaf(whole));
            vec![both.map(|(part, whole)| From::Ratio(part, whole))]
        }
        Source::Fans(path, scale) => vec![parts(path, scale, Part::Fan)],
        Source::State => vec![Some(From::State)],
    }
}

/// Sources of the table with a path that does not exist.
#[cfg(test)]
pub(super) fn lost() -> Vec<Source> {
    let all = METRICS.iter().flat_map(|metric| metric.series);
    let lost = all.filter(|series| places(series.source).iter().any(Option::is_none));
    lost.map(|series| series.source).collect()
}
