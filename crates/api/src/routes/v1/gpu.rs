//! A GPU as it is shown: how it is doing, and a key for each group of readings.

use std::borrow::Cow;

use gpulse_models::{
    Failure, GpuIdentity, GpuLimits, GpuSnapshot, HostSnapshot, PodAssignments, Sample, Timestamp,
    catalogue::{Catalogued as _, Group, Readings},
};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq as _},
};

use super::{
    pods::Pods,
    selection::Selection,
    walk::{Gaps, Unavailable, entries},
};

/// A GPU, as far as it is selected.
pub(crate) struct Gpu<'a> {
    gpu: &'a GpuSnapshot,
    pods: &'a PodAssignments,
    selection: &'a Selection,
    identity: Cow<'a, GpuIdentity>,
    limits: Cow<'a, GpuLimits>,
    sample: Cow<'a, Sample>,
}

/// All GPUs of a host, as far as they are selected.
pub(crate) struct Gpus<'a> {
    pub(crate) host: &'a HostSnapshot,
    pub(crate) selection: &'a Selection,
}

/// One GPU of a host, as far as it is selected.
pub(crate) struct OneGpu<'a> {
    pub(crate) host: &'a HostSnapshot,
    pub(crate) gpu: Gpu<'a>,
}

impl<'a> Gpu<'a> {
    pub(crate) fn of(gpu: &'a GpuSnapshot, pods: &'a PodAssignments, selection: &'a Selection) -> Self {
        let (facts, reason) = (gpu.facts.as_deref(), gpu.absence());
        Self {
            gpu,
            pods,
            selection,
            identity: facts.map_or_else(
                || Cow::Owned(GpuIdentity::absent(reason)),
                |facts| Cow::Borrowed(&facts.identity),
            ),
            limits: facts.map_or_else(
                || Cow::Owned(GpuLimits::absent(reason)),
                |facts| Cow::Borrowed(&facts.limits),
            ),
            sample: gpu.served_sample().map_or_else(
                || Cow::Owned(Sample::absent(gpu.health.since, reason)),
                Cow::Borrowed,
            ),
        }
    }

    /// The readings of a group, and when they were read; nothing for what is read once.
    fn group(&self, group: Group) -> (&dyn Readings, Option<Option<Timestamp>>) {
        match group {
            Group::Identity => (&*self.identity, None),
            _ => match self.sample.group(group) {
                Some((readings, read_at)) => (readings, Some(read_at)),
                None => (&*self.limits, None),
            },
        }
    }

    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let Self { gpu, selection, .. } = self;
        let health = &gpu.health;
        map.serialize_entry("index", &gpu.index)?;
        map.serialize_entry("uuid", &gpu.uuid())?;
        map.serialize_entry("state", &health.state)?;
        let sampled_at = gpu.served_sample().map(|sample| sample.taken_at);
        let last_error = selection.below("last_error");
        let last_error = health.last_error.as_ref().zip(last_error);
        put(map, selection, "state_since", &health.since)?;
        put(map, selection, "sequence", &health.sequence)?;
        put(map, selection, "failures", &health.failures)?;
        put(map, selection, "overruns", &health.overruns)?;
        put(map, selection, "dropped", &health.dropped)?;
        put(map, selection, "last_error", &last_error.map(LastError::of))?;
        put(map, selection, "sampled_at", &sampled_at)?;
        if let Some(selection) = selection.below("pods") {
            map.serialize_entry("pods", &Pods::of(gpu, self.pods, selection))?;
        }
        for group in Group::ALL {
            if let Some(selection) = selection.below(group.as_str()) {
                let (readings, read_at) = self.group(group);
                let body = GroupBody {
                    readings,
                    read_at,
                    selection,
                };
                map.serialize_entry(group.as_str(), &body)?;
            }
        }
        map.serialize_entry("unavailable", &self.unavailable())
    }

    fn unavailable(&self) -> impl Serialize {
        Unavailable(move |gaps: &mut Gaps<'_>| {
            let reason = self.gpu.absence();
            if self.gpu.uuid().is_none() {
                gaps.absent("uuid", reason);
            }
            if self.gpu.served_sample().is_none() && self.selection.below("sampled_at").is_some() {
                gaps.absent("sampled_at", reason);
            }
            let pods = self.selection.below("pods");
            if let Some(reason) = pods.and_then(|pods| Pods::of(self.gpu, self.pods, pods).reason()) {
                gaps.absent("pods", reason);
            }
            for group in Group::ALL {
                if let Some(selection) = self.selection.below(group.as_str()) {
                    gaps.part(group.as_str(), self.group(group).0, selection);
                }
            }
        })
    }
}

impl Serialize for Gpu<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.entries(&mut map)?;
        map.end()
    }
}

impl Serialize for Gpus<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        head(&mut map, self.host)?;
        map.serialize_entry("gpus", &Roster(self))?;
        map.end()
    }
}

/// The list of the GPUs.
struct Roster<'a>(&'a Gpus<'a>);

impl Serialize for Roster<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Gpus { host, selection } = self.0;
        let mut list = serializer.serialize_seq(Some(host.gpus.len()))?;
        for gpu in &host.gpus {
            list.serialize_element(&Gpu::of(gpu, &host.pods, selection))?;
        }
        list.end()
    }
}

impl Serialize for OneGpu<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        head(&mut map, self.host)?;
        self.gpu.entries(&mut map)?;
        map.end()
    }
}

/// What every body of the native routes begins with.
pub(crate) fn head<M: SerializeMap>(map: &mut M, host: &HostSnapshot) -> Result<(), M::Error> {
    map.serialize_entry("generation", &host.generation)?;
    map.serialize_entry("published_at", &host.published_at)
}

/// Adds an entry if it is selected.
fn put<M: SerializeMap, T: Serialize + ?Sized>(
    map: &mut M,
    selection: &Selection,
    key: &str,
    value: &T,
) -> Result<(), M::Error> {
    match selection.below(key) {
        Some(_) => map.serialize_entry(key, value),
        None => Ok(()),
    }
}

/// A group: when it was read, and its readings.
struct GroupBody<'a> {
    readings: &'a dyn Readings,
    read_at: Option<Option<Timestamp>>,
    selection: &'a Selection,
}

impl Serialize for GroupBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(read_at) = &self.read_at {
            put(&mut map, self.selection, "read_at", read_at)?;
        }
        entries(&mut map, self.readings, self.selection)?;
        map.end()
    }
}

/// The last failure, as far as it is selected.
struct LastError<'a> {
    failure: &'a Failure,
    selection: &'a Selection,
}

impl<'a> LastError<'a> {
    fn of((failure, selection): (&'a Failure, &'a Selection)) -> Self {
        Self { failure, selection }
    }
}

impl Serialize for LastError<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (failure, selection) = (self.failure, self.selection);
        let mut map = serializer.serialize_map(None)?;
        put(&mut map, selection, "reason", &failure.reason)?;
        put(&mut map, selection, "call", &failure.call)?;
        put(&mut map, selection, "message", &failure.message)?;
        put(&mut map, selection, "at", &failure.at)?;
        map.end()
    }
}
