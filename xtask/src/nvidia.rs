//! NVIDIA's own NVML libraries for the tests: out of Debian's packages, below `target`, installed nowhere.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::foreign;
use crate::project::{Project, in_ci};

/// Tests that need the libraries find them in the directory that this names, as `libnvidia-ml.so.VERSION`. They skip
/// themselves without it, and where it says `skip`.
pub(crate) const VARIABLE: &str = "GPULSE_TEST_NVML";

/// Suites of Debian and packages, the oldest branch of the driver first: 470, 525, 535 and 550. Debian keeps but the last
/// update of each, so that no exact version can be asked for.
const PACKAGES: [(&str, &str); 4] = [
    ("bookworm", "libnvidia-tesla-470-ml1"),
    ("bookworm", "libnvidia-tesla-ml1"),
    ("bookworm", "libnvidia-ml1"),
    ("trixie", "libnvidia-ml1"),
];

/// Where these packages are. The machine's own list of sources has this component only if somebody wanted it.
const ARCHIVE: (&str, &str) = ("http://deb.debian.org/debian", "non-free");

/// The keys that Debian signs with. Elsewhere those count that the machine trusts.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Every library's name begins like this, and goes on with its version.
const NAME: &str = "libnvidia-ml.so.";

/// Gets the libraries, or finds those of the last time, and returns where they lie. `None` where no test that needs them is
/// selected by `args`; and, said loudly, where that fails on somebody's machine: in CI it is an error, because nothing may be
/// skipped unseen there.
pub(crate) fn prepare(project: &Project, args: &[String]) -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE) {
        return Ok(Some(PathBuf::from(given)));
    }
    if !foreign::is_needed(args) {
        return Ok(None);
    }
    let home = project.built("test-env/nvml");
    let error = match get(project, &home) {
        Ok(()) => return Ok(Some(home)),
        Err(error) => error,
    };
    if in_ci() {
        return Err(error.context(format!(
            "NVIDIA's own NVML libraries (an error because CI is set; {VARIABLE}=skip leaves their tests out)"
        )));
    }
    eprintln!("======================================================================");
    eprintln!("WARNING: NVIDIA's own NVML libraries could not be had:");
    eprintln!("  {error:#}");
    eprintln!("SKIPPED because of that: the tests of the agent over them.");
    eprintln!("Needed: apt-get, dpkg-deb and a way to Debian's packages. Or set {VARIABLE}");
    eprintln!("  to a directory with files {NAME}VERSION.");
    eprintln!("======================================================================");
    Ok(None)
}

/// Nothing outside of `home` is written: what sources there are, the lists of packages and the packages are all in it.
fn get(project: &Project, home: &Path) -> Result<()> {
    let (stamp, wanted) = (home.join("stamp"), format!("{PACKAGES:?}"));
    let is_current = fs::read_to_string(&stamp).is_ok_and(|got| got == wanted);
    if is_current && libraries(home)?.len() == PACKAGES.len() {
        return Ok(());
    }
    if home.exists() {
        fs::remove_dir_all(home)?;
    }
    let packages = home.join("packages");
    download(project, home, &packages)?;
    let sh = &project.sh;
    for package in fs::read_dir(&packages)? {
        let (package, content) = (package?.path(), home.join("content"));
        cmd!(sh, "dpkg-deb --extract {package} {content}").run()?;
        let found = libraries(&content)?;
        let [library] = found.as_slice() else {
            bail!("{} has not one library but {found:?}", package.display());
        };
        let name = library.file_name().unwrap_or_default();
        fs::copy(library, home.join(name))?;
        fs::remove_dir_all(&content)?;
    }
    fs::remove_dir_all(&packages)?;
    let count = libraries(home)?.len();
    if count != PACKAGES.len() {
        bail!("{} packages hold {count} different libraries", PACKAGES.len());
    }
    fs::write(stamp, wanted)?;
    Ok(())
}

/// Downloads the packages as the machine's own apt does, from a list of sources of the tests'.
fn download(project: &Project, home: &Path, packages: &Path) -> Result<()> {
    let (lists, cache) = (home.join("apt/lists"), home.join("apt/cache"));
    for directory in [&lists.join("partial"), &cache.join("archives/partial"), packages] {
        fs::create_dir_all(directory)?;
    }
    let sources = home.join("apt/sources.list");
    fs::write(&sources, sources_list())?;
    let options: Vec<String> = [
        ("Dir::Etc::SourceList", path(&sources)?),
        ("Dir::Etc::SourceParts", "-"),
        ("Dir::State::Lists", path(&lists)?),
        ("Dir::Cache", path(&cache)?),
        // The user of apt's sandbox cannot write below `target`.
        ("APT::Sandbox::User", "root"),
        ("APT::Update::Error-Mode", "any"),
        ("Acquire::Retries", "3"),
        ("Acquire::Languages", "none"),
        ("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false"),
    ]
    .into_iter()
    .map(|(key, value)| format!("--option={key}={value}"))
    .collect();
    let sh = &project.sh;
    let options = &options;
    cmd!(sh, "apt-get {options...} -qq update").run()?;
    let wanted = PACKAGES.map(|(suite, package)| format!("{package}/{suite}"));
    let _there = sh.push_dir(packages);
    cmd!(sh, "apt-get {options...} -qq download {wanted...}").run()?;
    fs::remove_dir_all(home.join("apt"))?;
    Ok(())
}

/// One line of the tests' list of sources for each suite.
fn sources_list() -> String {
    let (archive, component) = ARCHIVE;
    let keys = if Path::new(KEYRING).exists() {
        format!("[signed-by={KEYRING}] ")
    } else {
        String::new()
    };
    let mut suites = PACKAGES.map(|(suite, _)| suite).to_vec();
    suites.dedup();
    suites
        .iter()
        .map(|suite| format!("deb {keys}{archive} {suite} {component}\n"))
        .collect()
}

/// The libraries in a directory and below it, without the links to them.
fn libraries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(libraries(&entry.path())?);
        } else if kind.is_file() && is_library(&entry.file_name()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn is_library(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(NAME))
}

fn path(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is no text, which apt's options are", path.display()))
}

#[cfg(test)]
mod tests {
    use super::sources_list;

    #[test]
    fn every_suite_is_a_source_once() {
        let list = sources_list();
        let suites: Vec<_> = list
            .lines()
            .filter_map(|line| line.split(' ').rev().nth(1))
            .collect();
        assert_eq!(suites, ["bookworm", "trixie"]);
    }
}
