//! Schemas of structs of readings, from the tables that declare them.

use gpulse_models::{
    AccountedProcess, Activity, Clocks, Fabric, Fan, GpuIdentity, GpuLimits, HostTotals, LicenseFeature,
    Load, LoadInterval, Memory, Mig, MigDevice, Modes, Nvlink, NvlinkLink, OtherRow, Pcie, PercentSpread,
    Power, ProcessOverview, ProcessRow, Reliability, RemappedRows, Sessions, SramErrors, Thermal,
    TopologyGpuRow, TopologyOverview, TopologyPairRow, Vgpu, Violations, WattsSpread,
    catalogue::{Catalogued, Described, Group, Metric, Shape, Unit, What},
};
use utoipa::openapi::{
    Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat, Type,
    schema::SchemaType,
};

/// A struct of readings: its name and what is in it.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) metrics: &'static [Metric],
}

macro_rules! tables {
    ($($name:ident),* $(,)?) => {
        /// Every struct of readings that is shown, by name.
        pub(super) const TABLES: &[Table] = &[
            $(Table { name: stringify!($name), metrics: $name::METRICS }),*
        ];
    };
}

tables![
    AccountedProcess,
    Activity,
    Clocks,
    Fabric,
    Fan,
    GpuIdentity,
    GpuLimits,
    HostTotals,
    LicenseFeature,
    Load,
    LoadInterval,
    Memory,
    Mig,
    MigDevice,
    Modes,
    Nvlink,
    NvlinkLink,
    OtherRow,
    Pcie,
    PercentSpread,
    Power,
    ProcessOverview,
    ProcessRow,
    Reliability,
    RemappedRows,
    Sessions,
    SramErrors,
    Thermal,
    TopologyGpuRow,
    TopologyOverview,
    TopologyPairRow,
    Vgpu,
    Violations,
    WattsSpread,
];

/// The name of the struct that has these keys.
pub(super) fn name_of(metrics: &[Metric]) -> &'static str {
    TABLES
        .iter()
        .find(|table| table.metrics == metrics)
        .map_or("", |table| table.name)
}

/// The name of the component for a part with these keys: what is a group as well has its time there, and not as a part.
fn part_name(metrics: &[Metric]) -> String {
    let is_group = Group::ALL.iter().any(|group| group.metrics() == metrics);
    let suffix = if is_group { "Part" } else { "" };
    format!("{}{suffix}", name_of(metrics))
}

/// An object with these keys.
pub(super) fn object(metrics: &[Metric]) -> ObjectBuilder {
    with(ObjectBuilder::new().schema_type(Type::Object), metrics)
}

/// `object` with these keys.
pub(super) fn with(object: ObjectBuilder, metrics: &[Metric]) -> ObjectBuilder {
    metrics.iter().fold(object, |object, metric| {
        object.property(metric.key, property(metric))
    })
}

/// A reference to the component of this name, with a description of its own.
pub(super) fn reference(name: &str, description: &str) -> Ref {
    let mut reference = Ref::from_schema_name(name);
    description.clone_into(&mut reference.description);
    reference
}

/// A list of what the component of this name describes.
pub(super) fn list(name: &str, description: &str) -> ArrayBuilder {
    ArrayBuilder::new()
        .items(Ref::from_schema_name(name))
        .description(Some(description))
}

/// This type, or null.
pub(super) fn nullable(of: Type) -> SchemaType {
    SchemaType::from_iter([of, Type::Null])
}

/// A text that is a point in time.
pub(super) fn time(is_nullable: bool, description: &str) -> Object {
    let text = if is_nullable {
        nullable(Type::String)
    } else {
        Type::String.into()
    };
    ObjectBuilder::new()
        .schema_type(text)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some(description))
        .build()
}

fn property(metric: &Metric) -> RefOr<Schema> {
    match metric.what {
        What::Reading(described) => reading(metric, described),
        What::Part(below) => RefOr::Ref(reference(&part_name(below), metric.description.trim())),
        What::List(described, below) => {
            let list = list(name_of(below), &description(metric, described));
            list.schema_type(nullable(Type::Array)).build().into()
        }
    }
}

fn reading(metric: &Metric, described: Described) -> RefOr<Schema> {
    let text = description(metric, described);
    let plain = |of| {
        let object = ObjectBuilder::new().schema_type(nullable(of));
        object.description(Some(text.as_str())).build().into()
    };
    let listed = |of| -> RefOr<Schema> {
        let items = ObjectBuilder::new().schema_type(of).build();
        let mut array = Array::new_nullable(items);
        array.description = Some(text.clone());
        array.into()
    };
    match described.shape {
        Shape::Number => plain(Type::Number),
        Shape::Integer => plain(Type::Integer),
        Shape::Boolean => plain(Type::Boolean),
        Shape::Text => plain(Type::String),
        Shape::Time => time(true, &text).into(),
        Shape::Texts => listed(Type::String),
        Shape::Integers => listed(Type::Integer),
        Shape::List => listed(Type::Object),
    }
}

fn description(metric: &Metric, described: Described) -> String {
    let unit = match described.unit {
        Unit::None => String::new(),
        unit => format!(" In {}.", unit.as_str()),
    };
    format!(
        "{}{unit} {}, from `{}`, since {}.",
        metric.description.trim(),
        capitalised(described.kind.as_str()),
        described.source,
        described.since.as_str()
    )
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_struct_of_readings_that_is_shown_has_a_name_of_its_own() {
        fn check(path: &str, metrics: &[Metric]) {
            assert_ne!(name_of(metrics), "", "{path}");
            for metric in metrics {
                if let What::Part(below) | What::List(_, below) = metric.what {
                    check(&format!("{path}.{}", metric.key), below);
                }
            }
        }
        for group in Group::ALL {
            check(group.as_str(), group.metrics());
        }
        for table in TABLES {
            check(table.name, table.metrics);
            assert_eq!(name_of(table.metrics), table.name);
        }
    }
}
