//! The process of the example.

use std::sync::Arc;

use super::at;
use crate::{
    Bytes, CommandLine, Container, ContainerRuntime, GpuProcess, Identity, Percent, PidNamespace,
    ProcessIdentity, ProcessKinds, ProcessList, ProcessUtilization, Reading::Value, User,
};

/// The one process of the sample.
pub fn processes() -> ProcessList {
    let share = |percent| Value(Percent(percent));
    let identity = ProcessIdentity {
        started_at: Value(at()),
        start_ticks: 123_456,
        user: Value(User {
            uid: 1_000,
            name: Some("ada".to_owned()),
        }),
        executable: Value("/usr/bin/python3.12".to_owned()),
        command: CommandLine::Executable("python3".to_owned()),
        container: Value(Some(Container {
            id: "0123456789abcdef".repeat(4),
            runtime: Some(ContainerRuntime::Docker),
        })),
        pod_uid: Value(None),
        slurm_job: Value(None),
        pid_namespace: PidNamespace::Host,
    };
    let process = GpuProcess {
        pid: 4242,
        name: Value("python3".to_owned()),
        used_memory: Value(Bytes(38 << 30)),
        kinds: ProcessKinds {
            compute: true,
            graphics: false,
            mps: false,
        },
        mig: None,
        utilization: Value(Some(ProcessUtilization {
            sm: share(70.0),
            memory: share(50.0),
            encoder: share(0.0),
            decoder: share(0.0),
        })),
        identity: Identity::Found(Arc::new(identity)),
    };
    ProcessList {
        processes: vec![process],
        other: None,
    }
}
