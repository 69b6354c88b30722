//! Events, with what nvml-wrapper leaves out: the MIG instance, and types that came later.

use nvml_wrapper::{Device, EventSet, Nvml, bitmasks::event::EventTypes, error::NvmlError};

use crate::ffi;

/// No MIG instance.
const NO_INSTANCE: u32 = u32::MAX;

/// What tells one device from others without a call into the driver.
///
/// An event names its GPU by its handle. Asking that GPU for its index would fail, or hang, for just those GPUs that have
/// something to report: one that fell off the bus answers nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle(usize);

impl Handle {
    pub(crate) fn of(device: &Device<'_>) -> Self {
        Self(ffi::address(device))
    }
}

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) device: Handle,
    /// Bits of `nvmlEventType…`.
    pub(crate) types: u64,
    /// The XID, for events that are one.
    pub(crate) data: u64,
    pub(crate) gpu_instance: Option<u32>,
    pub(crate) compute_instance: Option<u32>,
}

/// The next event of a set, within so many milliseconds (`nvmlEventSetWait_v2`).
pub(crate) fn wait(nvml: &Nvml, set: &EventSet<'_>, milliseconds: u32) -> Result<Event, NvmlError> {
    let instance = |id: u32| Some(id).filter(|id| *id != NO_INSTANCE);
    ffi::wait(nvml, set, milliseconds).map(|data| Event {
        device: Handle(data.device as usize),
        types: data.eventType,
        data: data.eventData,
        gpu_instance: instance(data.gpuInstanceId),
        compute_instance: instance(data.computeInstanceId),
    })
}

/// The types of events that a GPU has (`nvmlDeviceGetSupportedEventTypes`), those included that have no name here.
pub(crate) fn supported_types(device: &Device<'_>) -> Result<EventTypes, NvmlError> {
    ffi::supported_event_types(device).map(EventTypes::from_bits_retain)
}
