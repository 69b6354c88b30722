//! `cargo xtask ci`: every check that a change has to pass, the quick ones first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use xshell::cmd;

use crate::codegen::{self, Build, Mode};
use crate::project::Project;
use crate::{deny, test, tidy};

type Step = (&'static str, fn(&Project) -> Result<()>);

/// In the order in which they run. `codegen` builds what `test` needs, with the same flags.
const STEPS: [Step; 7] = [
    ("fmt", fmt),
    ("tidy", tidy::run),
    ("clippy", clippy),
    ("deny", deny::run),
    ("codegen", |project| {
        codegen::generate(project, Mode::Check, Build::Tests)
    }),
    ("doc", doc),
    ("test", test::run_all),
];

/// Runs the steps one after the other and stops at the first that fails.
pub(crate) fn run(project: &Project) -> Result<()> {
    let mut durations = Vec::new();
    for (name, step) in STEPS {
        eprintln!("\n=== {name}");
        let start = Instant::now();
        let outcome = step(project);
        let took = start.elapsed();
        durations.push((name, took));
        let verdict = if outcome.is_ok() { "passed" } else { "FAILED" };
        eprintln!("=== {name} {verdict} after {:.1} s", took.as_secs_f64());
        outcome.with_context(|| format!("step {name}"))?;
    }
    let total: Duration = durations.iter().map(|(_, took)| *took).sum();
    let each: Vec<String> = durations
        .iter()
        .map(|(name, took)| format!("{name} {:.0} s", took.as_secs_f64()))
        .collect();
    eprintln!(
        "\n=== all passed in {:.0} s: {}",
        total.as_secs_f64(),
        each.join(", ")
    );
    Ok(())
}

fn fmt(project: &Project) -> Result<()> {
    let sh = &project.sh;
    Ok(cmd!(sh, "cargo fmt --all --check").run()?)
}

fn clippy(project: &Project) -> Result<()> {
    let sh = &project.sh;
    Ok(cmd!(sh, "cargo clippy --workspace --all-targets -- -D warnings").run()?)
}

fn doc(project: &Project) -> Result<()> {
    let sh = &project.sh;
    let _strict = sh.push_env("RUSTDOCFLAGS", "-D warnings");
    Ok(cmd!(sh, "cargo doc --no-deps --workspace").run()?)
}
