//! Finding the built library, and taking names out of a copy of it.

use std::path::{Path, PathBuf};

use super::SimulatorError;

const FILE: &str = "libnvml_sim.so";

/// Names the library when it is not beside the program.
const VARIABLE: &str = "NVML_SIM_LIBRARY";

/// The library that was built together with this program: beside it (tests), or below it (binaries).
pub(super) fn find() -> Result<PathBuf, SimulatorError> {
    let named = std::env::var_os(VARIABLE)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let searched: Vec<PathBuf> = match named {
        Some(path) => vec![path],
        None => beside_the_program(),
    };
    let found = searched.iter().find(|path| path.is_file()).cloned();
    found.ok_or(SimulatorError::NoLibrary { searched })
}

fn beside_the_program() -> Vec<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    let Some(dir) = program.parent() else {
        return Vec::new();
    };
    // Cargo builds into `deps`, and links the result of some builds one level up, which may be an older one.
    let mut places = vec![dir.join(FILE), dir.join("deps").join(FILE)];
    if let Some(above) = dir.parent() {
        // Examples have a directory of their own.
        places.push(above.join("deps").join(FILE));
        places.push(above.join(FILE));
    }
    if !dir.ends_with("deps") {
        places.swap(0, 1);
    }
    places
}

/// Takes exported names out of a library that is not loaded yet: in its tables of names, their first letter changes.
/// A loader that looks for such a name finds nothing, and everything else stays where it is.
pub(super) fn hide(library: &Path, names: &[String]) -> Result<(), SimulatorError> {
    if names.is_empty() {
        return Ok(());
    }
    if let Some(unknown) = names.iter().find(|name| !crate::names().contains(&name.as_str())) {
        return Err(SimulatorError::Invalid(format!(
            "`{unknown}` is not a function of NVML"
        )));
    }
    let at = |source| SimulatorError::File {
        path: library.to_path_buf(),
        source,
    };
    let mut bytes = std::fs::read(library).map_err(at)?;
    for text in bytes.split_mut(|byte| *byte == 0) {
        if names.iter().any(|name| name.as_bytes() == text) {
            text[0] = b'x';
        }
    }
    std::fs::write(library, bytes).map_err(at)
}
