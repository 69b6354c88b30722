//! A unix socket: made so that nobody connects before its mode and group are set, and removed at the end.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown},
        net::{SocketAddr, UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

/// Groups of this host.
const GROUPS: &str = "/etc/group";

/// Where a unix socket is made, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocketSettings {
    /// Where it is made. The directory has to exist.
    pub path: PathBuf,
    /// Its permissions.
    pub mode: u32,
    /// Its group, by name or number; that of the process if none is given.
    pub group: Option<String>,
}

/// A bound unix socket. Its file is removed when this is dropped, if it still is the one that was made.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    file: SocketFile,
}

/// The file of a socket.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl UnixSocket {
    /// Binds the socket. What a socket of an agent that has ended left behind is removed, and nothing else.
    ///
    /// # Errors
    ///
    /// With what to do: if there is something else at the path, if somebody listens there, or if the directory or the
    /// group does not exist.
    pub fn bind(settings: &UnixSocketSettings) -> io::Result<Self> {
        let path = &settings.path;
        bind(settings).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    pub(crate) fn into_parts(self) -> (UnixListener, SocketFile) {
        (self.listener, self.file)
    }
}

fn bind(settings: &UnixSocketSettings) -> io::Result<UnixSocket> {
    let path = settings.path.as_path();
    // It is made under a shorter name and moved, which nobody hinders: but nobody could connect, nor find out that it is stale.
    SocketAddr::from_pathname(path)?;
    let group = settings.group.as_deref().map(group).transpose()?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    remove_stale(path)?;
    // Bound in a directory that nobody else may enter, and moved to its place once it is as it should be.
    let private = private_directory(directory)?;
    let made = private.0.join("s");
    let listener = UnixListener::bind(&made)?;
    if let Some(group) = group {
        chown(&made, None, Some(group))?;
    }
    fs::set_permissions(&made, fs::Permissions::from_mode(settings.mode))?;
    let metadata = fs::symlink_metadata(&made)?;
    fs::rename(&made, path)?;
    Ok(UnixSocket {
        listener,
        file: SocketFile {
            path: path.to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
        },
    })
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        let problem = "there is a file here that is no socket; remove it, or choose another path";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
    }
    match UnixStream::connect(path) {
        Ok(_) => {
            let problem = "somebody serves here already; end it, or choose another path";
            Err(io::Error::new(io::ErrorKind::AddrInUse, problem))
        }
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

/// A directory that is removed when this is dropped.
struct Private(PathBuf);

impl Drop for Private {
    fn drop(&mut self) {
        // Left behind it is in nobody's way.
        let _ = fs::remove_file(self.0.join("s"));
        let _ = fs::remove_dir(&self.0);
    }
}

fn private_directory(parent: &Path) -> io::Result<Private> {
    // A short name: the whole path of a socket has room for about a hundred bytes.
    let directory = parent.join(format!(".{:08x}", fastrand::u32(..)));
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&directory)?;
    Ok(Private(directory))
}

/// The number of a group that is given by name or number.
fn group(name: &str) -> io::Result<u32> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let groups = fs::read_to_string(GROUPS)?;
    let number = groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next() == Some(name)).then(|| parts.nth(1)?.parse().ok())?
    });
    number.ok_or_else(|| {
        let problem =
            format!("there is no group `{name}` in {GROUPS}; make it with `groupadd`, or give its number");
        io::Error::new(io::ErrorKind::NotFound, problem)
    })
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the unix socket is left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(path: PathBuf) -> UnixSocketSettings {
        UnixSocketSettings {
            path,
            mode: 0o660,
            group: None,
        }
    }

    fn problem(settings: &UnixSocketSettings) -> String {
        UnixSocket::bind(settings).unwrap_err().to_string()
    }

    #[test]
    fn it_has_its_mode_and_is_gone_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gpulse.sock");
        for mode in [0o600, 0o660, 0o666] {
            let socket = UnixSocket::bind(&UnixSocketSettings {
                mode,
                ..settings(path.clone())
            })
            .unwrap();
            assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o777, mode);
            UnixStream::connect(&path).unwrap();
            assert_eq!(
                fs::read_dir(directory.path()).unwrap().count(),
                1,
                "nothing else is left there"
            );
            drop(socket);
            assert!(!path.exists());
        }
    }

    #[test]
    fn what_an_ended_agent_left_behind_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gpulse.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let _socket = UnixSocket::bind(&settings(path.clone())).unwrap();
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn what_is_somebody_elses_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("precious");
        fs::write(&path, "data").unwrap();
        assert!(problem(&settings(path.clone())).contains("no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "data");

        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(problem(&settings(link)).contains("no socket"));

        let served = directory.path().join("served");
        let _other = UnixListener::bind(&served).unwrap();
        assert!(problem(&settings(served.clone())).contains("serves here already"));
        UnixStream::connect(&served).unwrap();
    }

    #[test]
    fn a_file_that_took_its_place_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gpulse.sock");
        let socket = UnixSocket::bind(&settings(path.clone())).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "data").unwrap();
        drop(socket);
        assert_eq!(fs::read_to_string(&path).unwrap(), "data");
    }

    #[test]
    fn a_path_that_nobody_can_connect_to_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x".repeat(108));
        let problem = problem(&settings(path.clone()));
        assert!(problem.contains("xxx: "), "{problem}");
        assert!(!path.exists());
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let nowhere = settings(directory.path().join("no/where"));
        assert!(problem(&nowhere).contains("no/where"), "{}", problem(&nowhere));
        let nobody = UnixSocketSettings {
            group: Some("no such group".to_owned()),
            ..settings(directory.path().join("s"))
        };
        assert!(problem(&nobody).contains("no such group"), "{}", problem(&nobody));
        assert_eq!(group("root").unwrap(), 0);
        assert_eq!(group("42").unwrap(), 42);
    }
}
