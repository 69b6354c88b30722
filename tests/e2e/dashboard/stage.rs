//! Runs a scenario of `tests/dashboard` in a real browser, and does for it what only the test can.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use serde_json::Value;

use crate::support::skipped;

/// Names a directory with the packages of `tests/dashboard/package.json`; `cargo xtask test` sets it up.
const VARIABLE: &str = "GPULSE_TEST_BROWSER";

/// How a scenario asks for something.
const QUESTION: &str = "? ";

/// One browser at a time: two of them would measure each other.
static ALONE: Mutex<()> = Mutex::new(());

/// Where scenarios are played.
pub(super) struct Stage {
    packages: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

/// A scenario that is played. Ended when dropped.
struct Played(Child);

impl Drop for Played {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stage {
    /// A stage of one's own, once it is free; nothing, said aloud, where there is no browser. In CI there has to be one.
    pub(super) fn free() -> Option<Self> {
        let packages = env::var_os(VARIABLE);
        assert!(
            packages.is_some() || env::var_os("CI").is_none(),
            "{VARIABLE} is not set: run `cargo xtask test`"
        );
        let Some(packages) = packages else {
            skipped("the dashboard needs GPULSE_TEST_BROWSER, which `cargo xtask test` sets up");
            return None;
        };
        Some(Self {
            packages: packages.into(),
            _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }

    /// Plays `scenario` in `world`; `answer` does what it asks for.
    ///
    /// # Panics
    ///
    /// If it fails; with what it said.
    #[track_caller]
    pub(super) fn play(&self, scenario: &str, mut world: Value, mut answer: impl FnMut(&str) -> String) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        world["pictures"] = root
            .join("../target/faces/dashboard")
            .display()
            .to_string()
            .into();
        let mut child = Command::new("node")
            .arg(root.join("dashboard/run.js"))
            .args([scenario, &world.to_string()])
            .env(VARIABLE, &self.packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let mut played = Played(child);
        let complaints = thread::spawn(move || {
            let mut text = String::new();
            // What cannot be read is no reason of its own.
            let _ = stderr.read_to_string(&mut text);
            text
        });
        for line in stdout.lines().map_while(Result::ok) {
            match line.strip_prefix(QUESTION) {
                // It may have failed meanwhile, which its status tells.
                Some(question) => drop(writeln!(stdin, "{}", answer(question))),
                None => println!("{scenario}: {line}"),
            }
        }
        let status = played.0.wait().unwrap();
        let complaints = complaints.join().unwrap_or_default();
        assert!(status.success(), "{scenario} ended with {status}: {complaints}");
    }
}

/// A scenario that asks for nothing.
pub(super) fn nothing(question: &str) -> String {
    panic!("nobody knows how to do {question:?}")
}
