//! `cargo xtask codegen`: writes the files that are generated from code, or says which of them are out of date.

mod dashboards;
mod diff;
mod profiles;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::agent::Agent;
use crate::project::{Project, TEST_TARGETS};

#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Args {
    /// Change nothing; fail if a file is not what the code says.
    #[arg(long)]
    check: bool,
}

/// What to do with a file that differs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// Write it.
    Write,
    /// Report it.
    Check,
}

/// How the agent is built that some files are generated with.
#[derive(Clone, Copy)]
pub(crate) enum Build {
    /// Alone, the least work.
    Alone,
    /// As for the tests, which then find it built.
    Tests,
}

/// Files that the agent itself prints: path and arguments. `crates/agent/src/profiles.rs` comes before them, because
/// the agent is built from it.
const PRINTED: [(&str, &[&str]); 4] = [
    ("docs/CONFIG.md", &["config", "--reference"]),
    ("docs/METRICS.md", &["metrics"]),
    ("docs/EXPORTERS.md", &["metrics", "--exporters"]),
    ("docs/openapi.json", &["openapi"]),
];

/// Where the man pages are.
const MANUAL: &str = "packaging/man";

/// Runs the command.
pub(crate) fn run(project: &Project, args: Args) -> Result<()> {
    generate(
        project,
        if args.check { Mode::Check } else { Mode::Write },
        Build::Alone,
    )
}

/// Generates every file and compares it with, or writes it to, the tree.
pub(crate) fn generate(project: &Project, mode: Mode, build: Build) -> Result<()> {
    let mut stale = settle(project, mode, profiles::PATH, &profiles::generate(project)?)?;
    for (path, text) in dashboards::generate(project)? {
        stale += settle(project, mode, &path, &text)?;
    }
    let agent = agent(project, build)?;
    let sh = &project.sh;
    for (path, args) in PRINTED {
        let text = cmd!(sh, "{agent} {args...}")
            .quiet()
            .read()
            .with_context(|| format!("generating {path}"))?;
        // `read` strips the final newline.
        stale += settle(project, mode, path, &format!("{text}\n"))?;
    }
    stale += manual(project, mode, &agent)?;
    if stale > 0 {
        bail!("{stale} generated file(s) out of date: run `cargo xtask codegen` and commit the result");
    }
    Ok(())
}

/// The man pages, which the agent writes. A page of a command that there is no more is out of date as well.
fn manual(project: &Project, mode: Mode, agent: &Path) -> Result<usize> {
    let sh = &project.sh;
    let written = sh.create_temp_dir()?;
    let directory = written.path();
    cmd!(sh, "{agent} man --out {directory}").quiet().run()?;
    let mut stale = 0;
    let mut pages: Vec<_> = fs::read_dir(directory)?.collect::<Result<_, _>>()?;
    pages.sort_by_key(fs::DirEntry::file_name);
    let names: Vec<_> = pages.iter().map(fs::DirEntry::file_name).collect();
    for page in &pages {
        let path = format!("{MANUAL}/{}", page.file_name().to_string_lossy());
        stale += settle(project, mode, &path, &fs::read_to_string(page.path())?)?;
    }
    for old in fs::read_dir(project.root.join(MANUAL)).into_iter().flatten() {
        let old = old?;
        if names.contains(&old.file_name()) {
            continue;
        }
        let shown = old.path();
        match mode {
            Mode::Write => fs::remove_file(&shown)?,
            Mode::Check => stale += 1,
        }
        eprintln!("{} is a page of no command", shown.display());
    }
    Ok(stale)
}

fn agent(project: &Project, build: Build) -> Result<PathBuf> {
    match build {
        Build::Alone => Agent::build(project, false),
        Build::Tests => {
            let sh = &project.sh;
            cmd!(sh, "cargo build {TEST_TARGETS...}").run()?;
            Ok(project.built("debug/gpulse"))
        }
    }
}

/// Returns how many files are (and stay) out of date: 0 or 1.
fn settle(project: &Project, mode: Mode, path: &str, wanted: &str) -> Result<usize> {
    let file = project.root.join(path);
    let found = fs::read_to_string(&file).unwrap_or_default();
    if found == wanted {
        return Ok(0);
    }
    if mode == Mode::Check {
        eprintln!(
            "{path} is out of date: run `cargo xtask codegen`\n{}",
            diff::first(&found, wanted)
        );
        return Ok(1);
    }
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&file, wanted).with_context(|| format!("writing {path}"))?;
    eprintln!("{path} written");
    Ok(0)
}
