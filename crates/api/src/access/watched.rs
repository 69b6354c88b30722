//! What is read from files and read again when they change, without a restart.
//!
//! What cannot be used is reported, and what was there before stays: a mistake in a file takes nobody's access away,
//! nor the agent's certificate. Nor does a file that is being written: half of it may make sense, and none of it says that nobody
//! has access. So a change counts once a file is the same at two looks and while it is read, or at once for whoever asks for it. Whoever writes
//! for longer than that should rename a file that is complete.

use std::{
    fs,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, SystemTime},
};

use arc_swap::{ArcSwap, Guard};

/// How often it is looked whether a file has changed.
const PERIOD: Duration = Duration::from_secs(2);

/// Bytes of a file that are read: a hundred times what certificates and hashes of a large site take.
const LARGEST: u64 = 1 << 20;

/// A value that was read from files.
pub(crate) struct Watched<T> {
    what: &'static str,
    files: Vec<PathBuf>,
    load: Box<dyn Fn() -> io::Result<T> + Send + Sync>,
    current: ArcSwap<T>,
    seen: Mutex<Seen>,
}

/// The files as they were at two looks.
struct Seen {
    /// When they were read.
    read: Vec<Option<Signature>>,
    /// Last time.
    last: Vec<Option<Signature>>,
}

impl Seen {
    /// Whether files that look like this `now` are to be read.
    fn has_changed(&mut self, now: &[Option<Signature>]) -> bool {
        let is_settled = self.last == now;
        self.last = now.to_vec();
        is_settled && self.read != now
    }
}

/// What tells a file from the one before. A symbolic link is followed: Kubernetes replaces its secrets by one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    device: u64,
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
    changed: (i64, i64),
}

impl Signature {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

impl<T> Watched<T> {
    /// Reads the files for the first time.
    ///
    /// # Errors
    ///
    /// Those of `load`.
    pub(crate) fn open(
        what: &'static str,
        files: Vec<PathBuf>,
        load: impl Fn() -> io::Result<T> + Send + Sync + 'static,
    ) -> io::Result<Arc<Self>> {
        // First the signature: a file that changes while it is read is read once more.
        let read: Vec<_> = files.iter().map(|path| Signature::of(path)).collect();
        let current = ArcSwap::from_pointee(load()?);
        Ok(Arc::new(Self {
            what,
            files,
            load: Box::new(load),
            current,
            seen: Mutex::new(Seen {
                last: read.clone(),
                read,
            }),
        }))
    }

    /// Reads one text file for the first time.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or `parse` does not understand it.
    pub(crate) fn of_text(
        what: &'static str,
        path: &Path,
        parse: impl Fn(&str) -> Result<T, String> + Send + Sync + 'static,
    ) -> io::Result<Arc<Self>> {
        let file = path.to_owned();
        Self::open(what, vec![path.to_owned()], move || {
            warn_if_open(&file);
            let text = String::from_utf8(read(&file)?);
            let text = text.map_err(|_| in_file(&file, "it is no UTF-8 text"))?;
            parse(&text).map_err(|problem| in_file(&file, problem))
        })
    }

    fn signatures(&self) -> Vec<Option<Signature>> {
        self.files.iter().map(|path| Signature::of(path)).collect()
    }

    /// The value of now.
    pub(crate) fn current(&self) -> Guard<Arc<T>> {
        self.current.load()
    }

    /// The value of now, to be kept.
    pub(crate) fn current_full(&self) -> Arc<T> {
        self.current.load_full()
    }
}

/// Looks whether files have changed.
pub(crate) trait Look: Send + Sync {
    /// Reads them again if they have and are not being written any more, or if that is `wanted`.
    fn look(&self, wanted: bool);
}

impl<T: Send + Sync> Look for Watched<T> {
    fn look(&self, wanted: bool) {
        let now = self.signatures();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = seen.has_changed(&now);
        if !wanted && !has_changed {
            return;
        }
        let loaded = (self.load)();
        if !wanted && self.signatures() != now {
            // It is being written after all: the next looks tell.
            return;
        }
        seen.read = now;
        match loaded {
            Ok(value) => {
                self.current.store(Arc::new(value));
                tracing::info!(what = self.what, files = ?self.files, "read again");
            }
            Err(error) => {
                tracing::error!(what = self.what, %error, "cannot be read again: what was read before stays in use");
            }
        }
    }
}

/// Reads a file whole, unless it is too large to be what it should be. A pipe is none: to open it waits for who writes, for ever if
/// nobody does, and it can be read once.
///
/// # Errors
///
/// With the file's name.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(in_file(
            path,
            "it is no regular file: it has to be one, which is read again whenever it changes",
        ));
    }
    let length = fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    if length as u64 > LARGEST {
        return Err(in_file(path, format!("it is larger than {LARGEST} bytes")));
    }
    Ok(bytes)
}

/// A file that holds something wrong.
pub(crate) fn in_file(path: &Path, problem: impl std::fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{}: {problem}", path.display()),
    )
}

/// Says that a file with secrets can be read by everybody on this host.
pub fn warn_if_open(path: &Path) {
    if fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o004 != 0) {
        tracing::warn!(file = %path.display(), "everybody on this host can read this file with secrets: `chmod o-r` closes it");
    }
}

/// The thread that looks. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    /// Room for one: who asks while a look is due is served by it.
    wake: Option<mpsc::SyncSender<()>>,
}

impl Watcher {
    /// Looks at all of `watched` from now on; does nothing if there is nothing to look at.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub(crate) fn start(watched: Vec<Arc<dyn Look>>) -> io::Result<Self> {
        if watched.is_empty() {
            return Ok(Self { wake: None });
        }
        let (wake, woken) = mpsc::sync_channel(1);
        // A thread of its own: a file system that hangs then holds up nothing else.
        thread::Builder::new().name("files".to_owned()).spawn(move || {
            loop {
                let wanted = match woken.recv_timeout(PERIOD) {
                    Ok(()) => true,
                    Err(mpsc::RecvTimeoutError::Timeout) => false,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                };
                for watched in &watched {
                    watched.look(wanted);
                }
            }
        })?;
        Ok(Self { wake: Some(wake) })
    }

    /// Has all files read again now, changed or not.
    pub(crate) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // Full: a look is due anyway.
            let _ = wake.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn number(text: &str) -> Result<u32, String> {
        text.trim().parse().map_err(|_| "it is no number".to_owned())
    }

    fn watched(path: &Path) -> Arc<Watched<u32>> {
        Watched::of_text("a number", path, number).unwrap()
    }

    #[test]
    fn a_change_counts_once_it_has_settled_and_a_mistake_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        fs::write(&path, "1").unwrap();
        let watched = watched(&path);
        for (text, expected) in [("22", 22), ("three", 22), ("4444", 4444)] {
            fs::write(&path, text).unwrap();
            watched.look(false);
            watched.look(false);
            assert_eq!(**watched.current(), expected);
        }
        fs::remove_file(&path).unwrap();
        watched.look(false);
        watched.look(false);
        assert_eq!(**watched.current(), 4444);
    }

    #[test]
    fn a_file_that_is_being_written_is_not_read_unless_somebody_asks_for_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        fs::write(&path, "12345").unwrap();
        let watched = watched(&path);
        for written in ["6", "67", "678"] {
            fs::write(&path, written).unwrap();
            watched.look(false);
            assert_eq!(**watched.current(), 12345);
        }
        watched.look(false);
        assert_eq!(**watched.current(), 678);
        fs::write(&path, "9").unwrap();
        watched.look(true);
        assert_eq!(**watched.current(), 9);
    }

    #[test]
    fn what_changes_while_it_is_read_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        fs::write(&path, "1").unwrap();
        let (file, is_written) = (path.clone(), Arc::new(AtomicBool::new(false)));
        let being_written = Arc::clone(&is_written);
        let watched = Watched::open("a number", vec![path.clone()], move || {
            let text = fs::read_to_string(&file)?;
            if being_written.swap(false, Ordering::Relaxed) {
                fs::write(&file, "4444")?;
            }
            Ok(text)
        });
        let watched = watched.unwrap();
        fs::write(&path, "22").unwrap();
        watched.look(false);
        is_written.store(true, Ordering::Relaxed);
        watched.look(false);
        assert_eq!(**watched.current(), "1", "it was written while it was read");
        watched.look(false);
        watched.look(false);
        assert_eq!(**watched.current(), "4444");
    }

    #[test]
    fn a_pipe_keeps_nobody_from_reading_what_takes_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        fs::write(&path, "1").unwrap();
        let watched = watched(&path);
        fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        watched.look(true);
        assert_eq!(**watched.current(), 1);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "2").unwrap();
        watched.look(true);
        assert_eq!(**watched.current(), 2);
    }

    #[test]
    fn a_link_that_is_turned_counts_as_a_change() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second, link) = ("first", "second", directory.path().join("link"));
        fs::write(directory.path().join(first), "1").unwrap();
        fs::write(directory.path().join(second), "2").unwrap();
        std::os::unix::fs::symlink(first, &link).unwrap();
        let watched = watched(&link);
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(second, &link).unwrap();
        watched.look(false);
        watched.look(false);
        assert_eq!(**watched.current(), 2);
    }

    #[test]
    fn what_is_wrong_at_the_start_is_an_error_with_the_files_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        let open = || {
            Watched::of_text("a number", &path, number)
                .err()
                .unwrap()
                .to_string()
        };
        assert!(open().contains("number"), "{}", open());
        fs::write(&path, "x").unwrap();
        assert!(open().contains("it is no number"), "{}", open());
        fs::write(&path, [0xff]).unwrap();
        assert!(open().contains("no UTF-8"), "{}", open());
        fs::write(&path, vec![b'1'; 1 + LARGEST as usize]).unwrap();
        assert!(open().contains("larger than"), "{}", open());
    }
}
