//! Planned misbehaviour: which calls, on which GPU, when, and what happens to them.

mod build;
mod glob;
mod incident;
mod live;
mod values;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use glob::matches as glob_matches;
pub use incident::Incident;
pub(crate) use live::{Active, Hit, LiveFaults};
pub use values::Values;
pub(crate) use values::restart;

/// One planned misbehaviour. Of a list, the first one that matches a call decides that call.
///
/// A fault without any effect is a shield: the calls it matches are not touched by the faults after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Which functions: a name in which `*` stands for any characters and `?` for one.
    pub call: String,
    /// Which GPU; all, and calls that concern no GPU, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<usize>,
    /// Begins this long after the list was read.
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub start: Option<Duration>,
    /// Ends this long after the list was read.
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub stop: Option<Duration>,
    /// Leaves the first so many matching calls alone.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// Touches at most so many calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Touches this share of the matching calls, chosen by the world's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,

    /// The call takes this much longer; it returns early when the fault is removed.
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// The call does not return until the fault is removed or over.
    #[serde(skip_serializing_if = "is_false")]
    pub hang: bool,
    /// The call returns this code.
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// The call returns 13, as for a function that the driver does not have.
    #[serde(skip_serializing_if = "is_false")]
    pub missing_symbol: bool,
    /// The GPU is off the bus: calls return 15, and an XID 79 event is queued unless `silent`.
    #[serde(skip_serializing_if = "is_false")]
    pub lost: bool,
    /// No XID event for `lost`.
    #[serde(skip_serializing_if = "is_false")]
    pub silent: bool,
    /// Queues an event with this XID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xid: Option<u64>,
    /// The GPU instance (MIG) that `xid` concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_instance: Option<u32>,
    /// The compute instance (MIG) that `xid` concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_instance: Option<u32>,
    /// Something happens in the hardware: it is counted, and reported as an event where NVML has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<Incident>,
    /// The NVLink that `incident` happens to; each one that is up when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<u32>,
    /// Repeats `xid` and `incident` so many times a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<u32>,
    /// Only these GPUs are there, in this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster: Option<Vec<usize>>,
    /// Only these of the profile's MIG instances are there (by position), in this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mig_instances: Option<Vec<usize>>,
    /// MIG mode is on or off, whatever the profile says, on chips that have it. Off, there are no instances; on without any in
    /// the profile, there are none either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mig: Option<bool>,
    /// The call succeeds with these values.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub values: Values,
}

/// The file of a fault list.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fault: Vec<Fault>,
}

/// Reads a fault list; the error says where and why, and what is permitted.
pub fn parse(text: &str) -> Result<Vec<Fault>, String> {
    let file: FaultFile = toml::from_str(text).map_err(|e| e.to_string())?;
    for (index, fault) in file.fault.iter().enumerate() {
        fault
            .check()
            .map_err(|problem| format!("fault {index}: {problem}"))?;
    }
    Ok(file.fault)
}

/// Writes a fault list in the form that [`parse`] reads.
pub fn render(faults: &[Fault]) -> Result<String, String> {
    let file = FaultFile {
        fault: faults.to_vec(),
    };
    for fault in faults {
        fault.check()?;
    }
    toml::to_string(&file).map_err(|e| e.to_string())
}

impl Fault {
    fn check(&self) -> Result<(), String> {
        if self.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err("`probability` must be between 0 and 1".into());
        }
        if let (Some(start), Some(stop)) = (self.start, self.stop)
            && stop <= start
        {
            return Err("`stop` must be after `start`".into());
        }
        if self.per_second == Some(0) {
            return Err("`per_second` must be at least 1".into());
        }
        if self.per_second.is_some() && self.xid.is_none() && self.incident.is_none() {
            return Err("`per_second` repeats `xid` or `incident`, which are missing".into());
        }
        if (self.gpu_instance.is_some() || self.compute_instance.is_some()) && self.xid.is_none() {
            return Err("`gpu_instance` and `compute_instance` belong to an `xid`, which is missing".into());
        }
        if self.link.is_some() && !self.incident.is_some_and(Incident::has_link) {
            return Err("`link` needs an `incident` that happens to NVLinks".into());
        }
        Ok(())
    }

    /// Whether the fault says something about calls, rather than only about events or which devices exist.
    fn touches_calls(&self) -> bool {
        let about_the_world = self.xid.is_some()
            || self.incident.is_some()
            || self.roster.is_some()
            || self.mig.is_some()
            || self.mig_instances.is_some();
        let about_calls = self.delay.is_some()
            || self.hang
            || self.code.is_some()
            || self.missing_symbol
            || self.lost
            || !self.values.is_empty();
        about_calls || !about_the_world
    }

    /// The XID that this fault reports, if any.
    pub(crate) fn event(&self) -> Option<u64> {
        let lost = self.lost && !self.silent;
        self.xid.or(lost.then_some(79))
    }

    /// How often what this fault reports has happened at this age: once at its start, then at its rate until its end.
    pub(crate) fn occurrences(&self, age: Duration) -> u64 {
        let Some(since) = age.checked_sub(self.start.unwrap_or_default()) else {
            return 0;
        };
        let longest = self
            .stop
            .map(|stop| stop.saturating_sub(self.start.unwrap_or_default()));
        let lasted = longest.map_or(since, |longest| longest.min(since)).as_secs_f64();
        1 + self
            .per_second
            .map_or(0, |rate| (lasted * f64::from(rate)) as u64)
    }

    /// Whether it is about a GPU.
    pub(crate) fn is_about(&self, gpu: usize) -> bool {
        self.gpu.is_none_or(|own| own == gpu)
    }

    /// Whether `incident` happens to a link; to a GPU as a whole when no link is given.
    pub(crate) fn strikes(&self, gpu: usize, what: Incident, link: Option<u32>) -> bool {
        let right_link = self.link.is_none() || self.link == link;
        self.incident == Some(what) && self.is_about(gpu) && right_link
    }

    fn covers(&self, function: &str, gpu: Option<usize>) -> bool {
        let right_gpu = self.gpu.is_none() || self.gpu == gpu;
        // A call that concerns no GPU cannot find one lost.
        let can_be_lost = !self.lost || gpu.is_some();
        right_gpu && can_be_lost && glob_matches(&self.call, function)
    }

    /// Whether the fault is in force at this age.
    fn in_time(&self, age: Duration) -> bool {
        self.start.is_none_or(|start| age >= start) && self.stop.is_none_or(|stop| age < stop)
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests;
