//! `pods` of a GPU: the containers that Kubernetes assigned it, or an instance of it, to.

use gpulse_models::{GpuSnapshot, MigDevice, PodAssignments, PodContainer, Reason};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap as _, SerializeSeq as _},
};

use super::selection::Selection;

/// Keys of a holder.
pub(crate) const KEYS: [&str; 4] = ["namespace", "pod", "container", "mig_uuid"];

/// The holders of a GPU and of its instances, or null.
pub(crate) struct Pods<'a> {
    rows: Result<Vec<Row<'a>>, Reason>,
    selection: &'a Selection,
}

/// A holder, and the UUID of the instance that it holds.
type Row<'a> = (&'a PodContainer, Option<&'a str>);

impl<'a> Pods<'a> {
    pub(crate) fn of(gpu: &'a GpuSnapshot, pods: &'a PodAssignments, selection: &'a Selection) -> Self {
        Self {
            rows: rows(gpu, pods),
            selection,
        }
    }

    /// Why the holders are not known.
    pub(crate) fn reason(&self) -> Option<Reason> {
        self.rows.as_ref().err().copied()
    }
}

/// The instances are those of the last sample, shown or not: who holds a GPU that is lost is worth knowing.
fn rows<'a>(gpu: &'a GpuSnapshot, pods: &'a PodAssignments) -> Result<Vec<Row<'a>>, Reason> {
    if let Err(absence) = &pods.holders {
        return Err(absence.reason);
    }
    let whole = pods.of_gpu(gpu).iter().map(|holder| (holder, None));
    let sample = gpu.sample.as_deref();
    let instances = sample.and_then(|sample| sample.mig.readings.instances.value());
    let of_instance = |instance: &'a MigDevice| {
        let uuid = instance.uuid.value().map(String::as_str);
        let holders = pods.of_instance(gpu, instance).iter();
        holders.map(move |holder| (holder, uuid))
    };
    let rows: Vec<_> = whole
        .chain(instances.into_iter().flatten().flat_map(of_instance))
        .collect();
    match gpu.uuid() {
        // Somebody may hold it by the name that it has not said.
        None if rows.is_empty() => Err(gpu.absence()),
        _ => Ok(rows),
    }
}

impl Serialize for Pods<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Ok(rows) = &self.rows else {
            return serializer.serialize_none();
        };
        let mut list = serializer.serialize_seq(Some(rows.len()))?;
        for (holder, mig_uuid) in rows {
            list.serialize_element(&Holder {
                holder,
                mig_uuid: *mig_uuid,
                selection: self.selection,
            })?;
        }
        list.end()
    }
}

struct Holder<'a> {
    holder: &'a PodContainer,
    mig_uuid: Option<&'a str>,
    selection: &'a Selection,
}

impl Serialize for Holder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PodContainer {
            namespace,
            pod,
            container,
        } = self.holder;
        let values = [
            Some(namespace.as_str()),
            Some(pod.as_str()),
            Some(container.as_str()),
            self.mig_uuid,
        ];
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in KEYS.iter().zip(values) {
            if self.selection.below(key).is_some() {
                map.serialize_entry(key, &value)?;
            }
        }
        map.end()
    }
}
