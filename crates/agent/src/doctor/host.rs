//! The machine that is looked at: its files below a root, the environment and the user of this process. Tests make one up.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::process::{getegid, geteuid, getgroups};

/// The most that is read of a file: the lists of modules and mounts of a large machine are shorter.
const LONGEST: u64 = 1 << 20;

/// The process ids of the machine itself are in the namespace with this number (`PROC_PID_INIT_INO`).
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// A machine.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) root: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) user: User,
    /// As `std::env::consts::ARCH` has it.
    pub(super) architecture: &'static str,
}

/// Who this process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) id: u32,
    pub(super) groups: Vec<u32>,
}

impl Host {
    /// This machine, or what lies below `root` in its place.
    pub(super) fn here(root: Option<&Path>) -> Self {
        let mut groups: Vec<_> = getgroups()
            .unwrap_or_default()
            .iter()
            .map(|group| group.as_raw())
            .collect();
        groups.push(getegid().as_raw());
        Self {
            root: root.unwrap_or(Path::new("/")).to_owned(),
            environment: env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            user: User {
                id: geteuid().as_raw(),
                groups,
            },
            architecture: env::consts::ARCH,
        }
    }

    /// Whether it is the machine itself, of which more than files can be asked.
    pub(super) fn is_real(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Where `path` of the machine lies.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of a file, as far as it may be long.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> io::Result<String> {
        let mut bytes = Vec::new();
        File::open(self.path(path))?
            .take(LONGEST)
            .read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(super) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// The names in a directory, in order; none if it cannot be read.
    pub(super) fn names(&self, directory: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// Whether this process runs in a container, and what says so.
    pub(super) fn container(&self) -> Option<&'static str> {
        if self.exists("/.dockerenv") {
            return Some("/.dockerenv");
        }
        if self.exists("/run/.containerenv") {
            return Some("/run/.containerenv");
        }
        if self.variable("KUBERNETES_SERVICE_HOST").is_some() {
            return Some("KUBERNETES_SERVICE_HOST");
        }
        self.variable("container").map(|_| "the variable `container`")
    }

    /// Whether the process ids seen here are not those of the machine; nothing if that cannot be told.
    pub(super) fn has_own_pids(&self) -> Option<bool> {
        let namespace = fs::read_link(self.path("/proc/self/ns/pid")).ok()?;
        Some(namespace != Path::new(FIRST_PID_NAMESPACE))
    }

    /// The kernel's modules that are loaded.
    pub(super) fn modules(&self) -> io::Result<Vec<String>> {
        let text = self.text("/proc/modules")?;
        Ok(text
            .lines()
            .filter_map(|line| line.split(' ').next().map(str::to_owned))
            .collect())
    }

    /// NVIDIA's GPUs among the PCI devices.
    pub(super) fn pci_gpus(&self) -> Vec<String> {
        let is = |device: &str, file: &str, values: &[&str]| {
            let text = self
                .text(format!("/sys/bus/pci/devices/{device}/{file}"))
                .unwrap_or_default();
            values.iter().any(|value| text.trim().starts_with(value))
        };
        let mut devices = self.names("/sys/bus/pci/devices");
        // VGA and 3D controllers.
        devices
            .retain(|device| is(device, "vendor", &["0x10de"]) && is(device, "class", &["0x0300", "0x0302"]));
        devices
    }
}

impl User {
    /// Whether the permissions let the user read (4), write (2) or both (6).
    pub(super) fn may(&self, wanted: u32, file: &Metadata) -> bool {
        self.may_with(wanted, file.mode(), file.uid(), file.gid())
    }

    pub(super) fn may_with(&self, wanted: u32, mode: u32, owner: u32, group: u32) -> bool {
        let bits = if self.id == 0 {
            return true;
        } else if self.id == owner {
            mode >> 6
        } else if self.groups.contains(&group) {
            mode >> 3
        } else {
            mode
        };
        bits & wanted == wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_those_of_owner_group_and_others() {
        let user = User {
            id: 1000,
            groups: vec![44],
        };
        assert!(user.may_with(6, 0o600, 1000, 0));
        assert!(user.may_with(6, 0o660, 0, 44));
        assert!(!user.may_with(6, 0o660, 0, 45));
        assert!(user.may_with(6, 0o666, 0, 0));
        assert!(!user.may_with(6, 0o664, 0, 0));
        assert!(
            !user.may_with(4, 0o066, 1000, 44),
            "the owner's bits are the ones that count"
        );
        assert!(
            User {
                id: 0,
                groups: vec![]
            }
            .may_with(6, 0o000, 1, 1)
        );
    }
}
