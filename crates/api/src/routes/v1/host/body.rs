//! The body of `/api/v1/host`, as far as it is selected.

use gpulse_models::{HostSnapshot, HostSums};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use super::{HostAgent, HostDriver, HostEvents, HostExpected, HostGpus, HostKubernetes};
use crate::routes::v1::{
    gpu::head,
    selection::Selection,
    walk::{Gaps, Unavailable, entries},
};

/// The host, as far as it is selected.
pub(crate) struct HostBody<'a> {
    pub(super) host: &'a HostSnapshot,
    pub(super) agent: HostAgent,
    pub(super) driver: HostDriver,
    pub(super) gpus: HostGpus,
    pub(super) expected: HostExpected,
    pub(super) kubernetes: HostKubernetes,
    pub(super) sums: HostSums,
    pub(super) events: HostEvents,
    pub(super) selection: &'a Selection,
}

impl HostBody<'_> {
    fn put<M: SerializeMap>(
        &self,
        map: &mut M,
        key: &'static str,
        part: &impl Serialize,
    ) -> Result<(), M::Error> {
        match self.selection.below(key) {
            None => Ok(()),
            Some(Selection::All) => map.serialize_entry(key, part),
            Some(selection) => {
                let mut part = serde_json::to_value(part).map_err(serde::ser::Error::custom)?;
                if let Value::Object(keys) = &mut part {
                    keys.retain(|key, _| selection.below(key).is_some());
                }
                map.serialize_entry(key, &part)
            }
        }
    }

    fn unavailable(&self) -> impl Serialize {
        Unavailable(move |gaps: &mut Gaps<'_>| {
            if let Some(selection) = self.selection.below("driver") {
                for (key, reason) in self.driver.gaps() {
                    if selection.below(key).is_some() {
                        gaps.absent(&format!("driver.{key}"), reason);
                    }
                }
            }
            if let Some(selection) = self.selection.below("expected") {
                for (key, path, reason) in self.expected.gaps() {
                    if selection.below(key).is_some() {
                        gaps.absent(&format!("expected.{path}"), reason);
                    }
                }
            }
            if let Some(selection) = self.selection.below("kubernetes") {
                for (key, reason) in self.kubernetes.gaps() {
                    if selection.below(key).is_some() {
                        gaps.absent(&format!("kubernetes.{key}"), reason);
                    }
                }
            }
            if let Some(selection) = self.selection.below("totals") {
                for (key, reason) in &self.sums.gaps {
                    if selection.below(key).is_some() {
                        gaps.absent(&format!("totals.{key}"), *reason);
                    }
                }
            }
        })
    }
}

impl Serialize for HostBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        head(&mut map, self.host)?;
        self.put(&mut map, "agent", &self.agent)?;
        self.put(&mut map, "driver", &self.driver)?;
        self.put(&mut map, "gpus", &self.gpus)?;
        self.put(&mut map, "expected", &self.expected)?;
        self.put(&mut map, "kubernetes", &self.kubernetes)?;
        if let Some(selection) = self.selection.below("totals") {
            let sums = &self.sums;
            map.serialize_entry("totals", &Totals { sums, selection })?;
        }
        self.put(&mut map, "events", &self.events)?;
        map.serialize_entry("unavailable", &self.unavailable())?;
        map.end()
    }
}

/// The totals, and over how many GPUs each of them is.
struct Totals<'a> {
    sums: &'a HostSums,
    selection: &'a Selection,
}

impl Serialize for Totals<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        entries(&mut map, &self.sums.totals, self.selection)?;
        if let Some(selection) = self.selection.below("counted") {
            let counted = Counted(self.sums, selection);
            map.serialize_entry("counted", &counted)?;
        }
        map.end()
    }
}

/// How many GPUs went into each total.
struct Counted<'a>(&'a HostSums, &'a Selection);

impl Serialize for Counted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counted = self.0.counted.iter();
        let wanted = counted.filter(|(key, _)| self.1.below(key).is_some());
        serializer.collect_map(wanted.copied())
    }
}
