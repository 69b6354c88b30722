//! `cargo xtask pictures`: takes the pictures of the documentation from those that the tests left in `target/faces`.

use std::fs;

use anyhow::{Context, Result};
use xshell::cmd;

use crate::{project::Project, python};

const HOME: &str = "docs/pictures";
const DRAW: &str = "tests/python/terminal_svg.py";

/// Views of the dashboard, as its tests name them.
const DASHBOARD: [&str; 6] = [
    "overview-dark",
    "gpu-light",
    "processes-light",
    "events-light",
    "64-gpus",
    "phone-overview",
];

/// Screens of `gpulse top`, as its tests name them.
const TERMINAL: [&str; 3] = ["overview", "gpu", "processes"];

/// What stands above a screen.
const TITLE: &str = "gpulse top";

/// Replaces the pictures.
pub(crate) fn run(project: &Project) -> Result<()> {
    let (sh, home, title) = (&project.sh, project.root.join(HOME), TITLE);
    fs::create_dir_all(&home)?;
    for name in DASHBOARD {
        let from = project.built(format!("faces/dashboard/{name}.png"));
        fs::copy(&from, home.join(format!("dashboard-{name}.png")))
            .with_context(|| format!("{}: run `cargo xtask test` first", from.display()))?;
    }
    let python = python::prepare(project)?.context("screens are drawn by Python")?;
    for name in TERMINAL {
        let from = project.built(format!("faces/terminal/{name}.ansi"));
        let to = home.join(format!("top-{name}.svg"));
        let draw = project.root.join(DRAW);
        cmd!(sh, "{python} {draw} {from} {to} {title}").run()?;
    }
    println!("{} pictures in {HOME}", DASHBOARD.len() + TERMINAL.len());
    Ok(())
}
