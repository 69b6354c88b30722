//! The history on disk: whether its directory is there or can be made, may be written, and has the space.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access, statvfs};

use super::{check::Check, host::Host};
use crate::config::Config;

const NAME: &str = "history";

/// What of the machine is asked beside its files. Tests make answers up.
pub(super) struct Disk {
    /// Whether this process may make files in a directory.
    pub(super) may_write: fn(&Path) -> io::Result<()>,
    /// Bytes that are free for it.
    pub(super) free_bytes: fn(&Path) -> io::Result<u64>,
}

impl Disk {
    /// That of this machine.
    pub(super) fn here() -> Self {
        Self {
            may_write: |directory| Ok(access(directory, Access::WRITE_OK | Access::EXEC_OK)?),
            free_bytes: |directory| {
                let file_system = statvfs(directory)?;
                Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
            },
        }
    }
}

/// Whether the history can be kept on disk, where it is to be.
pub(super) fn check(host: &Host, config: &Config, disk: &Disk) -> Check {
    let history = &config.history;
    let Some(directory) = history.directory.as_deref().filter(|_| history.enabled) else {
        return Check::skipped(
            NAME,
            "none is kept on disk: history.directory is not set, or history.enabled is off",
        );
    };
    let shown = directory.display();
    let place = host.path(directory);
    let found = nearest(&place);
    if !found.is_dir() {
        return Check::fail(
            NAME,
            format!("history.directory = {shown}"),
            format!("{} is no directory", below(host, &found)),
            "name a directory: history.directory = \"/var/lib/gpulse\"",
        );
    }
    if let Err(error) = (disk.may_write)(&found) {
        return unwritable(host, directory, &found, &error);
    }
    let wanted = history.max_disk_bytes.saturating_sub(taken(&place));
    match (disk.free_bytes)(&found) {
        Ok(free) if free < wanted => Check::warn(
            NAME,
            format!(
                "{shown} has {} MiB free, and the history may grow by {} MiB",
                free >> 20,
                wanted >> 20
            ),
            "once the disk is full, what is newer is kept in memory only and lost with the agent",
            format!("make room there (`df -h {shown}`), or lower history.max_disk_bytes"),
        ),
        Ok(free) if found == place => Check::ok(NAME, format!("{shown}, {} MiB free", free >> 20)),
        Ok(free) => Check::ok(
            NAME,
            format!("{shown} can be made by the agent, {} MiB free", free >> 20),
        ),
        Err(error) => Check::warn(
            NAME,
            format!("history.directory = {shown}"),
            format!("its free space cannot be told: {error}"),
            format!("df -h {shown}"),
        ),
    }
}

fn unwritable(host: &Host, directory: &Path, found: &Path, error: &io::Error) -> Check {
    let shown = directory.display();
    let what = format!("{shown}: {} cannot be written: {error}", below(host, found));
    if error.kind() == ErrorKind::PermissionDenied {
        return Check::warn(
            NAME,
            what,
            format!(
                "user {} may not write there; whether the user of the agent may is not known",
                host.user.id
            ),
            format!(
                "sudo install -d -o gpulse -g gpulse -m 0750 {shown}; `sudo -u gpulse gpulse doctor` looks as the agent does"
            ),
        );
    }
    Check::fail(
        NAME,
        what,
        "the history is kept in memory only, and lost with the agent",
        "name a directory that can be written by history.directory; for a service ReadWritePaths= has to name it, too",
    )
}

/// The path itself, or the nearest one above that is there.
fn nearest(path: &Path) -> PathBuf {
    let found = path.ancestors().find(|above| above.exists());
    found.unwrap_or(Path::new("/")).to_owned()
}

/// A path as the machine has it.
fn below(host: &Host, path: &Path) -> String {
    let inside = path.strip_prefix(&host.root).unwrap_or(path);
    Path::new("/").join(inside).display().to_string()
}

/// Bytes that the files in a directory take.
fn taken(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::Status;

    const PLENTY: Disk = Disk {
        may_write: |_| Ok(()),
        free_bytes: |_| Ok(1 << 40),
    };

    #[track_caller]
    fn assert_says(directory: Option<&str>, disk: &Disk, status: Status, word: &str) {
        let root = tempfile::tempdir().unwrap();
        let host = Host::here(Some(root.path()));
        fs::create_dir_all(host.path("/var/lib/gpulse")).unwrap();
        fs::write(host.path("/var/file"), "").unwrap();
        let mut config = Config::default();
        config.history.directory = directory.map(PathBuf::from);
        let check = check(&host, &config, disk);
        let text = format!("{:?} {:?} {:?}", check.found, check.why, check.fix);
        assert!(check.status == status && text.contains(word), "{check:#?}");
    }

    #[test]
    fn a_directory_is_there_or_can_be_made() {
        assert_says(None, &PLENTY, Status::Skipped, "not set");
        assert_says(Some("/var/lib/gpulse"), &PLENTY, Status::Ok, "MiB free");
        assert_says(Some("/var/lib/other/deep"), &PLENTY, Status::Ok, "can be made");
        assert_says(
            Some("/var/file"),
            &PLENTY,
            Status::Fail,
            "/var/file is no directory",
        );
        assert_says(
            Some("/var/file/deep"),
            &PLENTY,
            Status::Fail,
            "/var/file is no directory",
        );
    }

    #[test]
    fn it_has_to_be_written_and_to_have_the_space() {
        let denied = Disk {
            may_write: |_| Err(ErrorKind::PermissionDenied.into()),
            ..PLENTY
        };
        assert_says(
            Some("/var/lib/gpulse"),
            &denied,
            Status::Warn,
            "sudo install -d -o gpulse",
        );
        let read_only = Disk {
            may_write: |_| Err(ErrorKind::ReadOnlyFilesystem.into()),
            ..PLENTY
        };
        assert_says(Some("/var/lib/new"), &read_only, Status::Fail, "ReadWritePaths");
        let full = Disk {
            free_bytes: |_| Ok(1 << 20),
            ..PLENTY
        };
        assert_says(
            Some("/var/lib/gpulse"),
            &full,
            Status::Warn,
            "history.max_disk_bytes",
        );
    }

    #[test]
    fn the_disk_of_this_machine_can_be_asked() {
        let place = tempfile::tempdir().unwrap();
        let disk = Disk::here();
        assert!((disk.may_write)(place.path()).is_ok());
        assert!((disk.free_bytes)(place.path()).is_ok_and(|bytes| bytes > 0));
        assert!((disk.may_write)(Path::new("/nowhere")).is_err());
    }
}
