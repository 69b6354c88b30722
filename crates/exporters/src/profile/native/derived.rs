//! Families that follow from the catalogue: each reading that is a number has one, and the texts of a part are the labels
//! of its `_info`.

use std::sync::LazyLock;

use gpulse_models::{
    Reading, Timestamp,
    catalogue::{self, Shape, Unit},
};

use super::super::{
    View,
    row::{Labelled, OnFirst, Scale},
};
use crate::{
    family::{Family, Kind, Labels, Point, Sink},
    seen::{CATALOGUE, Item, Leaf, LeafId, ListId, text},
};

/// The labels that tell the parts of `list` apart.
pub(crate) fn labels_for(list: ListId) -> impl Iterator<Item = &'static str> {
    let path = CATALOGUE.list(list).path.as_str();
    let keys = LISTS.iter().filter(move |(other, _)| *other == path);
    keys.flat_map(|(_, keys)| keys.iter().map(|(name, _)| *name))
}

/// The labels of a MIG instance, with the keys of its entry that they come from.
pub(super) const MIG: [(&str, &str); 4] = [
    ("mig_uuid", "uuid"),
    ("mig_profile", "profile"),
    ("gpu_instance_id", "gpu_instance_id"),
    ("compute_instance_id", "compute_instance_id"),
];

/// How the parts of a list are told apart, and whether they are few enough to have series.
const LISTS: [(&str, &[(&str, &str)]); 5] = [
    ("thermal.fans", &[("fan", "index")]),
    ("nvlink.links", &[("link", "index")]),
    ("mig.instances", &MIG),
    ("modes.license_features", &[("feature", "feature")]),
    ("sessions.vgpus", &[("vgpu_uuid", "uuid")]),
];

/// Families that follow from the catalogue, in its order.
static DERIVED: LazyLock<Vec<Derived>> = LazyLock::new(derive);

/// A family that follows from the catalogue.
#[derive(Debug)]
pub(crate) struct Derived {
    /// Its name, type and meaning.
    pub(crate) family: Family,
    /// The readings that it shows: one, or for an `_info` all texts of a part with their labels.
    pub(crate) from: From,
    /// The list of whose parts it is.
    pub(crate) of: Option<ListId>,
}

/// What a derived family shows.
#[derive(Debug)]
pub(crate) enum From {
    /// A number, in the unit of the family.
    Number(LeafId, Scale),
    /// Texts, by the name of their label.
    Texts(Vec<(&'static str, LeafId)>),
}

/// All families that follow from the catalogue.
pub(crate) fn derived() -> &'static [Derived] {
    &DERIVED
}

/// The end of the names of counters that begin with the agent: how often it saw another one begin anew.
const RESETS: &str = "_resets_total";

pub(super) fn expose(view: &View<'_>, gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    for derived in DERIVED.iter() {
        let created = derived.family.name.ends_with(RESETS).then_some(view.started_at);
        let mut family = Shown {
            family: OnFirst::new(&derived.family, sink),
            created,
        };
        for gpu in gpus {
            match derived.of {
                None => {
                    let cell = |leaf| gpu.seen.cell(leaf);
                    show(derived, cell, &gpu.labels, &[], &mut family);
                }
                Some(list) => {
                    for item in gpu.seen.items(list) {
                        let own = labels_of(list, item);
                        let own: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
                        show(derived, |leaf| item.cell(leaf), &gpu.labels, &own, &mut family);
                    }
                }
            }
        }
    }
}

fn show<'c, 'a: 'c>(
    derived: &Derived,
    cell: impl Fn(LeafId) -> &'c Reading<catalogue::Shown<'a>>,
    labels: &Labels,
    own: &[(&str, &str)],
    shown: &mut Shown<'_, '_>,
) {
    match &derived.from {
        From::Number(leaf, scale) => {
            if let Some(value) = cell(*leaf).value().and_then(crate::seen::number) {
                let point = Point {
                    created: shown.created,
                    ..Point::from(scale.apply(value))
                };
                shown.family.series(labels, own, point);
            }
        }
        From::Texts(texts) => {
            let said = texts
                .iter()
                .filter_map(|(name, leaf)| Some((*name, cell(*leaf).value().and_then(text)?)));
            let said: Vec<_> = said.filter(|(_, value)| !value.is_empty()).collect();
            if !said.is_empty() {
                let mut all = own.to_vec();
                all.extend(said.iter().map(|(name, value)| (*name, value.as_str())));
                shown.family.series(labels, &all, 1.0);
            }
        }
    }
}

/// A family that is shown, and when its counters began where that is known.
struct Shown<'f, 's> {
    family: OnFirst<'f, 's>,
    created: Option<Timestamp>,
}

/// What tells `item` from the other parts of its list.
fn labels_of(list: ListId, item: &Item<'_>) -> Vec<(&'static str, String)> {
    let path = CATALOGUE.list(list).path.as_str();
    let keys = LISTS
        .iter()
        .find(|(other, _)| *other == path)
        .map_or(&[][..], |(_, keys)| keys);
    let label = |(name, key): &(&'static str, &str)| {
        let leaf = CATALOGUE.leaf(&format!("{path}.{key}"))?;
        Some((*name, item.text(leaf)?))
    };
    keys.iter().filter_map(label).collect()
}

fn derive() -> Vec<Derived> {
    let mut all = Vec::new();
    let mut infos: Vec<(String, Derived)> = Vec::new();
    for leaf in &CATALOGUE.leaves {
        let path = leaf.of.map(|list| CATALOGUE.list(list).path.as_str());
        let keys = path.and_then(|path| LISTS.iter().find(|(other, _)| *other == path));
        if leaf.of.is_some() && keys.is_none() {
            continue;
        }
        let is_label = keys.is_some_and(|(_, keys)| keys.iter().any(|(_, key)| *key == leaf.metric.key));
        match leaf.described.shape {
            Shape::Number | Shape::Integer | Shape::Boolean | Shape::List if !is_label => {
                all.push(number(leaf))
            }
            Shape::Time if !is_label => all.push(time(leaf)),
            Shape::Text if !is_label && leaf.path != "clocks.performance_state" => add_text(&mut infos, leaf),
            _ => {}
        }
    }
    all.extend(infos.into_iter().map(|(_, info)| info));
    all
}

fn number(leaf: &Leaf) -> Derived {
    let (ending, scale) = base_unit(leaf.described.unit);
    let counts = leaf.described.kind == catalogue::Kind::Counter;
    let kind = if counts { Kind::Counter } else { Kind::Gauge };
    let mut name = stem(leaf);
    name += ending;
    if counts {
        name += "_total";
    }
    Derived {
        family: Family::new(kind, name, leaf.metric.description.trim()),
        from: From::Number(leaf.id, scale),
        of: leaf.of,
    }
}

/// A time, as Prometheus wants it: `expires_at` as `…_expires_timestamp_seconds`.
fn time(leaf: &Leaf) -> Derived {
    let path = leaf.path.strip_suffix("_at").unwrap_or(&leaf.path);
    let name = name_of(path) + "_timestamp_seconds";
    Derived {
        family: Family::new(Kind::Gauge, name, leaf.metric.description.trim()),
        from: From::Number(leaf.id, Scale::One),
        of: leaf.of,
    }
}

fn add_text(infos: &mut Vec<(String, Derived)>, leaf: &Leaf) {
    let (part, _) = leaf.path.rsplit_once('.').unwrap_or((&leaf.path, ""));
    let entry = (leaf.metric.key, leaf.id);
    if let Some((_, info)) = infos.iter_mut().find(|(other, _)| other == part) {
        if let From::Texts(texts) = &mut info.from {
            texts.push(entry);
        }
        return;
    }
    // The plural is the gauge of how many there are.
    let one = leaf.of.map_or(part, |_| part.strip_suffix('s').unwrap_or(part));
    let name = format!("{}_info", name_of(one));
    let help = format!("What is said of `{part}` in words.");
    let info = Derived {
        family: Family::new(Kind::Info, name, help),
        from: From::Texts(vec![entry]),
        of: leaf.of,
    };
    infos.push((part.to_owned(), info));
}

/// The name of a leaf's family without its unit.
fn stem(leaf: &Leaf) -> String {
    let path = leaf.path.strip_suffix("_total").unwrap_or(&leaf.path);
    let ending = leaf.described.unit.ending();
    name_of(path.strip_suffix(ending).unwrap_or(path))
}

/// `thermal.fans.speed` as `gpulse_thermal_fan_speed`: the parts of a list in the singular.
fn name_of(path: &str) -> String {
    let mut name = "gpulse".to_owned();
    let above = |part: &str| CATALOGUE.lists().iter().any(|list| list.path == part);
    let mut walked = String::new();
    for word in path.split('.') {
        if !walked.is_empty() {
            walked.push('.');
        }
        walked += word;
        name.push('_');
        let word = if walked == "identity" { "gpu" } else { word };
        let within = walked.len() < path.len() && above(&walked);
        name += if within {
            word.strip_suffix('s').unwrap_or(word)
        } else {
            word
        };
    }
    name
}

/// The base unit for a unit: how names end, and how to convert.
fn base_unit(unit: Unit) -> (&'static str, Scale) {
    match unit {
        Unit::None => ("", Scale::One),
        Unit::Watts => ("_watts", Scale::One),
        Unit::Joules => ("_joules", Scale::One),
        Unit::Celsius => ("_celsius", Scale::One),
        Unit::Megahertz => ("_hertz", Scale::Times(1e6)),
        Unit::Percent => ("_ratio", Scale::Over(100.0)),
        Unit::Bytes => ("_bytes", Scale::One),
        Unit::BytesPerSecond => ("_bytes_per_second", Scale::One),
        Unit::Megabits => ("_bytes_per_second", Scale::Times(125_000.0)),
        Unit::Bits => ("_bytes", Scale::Over(8.0)),
        Unit::Seconds => ("_seconds", Scale::One),
        Unit::Microseconds => ("_seconds", Scale::Over(1e6)),
        Unit::Revolutions => ("_rpm", Scale::One),
        Unit::FramesPerSecond => ("_frames_per_second", Scale::One),
    }
}
