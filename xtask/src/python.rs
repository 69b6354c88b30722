//! The Python environment of the tests: foreign NVML clients and strict HTTP clients, in a venv below `target`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::project::{Project, in_ci};

/// Tests that need Python read the interpreter from here and skip themselves without it.
pub(crate) const VARIABLE: &str = "GPULSE_TEST_PYTHON";

const REQUIREMENTS: &str = "tests/requirements.txt";

/// Makes the environment, or finds the one of the last time, and returns its interpreter. `None`, said loudly, where
/// that fails on somebody's machine; an error in CI, where nothing may be skipped unseen.
pub(crate) fn prepare(project: &Project) -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE) {
        return Ok(Some(PathBuf::from(given)));
    }
    let error = match make(project) {
        Ok(python) => return Ok(Some(python)),
        Err(error) => error,
    };
    if in_ci() {
        return Err(error.context("the tests' Python environment (an error because CI is set)"));
    }
    eprintln!("======================================================================");
    eprintln!("WARNING: the tests' Python environment could not be made:");
    eprintln!("  {error:#}");
    eprintln!("SKIPPED because of that: every test that runs Python, which are those of the");
    eprintln!("  simulated library with foreign clients (nvidia-ml-py, gpustat, nvitop) and");
    eprintln!("  those of the REST contract with strict models (pydantic) and with what fits, and");
    eprintln!("  what does not fit, the OpenAPI document (schemathesis).");
    eprintln!("Needed: python3 with its venv module, and a way to PyPI. Or set {VARIABLE}");
    eprintln!("  to an interpreter that has the packages of {REQUIREMENTS}.");
    eprintln!("======================================================================");
    Ok(None)
}

fn make(project: &Project) -> Result<PathBuf> {
    let requirements = project.root.join(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements).with_context(|| format!("reading {REQUIREMENTS}"))?;
    let home = project.built("test-env");
    let (venv, stamp) = (home.join("venv"), home.join("stamp"));
    let python = venv.join("bin/python");
    if is_current(&stamp, &wanted) && python.exists() {
        return Ok(python);
    }

    // Without the stamp an environment that was interrupted half-way is made again.
    fs::create_dir_all(&home)?;
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    let sh = &project.sh;
    cmd!(sh, "python3 -m venv --clear {venv}").run()?;
    cmd!(
        sh,
        "{python} -m pip install --quiet --disable-pip-version-check --requirement {requirements}"
    )
    .run()?;
    if !python.exists() {
        bail!("{} was not made", python.display());
    }
    fs::write(&stamp, wanted)?;
    Ok(python)
}

/// The stamp holds the very requirements that the environment was made from.
fn is_current(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|made| made == wanted)
}
