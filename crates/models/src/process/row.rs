//! A process as it is shown: one row with a reading for everything that is known of it.

use crate::{
    Bytes, CommandLine, Container, ContainerRuntime, GpuProcess, Identity, Label, OtherProcesses, Percent,
    PidNamespace, ProcessIdentity, ProcessKinds, ProcessList, ProcessUtilization, Reading, Reason, Timestamp,
    catalogue::{Below, Catalogued, Metric, Readings, Shown, readings},
};

readings! {
    /// How many processes are on the GPU, and who they are.
    pub struct ProcessOverview {
        /// How many there are.
        reading count: u64, gauge, "nvmlDeviceGetComputeRunningProcesses_v3", Fermi;
        /// Those with the most memory, by pid.
        list processes: ProcessRow, gauge, "nvmlDeviceGetComputeRunningProcesses_v3", Fermi;
        /// The others, where there are more than are described.
        part other: OtherRow;
    }

    /// A process. What `/proc` says is null where the process is not here.
    pub struct ProcessRow {
        /// Process id as NVML sees it. It is used again after the process ended; with the start time it is unique.
        reading pid: u32, info, "nvmlDeviceGetComputeRunningProcesses_v3", Fermi;
        /// Name as NVML gives it.
        reading name: String, info, "nvmlSystemGetProcessName", Fermi;
        /// In which of NVML's lists it stands: `compute`, `graphics`, `mps`.
        reading kinds: Vec<Label>, info, "nvmlDeviceGet{Compute,Graphics,MPSCompute}RunningProcesses_v3", Fermi;
        /// GPU memory that it holds.
        reading memory_used_bytes: Bytes, gauge, "nvmlDeviceGetComputeRunningProcesses_v3", Fermi;
        /// Its share of the streaming multiprocessors; null where the driver took no sample of it lately.
        reading sm_percent: Option<Percent>, gauge, "nvmlDeviceGetProcessUtilization", Maxwell;
        /// Its share of the memory interface; not occupancy.
        reading memory_percent: Option<Percent>, gauge, "nvmlDeviceGetProcessUtilization", Maxwell;
        /// Its share of the encoders.
        reading encoder_percent: Option<Percent>, gauge, "nvmlDeviceGetProcessUtilization", Maxwell;
        /// Its share of the decoders.
        reading decoder_percent: Option<Percent>, gauge, "nvmlDeviceGetProcessUtilization", Maxwell;
        /// The MIG GPU instance that it runs on; null where it has the GPU as a whole.
        reading gpu_instance_id: Option<u32>, info, "nvmlDeviceGetComputeRunningProcesses_v3", Ampere;
        /// The MIG compute instance that it runs on; likewise.
        reading compute_instance_id: Option<u32>, info, "nvmlDeviceGetComputeRunningProcesses_v3", Ampere;
        /// Whether the process could be looked up: `found`, or `not_here` where it lives in another pid namespace, is
        /// hidden, or has ended.
        reading identity: Label, info, "/proc", Fermi;
        /// When it started.
        reading started_at: Option<Timestamp>, info, "/proc/PID/stat", Fermi;
        /// The user that it runs as, by name, or else by number.
        reading user: Option<String>, info, "/proc/PID and /etc/passwd", Fermi;
        /// The user that it runs as, by number.
        reading user_id: Option<u32>, info, "/proc/PID", Fermi;
        /// Path of its program.
        reading executable: Option<String>, info, "/proc/PID/exe", Fermi;
        /// What it was called with, as far as the configuration permits; its arguments are withheld by default.
        reading command: Vec<String>, info, "/proc/PID/cmdline", Fermi;
        /// Whether arguments are missing because there are too many.
        reading command_truncated: bool, info, "/proc/PID/cmdline", Fermi;
        /// The innermost container that it runs in.
        reading container_id: Option<String>, info, "/proc/PID/cgroup", Fermi;
        /// What runs that container: `docker`, `containerd`, `cri-o` or `podman`; null where its name does not tell.
        reading container_runtime: Option<Label>, info, "/proc/PID/cgroup", Fermi;
        /// Uid of the Kubernetes pod that it runs in.
        reading pod_uid: Option<String>, info, "/proc/PID/cgroup", Fermi;
        /// The Slurm job that it belongs to.
        reading slurm_job_id: Option<u64>, info, "/proc/PID/cgroup", Fermi;
        /// The step of that job: a number, or `batch`, `extern` and the like.
        reading slurm_step: Option<String>, info, "/proc/PID/cgroup", Fermi;
        /// Whether the agent counts pids as the host does: `host`; or `own`, where the process found here may be another
        /// than the driver means.
        reading pid_namespace: Option<Label>, info, "/proc/self/ns/pid", Fermi;
    }

    /// The processes that no more is said of.
    pub struct OtherRow {
        /// How many there are.
        reading count: u64, gauge, "nvmlDeviceGetComputeRunningProcesses_v3", Fermi;
        /// What they hold together, as far as NVML says what each holds.
        reading memory_used_bytes: Bytes, gauge, "nvmlDeviceGetComputeRunningProcesses_v3", Fermi;
        /// Of how many it does not say that.
        reading without_memory: u64, gauge, "nvmlDeviceGetComputeRunningProcesses_v3", Fermi;
    }
}

/// The processes of one GPU, or why they are not known.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ProcessTable {
    /// The processes.
    pub list: Reading<ProcessList>,
}

impl Catalogued for ProcessTable {
    const METRICS: &'static [Metric] = ProcessOverview::METRICS;

    fn absent(reason: Reason) -> Self {
        Self {
            list: Reading::Unavailable(reason),
        }
    }
}

impl Readings for ProcessTable {
    fn see<'a>(&'a self, visit: &mut dyn FnMut(&'static Metric, Reading<Shown<'a>>)) {
        let overview = self.overview();
        let count = overview.count.map(|count| Shown::Integer(count.into()));
        let rows = overview.processes.map(|rows| {
            let rows = rows.into_iter().map(|row| Below::Made(Box::new(row)));
            Shown::Parts(rows.collect())
        });
        let other = Shown::Part(Below::Made(Box::new(overview.other)));
        for (metric, shown) in ProcessOverview::METRICS
            .iter()
            .zip([count, rows, Reading::Value(other)])
        {
            visit(metric, shown);
        }
    }
}

impl ProcessTable {
    /// The processes as they are shown.
    pub fn overview(&self) -> ProcessOverview {
        let list = self.list.as_ref();
        let other = list.map(|list| list.other.as_ref());
        ProcessOverview {
            count: list.map(|list| {
                let others = list.other.as_ref().map_or(0, |other| other.count);
                list.processes.len() as u64 + others
            }),
            processes: list.map(|list| list.processes.iter().map(ProcessRow::of).collect()),
            other: OtherRow::of(other),
        }
    }
}

impl OtherRow {
    /// The row of the others; nobody where everybody is described.
    fn of(other: Reading<Option<&OtherProcesses>>) -> Self {
        Self {
            count: other.map(|other| other.map_or(0, |other| other.count)),
            memory_used_bytes: match other {
                Reading::Value(Some(other)) => other.used_memory,
                Reading::Value(None) => Reading::Value(Bytes(0)),
                Reading::Unavailable(reason) => Reading::Unavailable(reason),
            },
            without_memory: other.map(|other| other.map_or(0, |other| other.count_without_memory)),
        }
    }
}

impl ProcessRow {
    /// The row of `process`.
    pub fn of(process: &GpuProcess) -> Self {
        let share = |of: fn(&ProcessUtilization) -> Reading<Percent>| match &process.utilization {
            Reading::Value(None) => Reading::Value(None),
            Reading::Value(Some(shares)) => of(shares).map(Some),
            Reading::Unavailable(reason) => Reading::Unavailable(*reason),
        };
        let who = Who(&process.identity);
        let user = who.is(|identity| identity.user.clone());
        let container = who.is(|identity| identity.container.clone());
        let job = who.is(|identity| identity.slurm_job.clone());
        Self {
            pid: Reading::Value(process.pid),
            name: process.name.clone(),
            kinds: Reading::Value(kinds(process.kinds)),
            memory_used_bytes: process.used_memory,
            sm_percent: share(|shares| shares.sm),
            memory_percent: share(|shares| shares.memory),
            encoder_percent: share(|shares| shares.encoder),
            decoder_percent: share(|shares| shares.decoder),
            gpu_instance_id: Reading::Value(process.mig.map(|mig| mig.gpu_instance)),
            compute_instance_id: Reading::Value(process.mig.and_then(|mig| mig.compute_instance)),
            identity: match &process.identity {
                Identity::Found(_) => Reading::Value("found".into()),
                Identity::NotHere => Reading::Value("not_here".into()),
                Identity::Unavailable(reason) => Reading::Unavailable(*reason),
            },
            started_at: who.is(|identity| identity.started_at),
            user: user.clone().map(|user| user.map(|user| user.label())),
            user_id: user.map(|user| user.map(|user| user.uid)),
            executable: who.is(|identity| identity.executable.clone()),
            command: who.command(),
            command_truncated: who.command_truncated(),
            container_id: container
                .clone()
                .map(|of| of.flatten().map(|container: Container| container.id)),
            container_runtime: container.map(|of| of.flatten()?.runtime.map(runtime)),
            pod_uid: who.is(|identity| identity.pod_uid.clone()).map(Option::flatten),
            slurm_job_id: job.clone().map(|of| of.flatten().map(|job| job.id)),
            slurm_step: job.map(|of| of.flatten()?.step),
            pid_namespace: who.is(|identity| Reading::Value(namespace(identity.pid_namespace))),
        }
    }
}

/// What `/proc` says of a process.
struct Who<'a>(&'a Identity);

impl Who<'_> {
    /// What is known of a process; nothing of one that is not here.
    fn is<T>(&self, what: impl Fn(&ProcessIdentity) -> Reading<T>) -> Reading<Option<T>> {
        match self.0 {
            Identity::Found(identity) => what(identity).map(Some),
            Identity::NotHere => Reading::Value(None),
            Identity::Unavailable(reason) => Reading::Unavailable(*reason),
        }
    }

    fn command(&self) -> Reading<Vec<String>> {
        self.of_command(|command| match command {
            CommandLine::Executable(program) => vec![program.clone()],
            CommandLine::Full { words, .. } => words.clone(),
            _ => Vec::new(),
        })
    }

    fn command_truncated(&self) -> Reading<bool> {
        self.of_command(|command| matches!(command, CommandLine::Full { truncated: true, .. }))
    }

    fn of_command<T>(&self, what: impl Fn(&CommandLine) -> T) -> Reading<T> {
        match self.0 {
            Identity::Found(identity) => match &identity.command {
                CommandLine::Withheld => Reading::Unavailable(Reason::Disabled),
                CommandLine::Unavailable(reason) => Reading::Unavailable(*reason),
                command => Reading::Value(what(command)),
            },
            Identity::NotHere => Reading::Value(what(&CommandLine::Empty)),
            Identity::Unavailable(reason) => Reading::Unavailable(*reason),
        }
    }
}

fn kinds(kinds: ProcessKinds) -> Vec<Label> {
    let named = [
        (kinds.compute, "compute"),
        (kinds.graphics, "graphics"),
        (kinds.mps, "mps"),
    ];
    named
        .into_iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, name)| name.into())
        .collect()
}

fn runtime(runtime: ContainerRuntime) -> Label {
    match runtime {
        ContainerRuntime::Docker => "docker".into(),
        ContainerRuntime::Containerd => "containerd".into(),
        ContainerRuntime::CriO => "cri-o".into(),
        ContainerRuntime::Podman => "podman".into(),
    }
}

fn namespace(namespace: PidNamespace) -> Label {
    match namespace {
        PidNamespace::Host => "host".into(),
        PidNamespace::Own => "own".into(),
        PidNamespace::Unknown => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn a_process_that_is_not_here_has_no_user_and_no_reason_for_it() {
        let mut process = example::processes().processes.remove(0);
        process.identity = Identity::NotHere;
        let row = ProcessRow::of(&process);
        assert_eq!(row.identity, Reading::Value("not_here".into()));
        assert_eq!(
            (row.user, row.container_id),
            (Reading::Value(None), Reading::Value(None))
        );
        assert_eq!(row.memory_used_bytes, process.used_memory);
    }

    #[test]
    fn a_command_line_that_may_not_be_shown_says_so() {
        let withheld = |command| {
            let mut process = example::processes().processes.remove(0);
            if let Identity::Found(identity) = &mut process.identity {
                std::sync::Arc::make_mut(identity).command = command;
            }
            ProcessRow::of(&process).command
        };
        assert_eq!(
            withheld(CommandLine::Withheld),
            Reading::Unavailable(Reason::Disabled)
        );
        assert_eq!(withheld(CommandLine::Empty), Reading::Value(Vec::new()));
    }

    #[test]
    fn a_table_counts_everybody_and_describes_some() {
        let mut list = example::processes();
        list.other = Some(OtherProcesses {
            count: 7,
            used_memory: Reading::Value(Bytes(5)),
            count_without_memory: 0,
            brief: Vec::new(),
        });
        let table = ProcessTable {
            list: Reading::Value(list),
        };
        let mut seen = Vec::new();
        table.see(&mut |metric, reading| {
            let length = match reading {
                Reading::Value(Shown::Integer(count)) => count,
                Reading::Value(Shown::Parts(rows)) => rows.len() as i128,
                _ => 0,
            };
            seen.push((metric.key, length));
        });
        assert_eq!(seen, [("count", 8), ("processes", 1), ("other", 0)]);
        assert_eq!(
            ProcessTable::absent(Reason::Timeout).absence(),
            Some(Reason::Timeout)
        );
    }
}
