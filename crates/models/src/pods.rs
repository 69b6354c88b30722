//! Who holds which GPU, as Kubernetes assigned them: what the kubelet says, or why it says nothing.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;

use crate::{Absence, GpuSnapshot, MigDevice, Reason};

mod device;

pub use device::{PodDevice, UnknownDevice};

/// Holders of a device that are kept: device plugins make some tens of replicas of a shared GPU at most.
pub const MAX_HOLDERS: usize = 64;

/// Devices that are kept: 128 GPUs, each cut into seven instances, and then some.
pub const MAX_HELD_DEVICES: usize = 1_024;

/// Bytes of a name that are believed: those of pods have 253 at most, those of namespaces and containers 63.
const LONGEST_NAME: usize = 253;

/// A container that a device is assigned to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PodContainer {
    /// Namespace of its pod.
    pub namespace: String,
    /// Name of its pod.
    pub pod: String,
    /// Its name within the pod.
    pub container: String,
}

/// What Kubernetes says of who holds which device. Never changes after it is published.
#[derive(Clone, Debug, PartialEq)]
pub struct PodAssignments {
    /// Who holds which device, or why that is not known.
    pub holders: Result<Arc<PodHolders>, Absence>,
    /// When the kubelet last said so.
    pub read_at: Option<Timestamp>,
    /// Why the kubelet said nothing since, as long as what it said before is believed.
    pub last_error: Option<Absence>,
}

/// Who holds which device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodHolders {
    devices: BTreeMap<PodDevice, Vec<PodContainer>>,
    omitted: u64,
}

impl PodAssignments {
    /// What is known before the kubelet was asked.
    pub fn unread() -> Self {
        Self::unknown(Absence::new(
            Reason::NotReady,
            "the kubelet has not been asked yet",
        ))
    }

    /// What is known if the kubelet is not to be asked.
    pub fn disabled() -> Self {
        Self::unknown(Absence::new(
            Reason::Disabled,
            "kubernetes.pod_resources_socket is off",
        ))
    }

    /// Nothing, for this reason.
    pub fn unknown(absence: Absence) -> Self {
        Self {
            holders: Err(absence),
            read_at: None,
            last_error: None,
        }
    }

    /// What the kubelet said at `read_at`.
    pub fn known(holders: PodHolders, read_at: Timestamp) -> Self {
        Self {
            holders: Ok(Arc::new(holders)),
            read_at: Some(read_at),
            last_error: None,
        }
    }

    /// Whether both say the same, be it at different times.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.holders == other.holders && self.last_error == other.last_error
    }

    /// Who holds `gpu` as a whole, by name. Nobody where that is not known; `holders` tells the difference.
    pub fn of_gpu(&self, gpu: &GpuSnapshot) -> &[PodContainer] {
        self.first_of(|| PodDevice::of_gpu(gpu))
    }

    /// Who holds `instance` of `gpu`, by name.
    pub fn of_instance(&self, gpu: &GpuSnapshot, instance: &MigDevice) -> &[PodContainer] {
        self.first_of(|| PodDevice::of_instance(gpu, instance))
    }

    /// Who holds the MIG instance with this UUID, by name. Finds less than [`Self::of_instance`]: some device plugins
    /// name instances otherwise.
    pub fn of_mig(&self, uuid: &str) -> &[PodContainer] {
        self.first_of(|| uuid.parse().ok())
    }

    /// A device goes by several names, of which a device plugin uses one.
    fn first_of<N: IntoIterator<Item = PodDevice>>(&self, names: impl FnOnce() -> N) -> &[PodContainer] {
        match &self.holders {
            Ok(holders) if !holders.devices.is_empty() => names()
                .into_iter()
                .find_map(|name| holders.devices.get(&name))
                .map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }
}

impl PodHolders {
    /// Notes that `device` is assigned to `container`. Who has several replicas of a device holds it once.
    pub fn add(&mut self, device: PodDevice, container: PodContainer) {
        let PodContainer {
            namespace,
            pod,
            container: name,
        } = &container;
        let is_name = |name: &str| (1..=LONGEST_NAME).contains(&name.len());
        let is_full = self.devices.len() >= MAX_HELD_DEVICES && !self.devices.contains_key(&device);
        if is_full || ![namespace, pod, name].into_iter().all(|name| is_name(name)) {
            self.omitted += 1;
            return;
        }
        let holders = self.devices.entry(device).or_default();
        match holders.binary_search(&container) {
            Ok(_) => {}
            Err(_) if holders.len() >= MAX_HOLDERS => self.omitted += 1,
            Err(place) => holders.insert(place, container),
        }
    }

    /// The devices that are held, and by whom.
    pub fn devices(&self) -> impl Iterator<Item = (&PodDevice, &[PodContainer])> {
        self.devices
            .iter()
            .map(|(device, holders)| (device, holders.as_slice()))
    }

    /// Assignments that were not kept, because there are too many or their names cannot be names of pods.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }
}

#[cfg(test)]
mod tests;
