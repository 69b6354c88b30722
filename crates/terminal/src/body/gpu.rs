//! `/api/v1/gpus`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::or_default;

/// The groups and keys that are shown, as the parameter `fields` takes them.
pub(crate) const FIELDS: &str = "sampled_at,state_since,failures,last_error,pods,identity,limits,load.gpu_percent,\
    load.memory_percent,load.encoder_percent,load.decoder_percent,memory,power.draw_watts,power.enforced_limit_watts,\
    thermal,clocks.graphics_mhz,clocks.sm_mhz,clocks.memory_mhz,clocks.performance_state,clocks.event_reasons,\
    pcie.generation,pcie.width,pcie.received_bytes_per_second,pcie.sent_bytes_per_second,nvlink.active_links,\
    nvlink.received_bytes_per_second,nvlink.sent_bytes_per_second,activity.sm_percent,activity.tensor_percent,\
    activity.dram_percent,mig.enabled,mig.instances.index,mig.instances.uuid,mig.instances.profile,\
    mig.instances.memory_used_bytes,mig.instances.memory_total_bytes,mig.instances.activity.sm_percent,\
    reliability.uncorrected_volatile,reliability.uncorrected_aggregate,reliability.recovery_action,modes.persistence,\
    modes.compute_mode,modes.display_active";

/// All GPUs of the agent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Gpus {
    #[serde(default)]
    pub(crate) generation: u64,
    #[serde(default)]
    pub(crate) published_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) gpus: Vec<Gpu>,
}

/// A GPU.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Gpu {
    pub(crate) index: u32,
    pub(crate) uuid: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) state: String,
    pub(crate) state_since: Option<Timestamp>,
    pub(crate) sampled_at: Option<Timestamp>,
    pub(crate) failures: Option<u64>,
    pub(crate) last_error: Option<LastError>,
    pub(crate) pods: Option<Vec<Pod>>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) identity: Identity,
    #[serde(deserialize_with = "or_default")]
    pub(crate) limits: Limits,
    #[serde(deserialize_with = "or_default")]
    pub(crate) load: Load,
    #[serde(deserialize_with = "or_default")]
    pub(crate) memory: Memory,
    #[serde(deserialize_with = "or_default")]
    pub(crate) power: Power,
    #[serde(deserialize_with = "or_default")]
    pub(crate) thermal: Thermal,
    #[serde(deserialize_with = "or_default")]
    pub(crate) clocks: Clocks,
    #[serde(deserialize_with = "or_default")]
    pub(crate) pcie: Pcie,
    #[serde(deserialize_with = "or_default")]
    pub(crate) nvlink: Nvlink,
    #[serde(deserialize_with = "or_default")]
    pub(crate) activity: Activity,
    #[serde(deserialize_with = "or_default")]
    pub(crate) mig: Mig,
    #[serde(deserialize_with = "or_default")]
    pub(crate) reliability: Reliability,
    #[serde(deserialize_with = "or_default")]
    pub(crate) modes: Modes,
    /// Why a reading is absent, by its path or the path above it.
    #[serde(deserialize_with = "or_default")]
    pub(crate) unavailable: BTreeMap<String, String>,
}

impl Gpu {
    /// The name by which a GPU is known from frame to frame.
    pub(crate) fn key(&self) -> String {
        self.uuid
            .clone()
            .unwrap_or_else(|| format!("index {}", self.index))
    }

    /// Whether it is read at its pace.
    pub(crate) fn is_ok(&self) -> bool {
        self.state == "ok"
    }

    /// Why the reading at `path` is absent: its own path first, then each one above it.
    pub(crate) fn reason(&self, path: &str) -> Option<&str> {
        let mut path = path;
        loop {
            if let Some(reason) = self.unavailable.get(path) {
                return Some(reason);
            }
            path = path.rsplit_once('.')?.0;
        }
    }
}

/// A part of a GPU's body: every key is optional, and so is each value.
macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(default)]
        pub(crate) struct $name { $(pub(crate) $field: Option<$type>,)* }
    )* };
}

parts! {
    /// The last failure.
    LastError { reason: String, call: String, message: String, at: Timestamp, }
    /// A container that holds the GPU, by the kubelet's account.
    Pod { namespace: String, pod: String, container: String, }
    /// What the GPU is.
    Identity { name: String, architecture: String, pci_bus_id: String, vbios_version: String, serial: String, }
    /// What it can be driven to.
    Limits { slowdown_celsius: f64, shutdown_celsius: f64, gpu_max_celsius: f64, graphics_max_mhz: f64,
        memory_max_mhz: f64, }
    /// How busy the engines are.
    Load { gpu_percent: f64, memory_percent: f64, encoder_percent: f64, decoder_percent: f64, }
    /// Memory, in bytes.
    Memory { used_bytes: u64, total_bytes: u64, reserved_bytes: u64, unified: bool, }
    /// Power.
    Power { draw_watts: f64, enforced_limit_watts: f64, }
    /// Temperatures and fans.
    Thermal { gpu_celsius: f64, memory_celsius: f64, fans: Vec<Fan>, }
    /// A fan.
    Fan { speed_percent: f64, }
    /// Clocks, and why they are lower than they could be.
    Clocks { graphics_mhz: f64, sm_mhz: f64, memory_mhz: f64, performance_state: String, event_reasons: Vec<String>, }
    /// The link to the host.
    Pcie { generation: u64, width: u64, received_bytes_per_second: f64, sent_bytes_per_second: f64, }
    /// The links to other GPUs.
    Nvlink { active_links: u64, received_bytes_per_second: f64, sent_bytes_per_second: f64, }
    /// Which parts of the GPU work.
    Activity { sm_percent: f64, tensor_percent: f64, dram_percent: f64, }
    /// The instances that it is cut into.
    Mig { enabled: bool, instances: Vec<MigInstance>, }
    /// A MIG instance.
    MigInstance { index: u64, uuid: String, profile: String, memory_used_bytes: u64, memory_total_bytes: u64,
        activity: Activity, }
    /// Errors of its memory.
    Reliability { uncorrected_volatile: u64, uncorrected_aggregate: u64, recovery_action: String, }
    /// What somebody set it to.
    Modes { persistence: bool, compute_mode: String, display_active: bool, }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_reading_may_stand_above_it() {
        let gpu = Gpu {
            unavailable: [("power".to_owned(), "gpu_lost".to_owned())].into(),
            ..Gpu::default()
        };
        assert_eq!(gpu.reason("power.draw_watts"), Some("gpu_lost"));
        assert_eq!(gpu.reason("load.gpu_percent"), None);
    }

    #[test]
    fn null_is_the_same_as_an_absent_key() {
        let gpu: Gpu =
            serde_json::from_str(r#"{"index":3,"power":null,"state":"lost","thermal":{"fans":null}}"#)
                .unwrap();
        assert_eq!(
            (gpu.index, gpu.power.draw_watts, gpu.thermal.fans),
            (3, None, None)
        );
    }
}
