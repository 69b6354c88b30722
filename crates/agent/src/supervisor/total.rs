//! Whether nothing of NVML returns any more, and whether a new process could help.

use std::{fs, path::Path};

use gpulse_models::{DriverReason, DriverStatus, GpuState, HostSnapshot};

/// The threads of this process.
const OWN_THREADS: &str = "/proc/self/task";

/// Whether every GPU of the roster hangs, or NVML's initialisation does.
pub(super) fn is_stuck(host: &HostSnapshot) -> bool {
    match &host.driver {
        DriverStatus::Starting => false,
        DriverStatus::Unavailable(fault) => fault.reason == DriverReason::Timeout,
        DriverStatus::Ready(_) => {
            let hung = |state| state == GpuState::Hung;
            !host.gpus.is_empty() && host.gpus.iter().all(|gpu| hung(gpu.health.state))
        }
    }
}

/// Whether a thread of this process sleeps where no signal reaches it. Not even SIGKILL ends such a process: its threads
/// and its sockets would stay beside those of the new one, which would come to stand at the same lock.
pub(super) fn is_beyond_signals() -> bool {
    sleeps_uninterruptibly(Path::new(OWN_THREADS))
}

/// A thread that ends meanwhile does not count, and what cannot be read holds no restart back.
fn sleeps_uninterruptibly(threads: &Path) -> bool {
    let Ok(threads) = fs::read_dir(threads) else {
        return false;
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok())
        .any(|stat| state(&stat) == Some('D'))
}

/// The state in a `stat` of `/proc`: the first field after the name, which may itself contain anything.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_no_signal_reaches_is_found() {
        let threads = tempfile::TempDir::new().unwrap();
        let put = |id: &str, stat: &str| {
            fs::create_dir_all(threads.path().join(id)).unwrap();
            fs::write(threads.path().join(id).join("stat"), stat).unwrap();
        };
        put("7", "7 (gpulse) S 1 7 7");
        put("8", "8 (a) D (b) R 1 7 7");
        put("9", "");
        assert!(!sleeps_uninterruptibly(threads.path()));
        put("10", "10 (gpu-0) D 1 7 7");
        assert!(sleeps_uninterruptibly(threads.path()));
        assert!(!sleeps_uninterruptibly(&threads.path().join("nowhere")));
    }

    #[test]
    fn this_process_can_be_ended() {
        // The thread that reads runs, and the others of a test wait or run as well.
        assert_eq!(
            state(&fs::read_to_string("/proc/thread-self/stat").unwrap()),
            Some('R')
        );
    }
}
