//! Schemas of the native routes: what surrounds the readings here, the readings from their tables.

use gpulse_models::{
    Activity, HostTotals, ProcessRow, TopologyGpuRow, TopologyOverview, TopologyPairRow,
    catalogue::{Catalogued as _, Group},
};
use utoipa::{
    Modify,
    openapi::{Object, ObjectBuilder, OneOfBuilder, OpenApi, Ref, RefOr, Schema, Type, schema::SchemaType},
};

use super::tables::{TABLES, list, name_of, nullable, object, reference, time, with};

/// Components that `fields` takes keys from and that are derived elsewhere.
const DERIVED: [&str; 6] = [
    "HostAgent",
    "HostDriver",
    "HostGpus",
    "HostExpected",
    "HostKubernetes",
    "HostEvents",
];

const READ_AT: &str = "When it was read; null where it was not.";

/// Adds the components of the native routes. What `fields` can leave out is not required.
pub(super) struct Native;

impl Modify for Native {
    fn modify(&self, document: &mut OpenApi) {
        let schemas = &mut document.components.get_or_insert_default().schemas;
        for name in DERIVED {
            if let Some(RefOr::T(Schema::Object(object))) = schemas.get_mut(name) {
                object.required.clear();
            }
        }
        let components = components().into_iter();
        schemas.extend(components.map(|(name, object)| (name.to_owned(), object.build().into())));
    }
}

/// Whether `fields` can leave keys of this component out.
#[cfg(test)]
pub(crate) fn is_selectable(name: &str) -> bool {
    DERIVED.contains(&name) || components().iter().any(|(component, _)| *component == name)
}

fn components() -> Vec<(&'static str, ObjectBuilder)> {
    let is_shown_elsewhere = |name| ["HostTotals", "TopologyOverview"].contains(&name);
    let tables = TABLES
        .iter()
        .filter(|table| !is_shown_elsewhere(table.name))
        .map(|table| (table.name, object(table.metrics)));
    let mut components: Vec<_> = tables.collect();
    for group in Group::ALL {
        let name = name_of(group.metrics());
        components.retain(|(known, _)| *known != name);
        components.push((name, self::group(group)));
    }
    for (name, keys) in [
        (name_of(TopologyGpuRow::METRICS), ["index", "uuid"]),
        (name_of(TopologyPairRow::METRICS), ["first", "second"]),
    ] {
        components.retain(|(known, _)| *known != name);
        let row = TABLES.iter().find(|table| table.name == name);
        let row = object(row.map_or(&[], |table| table.metrics));
        components.push((name, required(row, &keys)));
    }
    components.extend([
        ("ActivityPart", object(Activity::METRICS)),
        ("Gpu", gpu(open())),
        ("GpuLastError", last_error()),
        ("GpuPod", pod()),
        ("GpuProcesses", gpu_processes()),
        ("Gpus", gpus()),
        ("Host", host()),
        ("HostProcess", host_process()),
        ("HostTotals", host_totals()),
        ("OneGpu", gpu(head())),
        ("Process", process(open())),
        ("Processes", processes()),
        ("ProcessesOfGpu", unavailable(owner(open()))),
        ("Topology", topology()),
    ]);
    components
}

/// A group of readings.
fn group(group: Group) -> ObjectBuilder {
    let mut object = open().description(Some(group.description().trim()));
    if group.is_configurable() {
        object = object.property("read_at", time(true, READ_AT));
    }
    with(object, group.metrics())
}

fn gpu(object: ObjectBuilder) -> ObjectBuilder {
    let object = identity(object)
        .property("state_since", time(false, "Since when it is in that state."))
        .property("sequence", count("Good samples since the agent started."))
        .property("failures", count("Failed ticks since the last good sample."))
        .property("overruns", count("Ticks that found the reader still busy."))
        .property("dropped", count("Records that the aggregator's mailbox refused."))
        .property(
            "last_error",
            OneOfBuilder::new()
                .item(null())
                .item(Ref::from_schema_name("GpuLastError"))
                .description(Some("The last failure; null after a good sample.")),
        )
        .property(
            "sampled_at",
            time(
                true,
                "When the sample was taken that is shown; null if there is none to show.",
            ),
        );
    let pods = list(
        "GpuPod",
        "The containers that Kubernetes assigned it or an instance of it to; null where that is not known.",
    );
    let object = object.property("pods", pods.schema_type(nullable(Type::Array)));
    let object = Group::ALL.into_iter().fold(object, |object, group| {
        let shown = reference(name_of(group.metrics()), group.description().trim());
        object.property(group.as_str(), shown)
    });
    unavailable(object)
}

/// What names a GPU, and how it is.
fn identity(object: ObjectBuilder) -> ObjectBuilder {
    let object = object
        .property("index", count("NVML's index."))
        .property(
            "uuid",
            text("NVML UUID; null as long as the GPU has not said it.", true),
        )
        .property("state", reference("GpuState", "How it is doing."));
    required(object, &["index", "uuid", "state"])
}

fn last_error() -> ObjectBuilder {
    open()
        .description(Some("Why a tick gave no sample."))
        .property("reason", reference("Reason", "The kind."))
        .property(
            "call",
            text("The NVML call that failed or did not return.", false),
        )
        .property("message", text("What happened, for a person.", false))
        .property("at", time(false, "When it was noticed."))
}

fn pod() -> ObjectBuilder {
    open()
        .description(Some(
            "A container that a GPU or an instance of it is assigned to.",
        ))
        .property("namespace", text("Namespace of its pod.", false))
        .property("pod", text("Name of its pod.", false))
        .property("container", text("Its name within the pod.", false))
        .property(
            "mig_uuid",
            text(
                "UUID of the instance that it holds; null where it has the GPU as a whole.",
                true,
            ),
        )
}

fn gpus() -> ObjectBuilder {
    let list = list("Gpu", "The roster, by index.");
    required(head().property("gpus", list), &["gpus"])
}

fn process(object: ObjectBuilder) -> ObjectBuilder {
    let row = with(object, ProcessRow::METRICS);
    required(unavailable(row), &["pid"])
}

fn host_process() -> ObjectBuilder {
    let gpu = open()
        .property("gpu_index", count("NVML's index of the GPU."))
        .property(
            "gpu_uuid",
            text("NVML UUID of the GPU; null as long as it has not said it.", true),
        );
    process(required(gpu, &["gpu_index", "gpu_uuid"]))
}

/// A GPU and who is on it, but for the processes themselves.
fn owner(object: ObjectBuilder) -> ObjectBuilder {
    let object = identity(object)
        .property(
            "read_at",
            time(true, "When its processes were read; null where they were not."),
        )
        .property(
            "count",
            ObjectBuilder::new()
                .schema_type(nullable(Type::Integer))
                .description(Some("How many there are.")),
        )
        .property(
            "other",
            reference("OtherRow", "The others, where there are more than are described."),
        );
    required(object, &["read_at", "count", "other"])
}

fn processes() -> ObjectBuilder {
    let object = head()
        .property("processes", list("HostProcess", "Each process on each GPU."))
        .property(
            "gpus",
            list(
                "ProcessesOfGpu",
                "Each GPU, whether its processes are known or not.",
            ),
        );
    required(object, &["processes", "gpus"])
}

fn gpu_processes() -> ObjectBuilder {
    let rows = list(
        "Process",
        "Those with the most memory, by pid; null where they are not known.",
    );
    let rows = rows.schema_type(nullable(Type::Array));
    unavailable(required(
        owner(head()).property("processes", rows),
        &["processes"],
    ))
}

fn topology() -> ObjectBuilder {
    let object = head().property("read_at", time(true, READ_AT));
    unavailable(with(object, TopologyOverview::METRICS))
}

fn host() -> ObjectBuilder {
    let object = head()
        .property("agent", reference("HostAgent", "The agent."))
        .property("driver", reference("HostDriver", "The driver."))
        .property(
            "gpus",
            reference("HostGpus", "How many GPUs there are, by state."),
        )
        .property(
            "expected",
            reference("HostExpected", "What GPUs the machine should have."),
        )
        .property(
            "kubernetes",
            reference(
                "HostKubernetes",
                "Whether it is known which pods hold which GPUs.",
            ),
        )
        .property(
            "totals",
            reference(
                "HostTotals",
                "Sums and averages over the GPUs that give the value.",
            ),
        )
        .property(
            "events",
            reference("HostEvents", "How often what happened to the GPUs."),
        );
    unavailable(object)
}

fn host_totals() -> ObjectBuilder {
    let counted = HostTotals::METRICS.iter().fold(open(), |object, metric| {
        let text = format!("How many went into `{}`.", metric.key);
        object.property(metric.key, count(&text))
    });
    let counted = counted.description(Some("How many GPUs went into each total."));
    object(HostTotals::METRICS).property("counted", counted)
}

/// What every body begins with.
fn head() -> ObjectBuilder {
    let object = open()
        .property(
            "generation",
            count("Number of the snapshot of the host; the same on every route."),
        )
        .property("published_at", time(false, "When that snapshot was published."));
    required(object, &["generation", "published_at"])
}

/// `object` with the reasons of its gaps.
fn unavailable(object: ObjectBuilder) -> ObjectBuilder {
    let reasons = open()
        .additional_properties(Some(Ref::from_schema_name("Reason")))
        .description(Some(
            "Why values are null: the path of each, positions of lists included, or of what it is below of, if all below \
             is absent for that reason.",
        ));
    required(object.property("unavailable", reasons), &["unavailable"])
}

fn open() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

fn required(object: ObjectBuilder, keys: &[&str]) -> ObjectBuilder {
    keys.iter().fold(object, |object, key| object.required(*key))
}

fn count(description: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .description(Some(description))
        .build()
}

fn text(description: &str, is_nullable: bool) -> Object {
    let text: SchemaType = if is_nullable {
        nullable(Type::String)
    } else {
        Type::String.into()
    };
    ObjectBuilder::new()
        .schema_type(text)
        .description(Some(description))
        .build()
}

fn null() -> Object {
    ObjectBuilder::new().schema_type(Type::Null).build()
}
