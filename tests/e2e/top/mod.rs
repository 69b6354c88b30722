//! `gpulse top` in a real terminal: tmux presses the keys and says what stands on the screen.

mod keys;
mod live;
mod restored;
mod screens;
mod terminal;

use std::{path::Path, time::Duration};

use nvml_sim::testing::Simulator;

use crate::support::AgentBuilder;
use terminal::Terminal;

/// A host of eight H100 in which nothing changes, so that screens can be compared to the last character.
#[track_caller]
fn frozen() -> Simulator {
    Simulator::builder("h100-sxm-8")
        .seed(7)
        .frozen_at(Duration::from_secs(90))
        .start()
        .unwrap()
}

/// The command for the shell: `gpulse top` over a simulator, by an agent of its own.
fn local(simulator: &Simulator) -> String {
    let library = simulator.library_path().display();
    format!("{} top --nvml-library {library} --interval 200ms", binary())
}

/// The same over an agent that runs already.
fn connected(url: &str) -> String {
    format!("{} top --connect {url} --interval 200ms", binary())
}

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_gpulse-under-test")
}

/// An agent over a simulator, for terminals to connect to.
fn agent(library: &Path) -> AgentBuilder {
    AgentBuilder::over(library).variable("GPULSE_SAMPLER__STALE_AFTER", "1m")
}

/// A terminal in which `command` shows the overview.
fn started(command: &str, width: u16, height: u16) -> Option<Terminal> {
    let terminal = Terminal::open(width, height)?;
    terminal.run(command);
    terminal.until("the overview is live", |shown| shown.contains("● live"));
    Some(terminal)
}
