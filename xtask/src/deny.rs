//! Checks licences, sources and security advisories of the dependencies with cargo-deny (rules in `deny.toml`).

use std::env;
use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::project::{Project, in_ci};

/// Pinned, so that the same commit gets the same answer; raise it by hand.
const VERSION: &str = "0.20.2";

/// A network that swallows packets must not hold up everything else.
const FETCH_SECONDS: &str = "120";

/// Runs the checks. Without cargo-deny this is a loud remark on somebody's machine; in CI it is installed first.
pub(crate) fn run(project: &Project) -> Result<()> {
    let Some(tool) = find(project)? else {
        eprintln!(
            "WARNING: cargo-deny is not installed, so the dependencies' licences and sources were NOT checked."
        );
        eprintln!("  Install it (3 minutes): cargo install cargo-deny --locked --version {VERSION}");
        return Ok(());
    };
    let sh = &project.sh;
    cmd!(sh, "{tool} check bans licenses sources").run()?;

    // Fetching is a step of its own, so that an unreachable database and a finding stay different things.
    if cmd!(sh, "timeout {FETCH_SECONDS} {tool} fetch db")
        .ignore_stderr()
        .run()
        .is_err()
    {
        eprintln!(
            "WARNING: the advisory database cannot be fetched, so security advisories were NOT checked."
        );
        return Ok(());
    }
    cmd!(sh, "{tool} check --disable-fetch advisories").run()?;
    Ok(())
}

/// Looks in the target directory and on the `PATH`; installs into the former where CI is set.
fn find(project: &Project) -> Result<Option<PathBuf>> {
    let home = project.built("tools");
    let local = home.join("bin/cargo-deny");
    if local.is_file() {
        return Ok(Some(local));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(installed) = env::split_paths(&path)
        .map(|dir| dir.join("cargo-deny"))
        .find(|file| file.is_file())
    {
        return Ok(Some(installed));
    }
    if !in_ci() {
        return Ok(None);
    }
    let sh = &project.sh;
    cmd!(
        sh,
        "cargo install cargo-deny --locked --version {VERSION} --root {home}"
    )
    .run()?;
    Ok(Some(local))
}
