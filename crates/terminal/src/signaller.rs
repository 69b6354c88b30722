//! Ending a process: only the one that was looked at, and only where this user may.

use std::{fs, os::fd::OwnedFd, time::Duration};

use jiff::Timestamp;
use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal, test_kill_process},
};

/// A process that somebody wants to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its number.
    pub pid: u32,
    /// The user that it runs as, for the question.
    pub user: String,
    /// What it was called with, for the question.
    pub command: String,
    /// When it started, by the agent; with the number it means one process only. Nothing where the agent could not look
    /// it up or may mean another one than is seen here.
    pub started_at: Option<Timestamp>,
}

/// Who sends signals to processes of this host.
pub trait Signaller {
    /// Makes sure that `target` is still that process and may be ended by this user, and keeps hold of it.
    ///
    /// # Errors
    ///
    /// With a sentence for a person, if it is gone or another one, or may not be ended.
    fn hold(&mut self, target: &Target) -> Result<(), String>;

    /// Asks what is held to end (`SIGTERM`), or ends it (`SIGKILL`, with `force`).
    ///
    /// # Errors
    ///
    /// With a sentence for a person, if the signal cannot be sent.
    fn send(&mut self, force: bool) -> Result<(), String>;
}

/// How far two accounts of a start may lie apart: the clock may have been set between them.
const TOLERANCE: Duration = Duration::from_secs(2);

/// The kernel's clock ticks per second, which is the same on all platforms that have GPUs.
const TICKS_PER_SECOND: u64 = 100;

/// Signals to the processes that this one sees. It keeps hold of a process by a pidfd: once that is open, its number may be
/// used again without the signal reaching somebody else.
#[derive(Debug, Default)]
pub struct LocalSignaller {
    held: Option<OwnedFd>,
}

impl Signaller for LocalSignaller {
    fn hold(&mut self, target: &Target) -> Result<(), String> {
        self.held = None;
        let pid = target.pid;
        let Some(expected) = target.started_at else {
            return Err(format!(
                "process {pid} cannot be told from another one of that number: it lives in another pid namespace, \
                 is hidden, or has ended"
            ));
        };
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let number = number.ok_or_else(|| format!("{pid} is no number of a process"))?;
        let held = pidfd_open(number, PidfdFlags::empty()).map_err(|error| explain(error, pid))?;
        let started_at = started_at(pid).ok_or_else(|| format!("process {pid} has ended"))?;
        if started_at.duration_since(expected).unsigned_abs() > TOLERANCE {
            return Err(format!(
                "process {pid} has ended, and its number is another one's now"
            ));
        }
        test_kill_process(number).map_err(|error| explain(error, pid))?;
        self.held = Some(held);
        Ok(())
    }

    fn send(&mut self, force: bool) -> Result<(), String> {
        let held = self.held.as_ref().ok_or("no process is held")?;
        let signal = if force { Signal::KILL } else { Signal::TERM };
        pidfd_send_signal(held, signal).map_err(|error| match error {
            Errno::SRCH => "it has ended already".to_owned(),
            Errno::PERM => "this user may not end it".to_owned(),
            error => format!("the signal cannot be sent: {error}"),
        })
    }
}

fn explain(error: Errno, pid: u32) -> String {
    match error {
        Errno::SRCH => format!("process {pid} has ended"),
        Errno::PERM => format!("this user may not end process {pid}: be its owner or root"),
        Errno::NOSYS => {
            "this kernel has no pidfd (Linux 5.3), without which the wrong process may be met".to_owned()
        }
        error => format!("process {pid} cannot be reached: {error}"),
    }
}

/// When the process of that number started.
fn started_at(pid: u32) -> Option<Timestamp> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name may hold anything. The 22nd field is the 20th after it.
    let ticks = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?;
    let ticks: u64 = ticks.parse().ok()?;
    let host = fs::read_to_string("/proc/stat").ok()?;
    let boot: i64 = host
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    let since = i64::try_from(ticks.checked_mul(1_000 / TICKS_PER_SECOND)?).ok()?;
    Timestamp::from_millisecond(boot.checked_mul(1_000)?.checked_add(since)?).ok()
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::process::ExitStatusExt as _,
        process::{Child, Command},
    };

    use super::*;

    fn sleeper() -> (Child, Target) {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let target = Target {
            pid: child.id(),
            user: "me".to_owned(),
            command: "sleep 600".to_owned(),
            started_at: started_at(child.id()),
        };
        (child, target)
    }

    #[test]
    fn what_is_held_gets_the_signal() {
        for (force, expected) in [(false, 15), (true, 9)] {
            let (mut child, target) = sleeper();
            let mut signaller = LocalSignaller::default();
            signaller.hold(&target).unwrap();
            signaller.send(force).unwrap();
            assert_eq!(child.wait().unwrap().signal(), Some(expected));
            assert!(signaller.send(force).unwrap_err().contains("ended already"));
            assert!(signaller.hold(&target).unwrap_err().contains("has ended"));
        }
    }

    #[test]
    fn another_process_of_that_number_is_left_alone() {
        let (mut child, mut target) = sleeper();
        let earlier = Duration::from_secs(60);
        target.started_at = target.started_at.map(|at| at - earlier);
        let mut signaller = LocalSignaller::default();
        let refused = signaller.hold(&target).unwrap_err();
        assert!(refused.contains("another one's"), "{refused}");
        assert!(signaller.send(false).is_err());
        target.started_at = None;
        assert!(signaller.hold(&target).is_err());
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn numbers_of_nobody_are_refused() {
        let target = |pid| Target {
            pid,
            user: String::new(),
            command: String::new(),
            started_at: Some(Timestamp::UNIX_EPOCH),
        };
        for pid in [0, i32::MAX.unsigned_abs(), u32::MAX] {
            assert!(LocalSignaller::default().hold(&target(pid)).is_err(), "{pid}");
        }
    }
}
