//! Python programs: foreign clients that find the simulator where they look for NVML.

use std::{
    path::Path,
    process::{Command, Output},
};

use nvml_sim::testing::Simulator;

use super::skipped;

/// The Python with the clients; `cargo xtask test` sets it up. Without it tests are skipped, except in CI.
pub(crate) fn python() -> Option<String> {
    let python = std::env::var("GPULSE_TEST_PYTHON").ok();
    assert!(
        python.is_some() || std::env::var_os("CI").is_none(),
        "GPULSE_TEST_PYTHON is not set: run `cargo xtask test`"
    );
    if python.is_none() {
        skipped("foreign clients need GPULSE_TEST_PYTHON, which `cargo xtask test` sets up");
    }
    python
}

/// A command that finds the simulator where it looks for NVML.
pub(crate) fn over(simulator: &Simulator, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .env("LD_LIBRARY_PATH", simulator.dir())
        .env("TERM", "dumb")
        .env("COLUMNS", "200");
    command
}

/// Runs a Python program to its end, and returns what it printed.
///
/// # Panics
///
/// If it fails; with what it said.
#[track_caller]
pub(crate) fn run(simulator: &Simulator, python: &str, arguments: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = over(simulator, python).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{arguments:?} ended with {status}: {errors}");
    String::from_utf8(stdout).unwrap()
}

/// The path of one of the tests' own programs.
pub(crate) fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("python")
        .join(name)
        .display()
        .to_string()
}
