//! Sets up simulated GPUs: the library that lies beside the binary, in a directory of its own with its profile.
//!
//! The simulator reads its world from a file beside the path that it was loaded by. A private directory with a
//! link to the library gives each agent a world of its own, and a place from where faults can be switched.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::profiles::PROFILES;

/// The profile that `--simulate` means where none is named.
pub(crate) const DEFAULT_PROFILE: &str = "h100-sxm-8";

const LIBRARY: &str = "libnvml_sim.so";

/// Where the library lies, from the directory of the binary.
const PLACES: [&str; 2] = ["", "../lib/gpulse"];

/// The name under which clients look for NVML.
const LINK: &str = "libnvidia-ml.so.1";

/// The simulator's description of its world.
const WORLD: &str = "nvml-sim.toml";

/// A simulated world, for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Simulator {
    directory: TempDir,
}

/// Why there is no simulated world.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SimulatorError {
    /// No such profile.
    #[error("no profile is named `{0}`, and there is no such file; `gpulse profiles` lists them: {1}")]
    UnknownProfile(String, String),
    /// The library is not installed.
    #[error("{LIBRARY} is not beside the binary ({0}); build it with `cargo build -p nvml-sim`")]
    NoLibrary(PathBuf),
    /// The directory cannot be made.
    #[error("the simulator's directory cannot be made: {0}; TMPDIR names another place for it")]
    Directory(io::Error),
}

impl Simulator {
    /// Sets up a world with `profile`: a name, or the path of a profile file.
    pub(crate) fn set_up(profile: &str) -> Result<Self, SimulatorError> {
        let profile = resolve(profile)?;
        let library = library()?;
        let directory = tempfile::Builder::new()
            .prefix("gpulse-sim-")
            .tempdir()
            .map_err(SimulatorError::Directory)?;
        symlink(library, directory.path().join(LINK)).map_err(SimulatorError::Directory)?;
        let quoted = serde_json::to_string(&profile).unwrap_or_default();
        fs::write(directory.path().join(WORLD), format!("profile = {quoted}\n"))
            .map_err(SimulatorError::Directory)?;
        Ok(Self { directory })
    }

    /// The library to load.
    pub(crate) fn library(&self) -> PathBuf {
        self.directory.path().join(LINK)
    }

    /// Where faults are switched.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// A known name as it is, a file by its full path.
fn resolve(profile: &str) -> Result<String, SimulatorError> {
    if PROFILES.iter().any(|(name, _)| *name == profile) {
        return Ok(profile.to_owned());
    }
    match fs::canonicalize(profile) {
        Ok(path) if path.is_file() => Ok(path.display().to_string()),
        _ => {
            let names: Vec<_> = PROFILES.iter().map(|(name, _)| *name).collect();
            Err(SimulatorError::UnknownProfile(
                profile.to_owned(),
                names.join(", "),
            ))
        }
    }
}

fn library() -> Result<PathBuf, SimulatorError> {
    let binary = std::env::current_exe()
        .and_then(fs::canonicalize)
        .map_err(SimulatorError::Directory)?;
    let beside = binary.parent().unwrap_or(Path::new("/"));
    PLACES
        .iter()
        .map(|place| beside.join(place).join(LIBRARY))
        .find(|path| path.is_file())
        .ok_or_else(|| SimulatorError::NoLibrary(beside.to_owned()))
}

/// The profiles, a line each.
pub(crate) fn list() -> String {
    let width = PROFILES
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    PROFILES
        .iter()
        .map(|(name, description)| format!("{name:width$}  {description}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_profile_is_refused_with_the_known_names() {
        let error = resolve("h1000").unwrap_err().to_string();
        assert!(
            error.contains("h1000") && error.contains(DEFAULT_PROFILE),
            "{error}"
        );
    }

    #[test]
    fn a_profile_file_is_taken_by_its_full_path() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(
            resolve(path).unwrap(),
            fs::canonicalize(path).unwrap().display().to_string()
        );
    }

    #[test]
    fn every_profile_has_a_line() {
        assert_eq!(list().lines().count(), PROFILES.len());
    }
}
