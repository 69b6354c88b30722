//! The commands that show GPUs: over an agent of their own, and as clients of one elsewhere.

mod connect;
mod doctor;
mod query;
mod snapshot;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::AgentBuilder;

/// How a command ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A command, with a place of its own for temporary files.
struct Gpulse {
    temporary: TempDir,
    command: Command,
}

impl Gpulse {
    /// `gpulse`, with these arguments; it inherits nothing, and asks no kubelet.
    fn new(arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let (subcommand, rest) = arguments.split_first().unwrap();
        let mut command = AgentBuilder::default().command(subcommand);
        command
            .args(rest)
            .env("TMPDIR", temporary.path())
            .env("TZ", "UTC")
            .env("GPULSE_KUBERNETES__POD_RESOURCES_SOCKET", "");
        Self { temporary, command }
    }

    /// Over the library at `path`.
    fn over(path: &Path, arguments: &[&str]) -> Self {
        let library = path.display().to_string();
        let with: Vec<_> = arguments
            .iter()
            .copied()
            .chain(["--nvml-library", library.as_str()])
            .collect();
        Self::new(&with)
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end. Nothing of what it made stays.
    #[track_caller]
    fn run(mut self) -> Ran {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command.output().unwrap();
        self.assert_clean();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran {
            code: status.code(),
            out: text(stdout),
            err: text(stderr),
        }
    }

    /// Starts it, with its output to be read.
    #[track_caller]
    fn spawn(&mut self) -> Child {
        self.command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    #[track_caller]
    fn assert_clean(&self) {
        let left: Vec<_> = fs::read_dir(self.temporary.path()).unwrap().flatten().collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

/// Runs `gpulse` with these arguments.
#[track_caller]
fn gpulse(arguments: &[&str]) -> Ran {
    Gpulse::new(arguments).run()
}

fn interrupt(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = gpulse(&["completions", shell]);
        assert!(
            ran.code == Some(0) && ran.out.contains("query-gpu"),
            "{shell}: {ran:?}"
        );
    }
    assert_eq!(gpulse(&["completions", "tcsh"]).code, Some(2));
}
