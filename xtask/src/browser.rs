//! What drives the dashboard in a browser: Debian's chromium, and packages of npm's below `target`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::foreign;
use crate::project::{Project, in_ci};

/// Tests that need a browser find the packages in the directory that this names, and skip themselves without it.
pub(crate) const VARIABLE: &str = "GPULSE_TEST_BROWSER";

/// Where the packages are listed, with their exact versions and the hashes of what is brought.
const LISTED: &str = "tests/dashboard";

const LISTS: [&str; 2] = ["package.json", "package-lock.json"];

/// Where Debian's package puts it.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Brings browser and packages together and returns where the latter lie. `None` where no test that needs them is selected by
/// `args`; and, said loudly, where that fails on somebody's machine: in CI it is an error, because nothing may be skipped
/// unseen there.
pub(crate) fn prepare(project: &Project, args: &[String]) -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE) {
        return Ok(Some(PathBuf::from(given)));
    }
    if !foreign::is_needed(args) {
        return Ok(None);
    }
    let home = project.built("test-env/browser");
    let error = match gather(project, &home) {
        Ok(()) => return Ok(Some(home)),
        Err(error) => error,
    };
    if in_ci() {
        return Err(error.context("the browser of the tests (an error because CI is set)"));
    }
    eprintln!("======================================================================");
    eprintln!("WARNING: there is no browser for the tests:");
    eprintln!("  {error:#}");
    eprintln!("SKIPPED because of that: every test of the dashboard in a browser.");
    eprintln!("Needed: Debian's package chromium, Node.js 20 or later with npm, and a way to npm's");
    eprintln!("  registry once. Or set {VARIABLE} to a directory with the packages of");
    eprintln!("  {LISTED}/package.json.");
    eprintln!("======================================================================");
    Ok(None)
}

fn gather(project: &Project, home: &Path) -> Result<()> {
    let sh = &project.sh;
    if !Path::new(CHROMIUM).exists() {
        install(project).context("Debian's package chromium")?;
    }
    let listed = project.root.join(LISTED);
    let wanted = fs::read_to_string(listed.join(LISTS[1]))?;
    let stamp = home.join("stamp");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    fs::create_dir_all(home)?;
    // Without the stamp what was interrupted half-way is brought again.
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    for list in LISTS {
        fs::copy(listed.join(list), home.join(list))?;
    }
    let _there = sh.push_dir(home);
    cmd!(
        sh,
        "npm ci --no-audit --no-fund --ignore-scripts --loglevel=error"
    )
    .run()?;
    fs::write(&stamp, wanted)?;
    Ok(())
}

/// It depends on half a desktop, so that it cannot just be unpacked like the engines. Nobody's machine is changed unasked.
fn install(project: &Project) -> Result<()> {
    if !in_ci() {
        bail!("{CHROMIUM} is not there; it is installed by `apt-get install chromium`");
    }
    let sh = &project.sh;
    let _quiet = sh.push_env("DEBIAN_FRONTEND", "noninteractive");
    let get = || {
        cmd!(
            sh,
            "apt-get install --yes --quiet --quiet --no-install-recommends chromium"
        )
    };
    if get().ignore_stderr().run().is_err() {
        // On a fresh machine apt does not know what there is.
        cmd!(sh, "apt-get update --quiet --quiet").run()?;
        get().run()?;
    }
    Ok(())
}
