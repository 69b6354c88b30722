//! `cargo xtask test`: everything that has to pass, with what it needs set up first.

use anyhow::Result;
use xshell::cmd;

use crate::project::Project;
use crate::{browser, engines, foreign, nvidia, python, tmux};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Arguments of `cargo test`, such as `-p gpulse-api` or a part of a test's name.
    #[arg(last = true, value_name = "CARGO TEST ARGS")]
    cargo: Vec<String>,
}

/// Runs the unit, integration and documentation tests of the whole workspace, or what the arguments select.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    run_selected(project, &args.cargo)
}

/// Runs all tests to the end, so that one run shows every failure.
pub(crate) fn run_all(project: &Project) -> Result<()> {
    run_selected(project, &["--no-fail-fast".to_owned()])
}

fn run_selected(project: &Project, args: &[String]) -> Result<()> {
    let sh = &project.sh;
    let python = python::prepare(project)?;
    let engines = engines::prepare(project, python.as_deref(), args)?;
    let _engines = engines.map(|path| sh.push_env(engines::VARIABLE, path));
    let _python = python.map(|path| sh.push_env(python::VARIABLE, path));
    let _crates = foreign::prepare(project, args)?.map(|path| sh.push_env(foreign::VARIABLE, path));
    let _tmux = tmux::prepare(project, args)?.map(|path| sh.push_env(tmux::VARIABLE, path));
    let _nvml = nvidia::prepare(project, args)?.map(|path| sh.push_env(nvidia::VARIABLE, path));
    let _browser = browser::prepare(project, args)?.map(|path| sh.push_env(browser::VARIABLE, path));
    let workspace = (!selects_packages(args)).then_some("--workspace");
    // Without further selection cargo runs the libraries', binaries' and integration tests, builds the examples and
    // ends with the documentation tests; benches stay out.
    cmd!(sh, "cargo test {workspace...} {args...}").run()?;
    Ok(())
}

/// Whether the arguments name packages themselves, in which case the whole workspace would be too much.
fn selects_packages(args: &[String]) -> bool {
    args.iter()
        .any(|arg| arg.starts_with("--package") || (arg.starts_with("-p") && !arg.starts_with("--")))
}

#[cfg(test)]
mod tests {
    use super::selects_packages;

    #[test]
    fn a_named_package_replaces_the_workspace() {
        let selects = |line: &str| selects_packages(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(selects("-p gpulse-api"));
        assert!(selects("--package=gpulse-api --lib"));
        assert!(!selects("--no-fail-fast"));
        assert!(!selects("render"));
    }
}
