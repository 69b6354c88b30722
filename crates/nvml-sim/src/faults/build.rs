//! Writing faults in Rust: `Fault::on("nvmlDeviceGetPowerUsage").gpu(3).hang()`.

use std::time::Duration;

use super::{Fault, Incident, Values};

impl Default for Fault {
    /// Matches every call, and does nothing to it.
    fn default() -> Self {
        Self {
            call: "*".into(),
            gpu: None,
            start: None,
            stop: None,
            skip: 0,
            times: None,
            probability: None,
            delay: None,
            hang: false,
            code: None,
            missing_symbol: false,
            lost: false,
            silent: false,
            xid: None,
            gpu_instance: None,
            compute_instance: None,
            incident: None,
            link: None,
            per_second: None,
            roster: None,
            mig_instances: None,
            mig: None,
            values: Values::default(),
        }
    }
}

impl Fault {
    /// A fault of the functions that `call` names; `*` and `?` are wildcards.
    pub fn on(call: impl Into<String>) -> Self {
        Self {
            call: call.into(),
            ..Self::default()
        }
    }

    /// A fault of every function.
    pub fn everywhere() -> Self {
        Self::default()
    }

    /// Only on this GPU.
    #[must_use]
    pub fn gpu(self, index: usize) -> Self {
        Self {
            gpu: Some(index),
            ..self
        }
    }

    /// Only from this time after the list was read on.
    #[must_use]
    pub fn start(self, after: Duration) -> Self {
        Self {
            start: Some(after),
            ..self
        }
    }

    /// Only until this time after the list was read.
    #[must_use]
    pub fn stop(self, after: Duration) -> Self {
        Self {
            stop: Some(after),
            ..self
        }
    }

    /// Not on the first so many matching calls.
    #[must_use]
    pub fn skip(self, calls: u64) -> Self {
        Self { skip: calls, ..self }
    }

    /// Only on so many calls.
    #[must_use]
    pub fn times(self, calls: u64) -> Self {
        Self {
            times: Some(calls),
            ..self
        }
    }

    /// Only on this share of the calls.
    #[must_use]
    pub fn probability(self, share: f64) -> Self {
        Self {
            probability: Some(share),
            ..self
        }
    }

    /// The calls return this code.
    #[must_use]
    pub fn returns(self, code: u32) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }

    /// The calls take this much longer.
    #[must_use]
    pub fn delay(self, time: Duration) -> Self {
        Self {
            delay: Some(time),
            ..self
        }
    }

    /// The calls do not return until the fault is removed.
    #[must_use]
    pub fn hang(self) -> Self {
        Self { hang: true, ..self }
    }

    /// The GPU is off the bus.
    #[must_use]
    pub fn lost(self) -> Self {
        Self { lost: true, ..self }
    }

    /// No XID event for [`Fault::lost`].
    #[must_use]
    pub fn silent(self) -> Self {
        Self { silent: true, ..self }
    }

    /// The driver does not have these functions.
    #[must_use]
    pub fn missing_symbol(self) -> Self {
        Self {
            missing_symbol: true,
            ..self
        }
    }

    /// An event with this XID is queued.
    #[must_use]
    pub fn xid(self, xid: u64) -> Self {
        Self {
            xid: Some(xid),
            ..self
        }
    }

    /// [`Fault::xid`] concerns this compute instance of this GPU instance (MIG).
    #[must_use]
    pub fn instances(self, gpu_instance: u32, compute_instance: u32) -> Self {
        Self {
            gpu_instance: Some(gpu_instance),
            compute_instance: Some(compute_instance),
            ..self
        }
    }

    /// Something happens in the hardware.
    #[must_use]
    pub fn incident(self, incident: Incident) -> Self {
        Self {
            incident: Some(incident),
            ..self
        }
    }

    /// [`Fault::incident`] happens to this NVLink only.
    #[must_use]
    pub fn link(self, link: u32) -> Self {
        Self {
            link: Some(link),
            ..self
        }
    }

    /// What [`Fault::xid`] and [`Fault::incident`] say happens so many times a second.
    #[must_use]
    pub fn per_second(self, events: u32) -> Self {
        Self {
            per_second: Some(events),
            ..self
        }
    }

    /// Only these GPUs are there, in this order.
    #[must_use]
    pub fn roster(self, gpus: impl Into<Vec<usize>>) -> Self {
        Self {
            roster: Some(gpus.into()),
            ..self
        }
    }

    /// Only these of the profile's MIG instances are there, in this order.
    #[must_use]
    pub fn mig_instances(self, instances: impl Into<Vec<usize>>) -> Self {
        Self {
            mig_instances: Some(instances.into()),
            ..self
        }
    }

    /// MIG mode is on or off.
    #[must_use]
    pub fn mig(self, on: bool) -> Self {
        Self {
            mig: Some(on),
            ..self
        }
    }

    /// The calls succeed with these values.
    #[must_use]
    pub fn values(self, values: Values) -> Self {
        Self { values, ..self }
    }
}
