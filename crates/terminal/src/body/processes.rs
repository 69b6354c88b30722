//! `/api/v1/processes`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::or_default;

/// A row for each process on each GPU.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Processes {
    #[serde(deserialize_with = "or_default")]
    pub(crate) gpus: Vec<Owner>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) processes: Vec<Process>,
}

/// A GPU whose processes these are.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Owner {
    pub(crate) index: Option<u32>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) other: Other,
    /// Why they are not known.
    #[serde(deserialize_with = "or_default")]
    pub(crate) unavailable: BTreeMap<String, String>,
}

/// Those of which no more is said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Other {
    pub(crate) count: Option<u64>,
}

/// A process on a GPU.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) gpu_index: Option<u32>,
    pub(crate) gpu_instance_id: Option<u32>,
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) kinds: Vec<String>,
    pub(crate) memory_used_bytes: Option<u64>,
    pub(crate) sm_percent: Option<f64>,
    /// Of the memory's bandwidth, not of its room.
    pub(crate) memory_percent: Option<f64>,
    pub(crate) encoder_percent: Option<f64>,
    pub(crate) decoder_percent: Option<f64>,
    pub(crate) identity: Option<String>,
    pub(crate) pid_namespace: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) user: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) command: Vec<String>,
    pub(crate) container_id: Option<String>,
    pub(crate) container_runtime: Option<String>,
    pub(crate) pod_uid: Option<String>,
    pub(crate) slurm_job_id: Option<u64>,
}

impl Process {
    /// What it was called with, as far as the agent shows that; its name otherwise.
    pub(crate) fn title(&self) -> String {
        match (self.command.is_empty(), &self.name) {
            (false, _) => self.command.join(" "),
            (true, Some(name)) => name.clone(),
            (true, None) => "?".to_owned(),
        }
    }

    /// In which of the driver's lists it stands: `C`, `G`, `M` (MPS), or several.
    pub(crate) fn kind(&self) -> String {
        let letters = self.kinds.iter().filter_map(|kind| kind.chars().next());
        letters.map(|letter| letter.to_ascii_uppercase()).collect()
    }

    /// What it runs in: a Slurm job, a pod, a container; empty on the bare host.
    pub(crate) fn place(&self) -> String {
        let short = |id: &str| id.chars().take(12).collect::<String>();
        if let Some(job) = self.slurm_job_id {
            return format!("slurm {job}");
        }
        if let Some(pod) = &self.pod_uid {
            return format!("pod {}", short(pod));
        }
        match &self.container_id {
            Some(id) => format!(
                "{} {}",
                self.container_runtime.as_deref().unwrap_or("container"),
                short(id)
            ),
            None => String::new(),
        }
    }
}
