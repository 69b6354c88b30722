//! tmux, in which the tests of `gpulse top` press keys: that of this machine, or installed by apt-get.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use xshell::cmd;

use crate::foreign;
use crate::project::{Project, in_ci};

/// The program that the tests run. They skip themselves where there is none.
pub(crate) const VARIABLE: &str = "GPULSE_TEST_TMUX";

/// Debian's package, and its program.
const NAME: &str = "tmux";

/// Finds the program, or installs it where this is root: unlike an engine it starts no service. `None` where no test that
/// needs it is selected by `args`; and, said loudly, where that fails on somebody's machine: in CI it is an error, because
/// nothing may be skipped unseen there.
pub(crate) fn prepare(project: &Project, args: &[String]) -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE) {
        return Ok(Some(PathBuf::from(given)));
    }
    if !foreign::is_needed(args) {
        return Ok(None);
    }
    let error = match find().map_or_else(|| install(project), Ok) {
        Ok(program) => return Ok(Some(program)),
        Err(error) => error,
    };
    if in_ci() {
        return Err(error.context("tmux for the tests of `gpulse top` (an error because CI is set)"));
    }
    eprintln!("======================================================================");
    eprintln!("WARNING: there is no tmux:");
    eprintln!("  {error:#}");
    eprintln!("SKIPPED because of that: the tests of `gpulse top` in a terminal.");
    eprintln!("Needed: tmux. Or set {VARIABLE} to the path of the program.");
    eprintln!("======================================================================");
    Ok(None)
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|place| place.join(NAME))
        .find(|program: &PathBuf| Path::is_file(program))
}

fn install(project: &Project) -> Result<PathBuf> {
    let sh = &project.sh;
    let install = || {
        cmd!(
            sh,
            "apt-get install --quiet --quiet --yes --no-install-recommends {NAME}"
        )
        .run()
    };
    if install().is_err() {
        // On a fresh machine apt does not know what there is.
        cmd!(sh, "apt-get update --quiet --quiet").run()?;
        install()?;
    }
    match find() {
        Some(program) => Ok(program),
        None => bail!("apt-get has installed no {NAME}"),
    }
}
