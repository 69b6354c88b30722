//! A directory with the simulator and a world that counts calls.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result, bail};

use crate::project::Project;

/// The name under which clients look for NVML.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// The simulator's library, which cargo puts beside the agent.
const BUILT: &str = "libnvml_sim.so";

/// Says that a file of counters is one, and its layout, which crates/nvml-sim/src/control/counters.rs describes.
const MAGIC: u64 = 0x016D_6973_6C6D_766E;

/// Words before the counters.
const HEADER: usize = 8;

/// A simulated world; its directory is removed when dropped.
pub(crate) struct World {
    directory: PathBuf,
}

impl World {
    /// Sets up the simulator that was built beside `binary` with a profile: a name, or the path of a file.
    pub(crate) fn set_up(project: &Project, binary: &Path, profile: &str) -> Result<Self> {
        let is_path = profile.contains('/') || profile.ends_with(".toml");
        let profile = if is_path {
            let path = fs::canonicalize(profile).with_context(|| profile.to_owned())?;
            path.to_str().context("a profile's path is a text")?.to_owned()
        } else {
            profile.to_owned()
        };
        let directory = project.built(format!("tmp/bench-{}", process::id()));
        fs::create_dir_all(&directory)?;
        let world = Self { directory };
        symlink(binary.with_file_name(BUILT), world.library())?;
        // A string of JSON is one of TOML.
        let quoted = serde_json::to_string(&profile)?;
        fs::write(
            world.directory.join("nvml-sim.toml"),
            format!("profile = {quoted}\ncounters = true\n"),
        )?;
        Ok(world)
    }

    /// The library to load.
    pub(crate) fn library(&self) -> PathBuf {
        self.directory.join(LIBRARY)
    }

    /// How many calls there have been.
    pub(crate) fn calls(&self) -> Result<u64> {
        let path = self.directory.join("nvml-sim.calls");
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        calls(&bytes)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What stays lies below `target`.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn calls(bytes: &[u8]) -> Result<u64> {
    let words = bytes
        .chunks_exact(8)
        .map(|word| word.try_into().map(u64::from_le_bytes));
    let words: Vec<u64> = words.collect::<Result<_, _>>()?;
    if words.first() != Some(&MAGIC) || words.len() < HEADER {
        bail!("this is no file of call counters, or one of another layout");
    }
    Ok(words[HEADER..].iter().sum())
}

#[cfg(test)]
mod tests {
    use super::{HEADER, MAGIC, calls};

    #[test]
    fn the_counters_of_all_functions_add_up() {
        let mut words = vec![0_u64; HEADER];
        words[0] = MAGIC;
        words[4] = 1_764_000_000_000;
        words.extend([1, 20, 300]);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(calls(&bytes).unwrap(), 321);
        assert!(calls(&bytes[8..]).is_err());
        assert!(calls(&[]).is_err());
    }
}
