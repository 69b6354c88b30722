//! Who a process is: its owner, its program, and the container or job that it runs in.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Reading, Reason};

/// Whether a pid of NVML's stands for a process here, and for which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The process; shared by all samples for as long as it lives.
    Found(Arc<ProcessIdentity>),
    /// There is no process of this pid here: it lives in another pid namespace, is hidden, or has ended.
    NotHere,
    /// Nobody can say who it is.
    Unavailable(Reason),
}

impl Identity {
    /// Who it is, if that is known.
    pub fn found(&self) -> Option<&ProcessIdentity> {
        match self {
            Self::Found(identity) => Some(identity),
            Self::NotHere | Self::Unavailable(_) => None,
        }
    }
}

/// Who a process is, by `/proc`. Pid and `start_ticks` together mean one process only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// When it started.
    pub started_at: Reading<Timestamp>,
    /// The same as the kernel counts it: clock ticks from boot. Unlike the time it does not follow the clock.
    pub start_ticks: u64,
    /// Who started it.
    pub user: Reading<User>,
    /// Path of its program, as the kernel names it.
    pub executable: Reading<String>,
    /// What it was called with, as far as that may be shown.
    pub command: CommandLine,
    /// The innermost container that it runs in; no value where its cgroup is not a container's. An agent in a
    /// cgroup namespace of its own cannot tell that, and has the reason `no_permission`.
    pub container: Reading<Option<Container>>,
    /// Uid of the Kubernetes pod that it runs in; no value where its cgroup is not a pod's; likewise.
    pub pod_uid: Reading<Option<String>>,
    /// The Slurm job that it belongs to; no value where its cgroup is not a job's; likewise.
    pub slurm_job: Reading<Option<SlurmJob>>,
    /// Whether the agent counts pids as the host does.
    pub pid_namespace: PidNamespace,
}

/// A user of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The number that the kernel knows.
    pub uid: u32,
    /// The name that the agent's `/etc/passwd` gives it.
    pub name: Option<String>,
}

impl User {
    /// The name, or else the number.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.uid.to_string())
    }
}

/// What of a process's command line is shown. Arguments may be secrets, so the default leaves them out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandLines {
    /// Nothing: it is not read.
    Off,
    /// The program as it was called, without its arguments.
    #[default]
    Executable,
    /// All of it.
    Full,
}

/// A command line, as far as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandLine {
    /// The configuration does not permit it.
    Withheld,
    /// The program as it was called.
    Executable(String),
    /// The program and its arguments.
    Full {
        /// As they were given.
        words: Vec<String>,
        /// Whether there were more than are kept.
        truncated: bool,
    },
    /// The process has none: it has ended and was not waited for yet, or it took it away itself.
    Empty,
    /// It could not be read.
    Unavailable(Reason),
}

/// A container by what its cgroup is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its id: 64 hexadecimal digits.
    pub id: String,
    /// What runs it; none where the cgroup's name does not tell.
    pub runtime: Option<ContainerRuntime>,
}

/// What runs a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerRuntime {
    /// Docker.
    Docker,
    /// containerd, for Kubernetes or nerdctl.
    Containerd,
    /// CRI-O.
    CriO,
    /// Podman.
    Podman,
}

/// A job of Slurm's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlurmJob {
    /// Its number.
    pub id: u64,
    /// Its step: a number, or `batch`, `extern` and the like.
    pub step: Option<String>,
}

/// How the agent counts pids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PidNamespace {
    /// As the host does: a pid of the driver's means the process that is found here.
    Host,
    /// In a namespace of its own: a driver that counts as the host does may mean another process.
    Own,
    /// The agent may not look.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_a_name_is_a_number() {
        let mut user = User {
            uid: 1_000,
            name: Some("ada".to_owned()),
        };
        assert_eq!(user.label(), "ada");
        user.name = None;
        assert_eq!(user.label(), "1000");
    }

    #[test]
    fn arguments_are_left_out_unless_asked_for() {
        assert_eq!(CommandLines::default(), CommandLines::Executable);
        assert_eq!(
            serde_json::to_value(CommandLines::default()).unwrap(),
            "executable"
        );
    }

    #[test]
    fn a_pid_that_is_not_here_says_so_in_json() {
        assert_eq!(serde_json::to_value(Identity::NotHere).unwrap(), "not_here");
        let refused = serde_json::to_value(Identity::Unavailable(Reason::NoPermission)).unwrap();
        assert_eq!(refused, serde_json::json!({"unavailable": "no_permission"}));
        assert!(Identity::NotHere.found().is_none());
    }

    #[test]
    fn a_runtime_is_written_as_its_makers_do() {
        assert_eq!(serde_json::to_value(ContainerRuntime::CriO).unwrap(), "cri-o");
    }
}
