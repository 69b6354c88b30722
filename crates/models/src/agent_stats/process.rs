//! The agent's process, and what was built.

use serde::Serialize;

use crate::{Bytes, Reading, Reason, Seconds, Timestamp};

/// What the kernel says of the agent's process, from `/proc/self`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProcessStats {
    /// Memory that is in use of the machine's (`VmRSS`).
    pub resident_memory: Reading<Bytes>,
    /// Memory that has an address (`VmSize`).
    pub virtual_memory: Reading<Bytes>,
    /// Time of processors that was spent, the kernel's part included.
    pub cpu: Reading<Seconds>,
    /// Files and sockets that are open.
    pub open_fds: Reading<u64>,
    /// How many may be; `not_supported` where there is no limit.
    pub max_fds: Reading<u64>,
    /// Threads, those that are stuck included.
    pub threads: Reading<u64>,
    /// When it was started.
    pub started_at: Reading<Timestamp>,
}

impl ProcessStats {
    /// Nothing of it, for one reason.
    pub fn absent(reason: Reason) -> Self {
        Self {
            resident_memory: Reading::Unavailable(reason),
            virtual_memory: Reading::Unavailable(reason),
            cpu: Reading::Unavailable(reason),
            open_fds: Reading::Unavailable(reason),
            max_fds: Reading::Unavailable(reason),
            threads: Reading::Unavailable(reason),
            started_at: Reading::Unavailable(reason),
        }
    }
}

/// What was built, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BuildInfo {
    /// The agent's version.
    pub version: &'static str,
    /// The commit, where whoever built it said so (`BUILD_COMMIT`).
    pub commit: Option<&'static str>,
    /// The compiler's version, such as `1.90.0`; `unknown` where it did not say.
    pub rustc: &'static str,
    /// What it was built for, such as `x86_64-unknown-linux-gnu`.
    pub target: &'static str,
}
