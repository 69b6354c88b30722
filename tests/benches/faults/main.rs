//! Plays every fault that the simulator can to one agent that is never started again, and prints a table of what that costs:
//! `cargo xtask faults`. It fails where a fault is not survived.

mod play;
mod rows;

#[path = "../../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "written for the tests, which use the rest"
)]
mod support;

use std::process::ExitCode;

use play::{Outcome, Stage};

fn main() -> ExitCode {
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"));
    let stage = Stage::set();
    let (mut survived, mut played) = (0, 0);
    println!("| Fault | Survived | Ticks to notice | Ticks to recover |");
    println!("|---|---|---|---|");
    for row in rows::all() {
        if wanted
            .as_ref()
            .is_some_and(|part| !row.name.contains(part.as_str()))
        {
            continue;
        }
        let outcome = stage.play(&row);
        print_row(&row.name, &outcome);
        played += 1;
        survived += usize::from(outcome.survived());
    }
    println!("\n{survived} of {played} faults survived.");
    if played > 0 && survived == played {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print_row(name: &str, outcome: &Outcome) {
    let ticks = |ticks: Option<u64>| ticks.map_or_else(|| "–".to_owned(), |ticks| ticks.to_string());
    let verdict = if outcome.survived() { "yes" } else { "NO" };
    println!(
        "| {name} | {verdict} | {} | {} |",
        ticks(outcome.noticed),
        ticks(outcome.recovered)
    );
    for broken in &outcome.broken {
        eprintln!("{name}: {broken}");
    }
}
