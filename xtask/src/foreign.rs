//! Foreign programs that the tests run over the simulated library: crates of others, installed below `target`.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;
use xshell::cmd;

use crate::project::{Project, in_ci};

/// Tests that need these programs find them in `bin` of the directory that this names, and skip themselves without it.
pub(crate) const VARIABLE: &str = "GPULSE_TEST_CRATES";

/// Exact versions: the same commit gets the same answer.
const CRATES: [&str; 2] = ["nvidia-gpu-exporter@=1.0.0", "zeusd@=0.5.0"];

/// The package whose tests run them.
const NEEDED_BY: &str = "gpulse-e2e";

/// Installs the programs, or finds those of the last time, and returns where they lie. `None` where no test that needs them
/// is selected by `args`; and, said loudly, where that fails on somebody's machine: in CI it is an error, because nothing
/// may be skipped unseen there.
pub(crate) fn prepare(project: &Project, args: &[String]) -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE) {
        return Ok(Some(PathBuf::from(given)));
    }
    if !is_needed(args) {
        return Ok(None);
    }
    let home = project.built("test-env/crates");
    let error = match install(project, &home) {
        Ok(()) => return Ok(Some(home)),
        Err(error) => error,
    };
    if in_ci() {
        return Err(error.context("the foreign programs of the tests (an error because CI is set)"));
    }
    eprintln!("======================================================================");
    eprintln!("WARNING: the foreign programs of the tests could not be installed:");
    eprintln!("  {error:#}");
    eprintln!("SKIPPED because of that: the tests of the simulated library with");
    eprintln!("  {}.", CRATES.join(" and "));
    eprintln!("Needed: a way to crates.io. Or set {VARIABLE} to a directory that has the");
    eprintln!("  programs in bin.");
    eprintln!("======================================================================");
    Ok(None)
}

/// Cargo leaves a program alone that it installed in this very version. The first time takes some minutes, less without
/// optimising and without what a debugger needs.
fn install(project: &Project, home: &Path) -> Result<()> {
    let sh = &project.sh;
    let _small = sh.push_env("CARGO_PROFILE_DEV_DEBUG", "0");
    cmd!(sh, "cargo install --quiet --locked --debug --root {home}")
        .args(CRATES)
        .run()?;
    Ok(())
}

/// Whether the arguments of `cargo test` select the tests that run them: they do unless they name other packages only.
pub(crate) fn is_needed(args: &[String]) -> bool {
    let named = args
        .iter()
        .enumerate()
        .filter_map(|(place, arg)| match arg.as_str() {
            "-p" | "--package" => args.get(place + 1).map(String::as_str),
            arg => arg
                .strip_prefix("--package=")
                .or_else(|| arg.strip_prefix("-p").filter(|name| !name.is_empty())),
        });
    let mut named = named.peekable();
    named.peek().is_none() || named.any(|name| name == NEEDED_BY)
}

#[cfg(test)]
mod tests {
    use super::is_needed;

    #[test]
    fn other_packages_need_no_foreign_programs() {
        let needed = |line: &str| is_needed(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert!(needed(""));
        assert!(needed("--no-fail-fast nvtop"));
        assert!(needed("-p gpulse-api -p gpulse-e2e"));
        assert!(needed("--package=gpulse-e2e"));
        assert!(!needed("-p gpulse-api"));
        assert!(!needed("-pgpulse-api"));
        assert!(!needed("--package=gpulse-api --lib"));
    }
}
