//! `cargo xtask tidy`: the house rules that neither the compiler nor clippy knows, one file per rule.
//!
//! A rule is a function from the workspace's files to its violations; it reads nothing itself, so that its tests show
//! it failing on made-up files.

mod edges;
mod length;
mod libraries;
mod links;
mod manifest;
mod manifests;
mod opening;
mod source;
mod unfinished;
mod unsafety;
mod workspace;

use std::fmt;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::tidy::workspace::Workspace;

type Rule = fn(&Workspace) -> Vec<Violation>;

const RULES: [Rule; 8] = [
    edges::check,
    libraries::check,
    manifests::check,
    opening::check,
    unsafety::check,
    length::check,
    unfinished::check,
    links::check,
];

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    /// Relative to the workspace's root.
    path: String,
    /// Counted from 1.
    line: usize,
    /// The rule's name.
    rule: &'static str,
    /// What to do about it.
    advice: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.advice)
    }
}

/// Prints every violation of every rule.
pub(crate) fn run(project: &Project) -> Result<()> {
    let workspace = Workspace::read(&project.root)?;
    let mut violations: Vec<Violation> = RULES.iter().flat_map(|rule| rule(&workspace)).collect();
    violations.sort();
    violations.dedup();
    for violation in &violations {
        println!("{violation}");
    }
    if !violations.is_empty() {
        bail!(
            "tidy: {} violation(s) of the house rules (see CONTRIBUTING.md)",
            violations.len()
        );
    }
    eprintln!(
        "tidy: {} files, {} rules, no violation",
        workspace.files.len(),
        RULES.len()
    );
    Ok(())
}
