//! Looks a pid up in `/proc` and remembers who it is for as long as the same process has it.
//!
//! A known process costs one small read a round, which tells it from a later process of the same pid.

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use gpulse_models::{
    CommandLine, CommandLines, Identity, PidNamespace, ProcessIdentity, Reading, Reason, Timestamp,
};

use super::{
    cgroup::{self, Membership},
    proc_text::{self, COMMAND_BYTES, Stat},
    under_way::{Key, UnderWay},
    users::Users,
};
use crate::{counted::Outcome, port::CurrentCall};

/// Ticks of a second in `/proc/PID/stat` (`USER_HZ`): the same on every architecture that NVIDIA has a driver for.
const TICKS_PER_SECOND: u64 = 100;

/// The host's pid namespace has this number in every kernel (`PROC_PID_INIT_INO`).
const HOST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// The host's cgroup namespace, in the same way (`PROC_CGROUP_INIT_INO`).
const HOST_CGROUP_NAMESPACE: &str = "cgroup:[4026531835]";

/// Longest file that is read of a process but for its command line: a dozen control groups of the longest path.
const FILE_BYTES: u64 = 64 << 10;

/// The processes of a `/proc`.
#[derive(Debug)]
pub(super) struct Who {
    root: PathBuf,
    policy: CommandLines,
    users: Users,
    pid_namespace: PidNamespace,
    /// Whether control groups are seen from within one, whose own name and those above it are then hidden.
    cgroups_are_hidden: bool,
    commands: UnderWay,
    known: HashMap<u32, Known>,
}

/// A process that was looked at.
#[derive(Debug)]
struct Known {
    stat: Stat,
    identity: Arc<ProcessIdentity>,
}

impl Who {
    /// A look into the `/proc` at `root`; users have the names that `passwd` gives them. Command lines that an
    /// earlier reader of this GPU hangs in, as `commands` knows, are left alone.
    pub(super) fn new(root: &Path, passwd: &Path, policy: CommandLines, commands: UnderWay) -> Self {
        let pid_namespace = match fs::read_link(root.join("self/ns/pid")) {
            Ok(name) if name.as_os_str() == HOST_PID_NAMESPACE => PidNamespace::Host,
            Ok(_) => PidNamespace::Own,
            Err(_) => PidNamespace::Unknown,
        };
        let cgroup_namespace = fs::read_link(root.join("self/ns/cgroup"));
        Self {
            root: root.to_owned(),
            policy,
            users: Users::of(passwd),
            pid_namespace,
            // A kernel that has no such namespaces hides nothing.
            cgroups_are_hidden: cgroup_namespace.is_ok_and(|name| name.as_os_str() != HOST_CGROUP_NAMESPACE),
            commands,
            known: HashMap::new(),
        }
    }

    /// Who each of these is, in their order. Who is not among them is forgotten.
    pub(super) fn are(&mut self, pids: &[u32], call: &CurrentCall) -> Vec<Identity> {
        call.set("/proc/PID");
        if self.users.refresh() {
            self.known.clear();
        }
        let asked: BTreeSet<_> = pids.iter().collect();
        self.known.retain(|pid, _| asked.contains(pid));
        let mut boot_time = None;
        pids.iter()
            .map(|pid| match self.is(*pid, &mut boot_time, call) {
                Ok(identity) => Identity::Found(identity),
                Err(error) => {
                    self.known.remove(pid);
                    if is_gone(&error) {
                        Identity::NotHere
                    } else {
                        Identity::Unavailable(reason(&error))
                    }
                }
            })
            .collect()
    }

    fn is(
        &mut self,
        pid: u32,
        boot_time: &mut Option<Reading<i64>>,
        call: &CurrentCall,
    ) -> io::Result<Arc<ProcessIdentity>> {
        let directory = self.root.join(pid.to_string());
        let stat = read_stat(&directory)?;
        if let Some(known) = self.known.get(&pid).filter(|known| known.stat == stat) {
            return Ok(Arc::clone(&known.identity));
        }
        let boot_time = *boot_time.get_or_insert_with(|| self.boot_time());
        let command = self.command(&directory, (pid, stat.start_ticks), call);
        let identity = Arc::new(self.look(&directory, &stat, boot_time, command));
        // What was read in between may be of another process if the pid was given away meanwhile.
        if read_stat(&directory)?.start_ticks != stat.start_ticks {
            return Err(io::ErrorKind::NotFound.into());
        }
        // A command line that another reader hangs in may come yet.
        if identity.command != CommandLine::Unavailable(Reason::Timeout) {
            let known = Known {
                stat,
                identity: Arc::clone(&identity),
            };
            self.known.insert(pid, known);
        }
        Ok(identity)
    }

    fn look(
        &self,
        directory: &Path,
        stat: &Stat,
        boot_time: Reading<i64>,
        command: CommandLine,
    ) -> ProcessIdentity {
        let uid = reading(read(&directory.join("status")).map(|text| proc_text::uid(&text)));
        let membership = read(&directory.join("cgroup")).map(|text| cgroup::parse(&text));
        let membership: Reading<Membership> = membership.map_err(|error| reason(&error)).into();
        let executable = fs::read_link(directory.join("exe"));
        let executable = executable.map(|path| path.to_string_lossy().into_owned());
        ProcessIdentity {
            started_at: started_at(boot_time, stat.start_ticks),
            start_ticks: stat.start_ticks,
            user: uid.map(|uid| self.users.user(uid)),
            executable: executable.map_err(|error| reason(&error)).into(),
            command,
            container: self.unless_hidden(membership.as_ref().map(|groups| groups.container.clone())),
            pod_uid: self.unless_hidden(membership.as_ref().map(|groups| groups.pod_uid.clone())),
            slurm_job: self.unless_hidden(membership.map(|groups| groups.slurm_job)),
            pid_namespace: self.pid_namespace,
        }
    }

    /// Where names are hidden, that none was seen does not mean that there is none.
    fn unless_hidden<T>(&self, seen: Reading<Option<T>>) -> Reading<Option<T>> {
        match seen {
            Reading::Value(None) if self.cgroups_are_hidden => Reading::Unavailable(Reason::NoPermission),
            seen => seen,
        }
    }

    /// The one file whose reader waits for a lock of the process itself. A hang gets its name, and the reader
    /// that takes over goes round it.
    fn command(&self, directory: &Path, process: Key, call: &CurrentCall) -> CommandLine {
        if self.policy == CommandLines::Off {
            return CommandLine::Withheld;
        }
        let file = directory.join("cmdline");
        let bytes = self.commands.read(process, || {
            call.during("/proc/PID/cmdline", || {
                read_at_most(&file, COMMAND_BYTES as u64 + 1)
            })
        });
        call.set("/proc/PID");
        match bytes {
            Some(Ok(bytes)) => proc_text::command(&bytes, self.policy),
            Some(Err(error)) => CommandLine::Unavailable(reason(&error)),
            None => CommandLine::Unavailable(Reason::Timeout),
        }
    }

    fn boot_time(&self) -> Reading<i64> {
        // On a machine of many cores and interrupts this file is long.
        let text = fs::read_to_string(self.root.join("stat"));
        reading(text.map(|text| proc_text::boot_time(&text)))
    }
}

fn started_at(boot_time: Reading<i64>, ticks: u64) -> Reading<Timestamp> {
    let milliseconds = i64::try_from(ticks.saturating_mul(1_000 / TICKS_PER_SECOND));
    match boot_time {
        Reading::Unavailable(reason) => Reading::Unavailable(reason),
        Reading::Value(boot_time) => boot_time
            .checked_mul(1_000)
            .zip(milliseconds.ok())
            .and_then(|(boot, since)| boot.checked_add(since))
            .and_then(|at| Timestamp::from_millisecond(at).ok())
            .ok_or(Reason::Error)
            .into(),
    }
}

fn read_stat(directory: &Path) -> io::Result<Stat> {
    proc_text::stat(&read(&directory.join("stat"))?).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn read(file: &Path) -> io::Result<String> {
    read_at_most(file, FILE_BYTES).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn read_at_most(file: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(file)?.take(bytes).read_to_end(&mut content)?;
    Ok(content)
}

/// What was read, where it could be made sense of.
fn reading<T>(read: io::Result<Option<T>>) -> Reading<T> {
    match read {
        Ok(Some(value)) => Reading::Value(value),
        Ok(None) => Reading::Unavailable(Reason::Error),
        Err(error) => Reading::Unavailable(reason(&error)),
    }
}

/// A file that is not there, or a read of a process that ended after its file was opened (`ESRCH`).
fn is_gone(error: &io::Error) -> bool {
    const NO_SUCH_PROCESS: i32 = 3;
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(NO_SUCH_PROCESS)
}

impl<T> Outcome for io::Result<T> {
    fn error(&self) -> Option<Reason> {
        self.as_ref().err().map(reason)
    }
}

fn reason(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Reason::NoPermission,
        // The kernel has no such file for this process, such as the program of one that has ended.
        io::ErrorKind::NotFound => Reason::NotSupported,
        _ => Reason::Error,
    }
}

#[cfg(test)]
mod tests;
