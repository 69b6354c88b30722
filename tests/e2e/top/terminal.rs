//! A terminal: tmux with a server of its own for each test.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::support::{eventually, skipped};

/// What the shell asks for the next command with.
const PROMPT: &str = "READY> ";

/// A program that `cargo xtask test` finds or installs. Without it the tests are skipped, except in CI.
fn tmux() -> Option<PathBuf> {
    let given = env::var_os("GPULSE_TEST_TMUX").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let found = given.or_else(|| {
        env::split_paths(&path)
            .map(|place| place.join("tmux"))
            .find(|file| file.is_file())
    });
    assert!(
        found.is_some() || env::var_os("CI").is_none(),
        "there is no tmux: run `cargo xtask test`"
    );
    if found.is_none() {
        skipped("the terminal needs tmux, which `cargo xtask test` finds or installs");
    }
    found
}

/// A terminal with a shell in it. Its server ends when it is dropped.
pub(super) struct Terminal {
    tmux: PathBuf,
    home: TempDir,
}

impl Terminal {
    /// Opens one; nothing where there is no tmux.
    #[track_caller]
    pub(super) fn open(width: u16, height: u16) -> Option<Self> {
        let terminal = Self {
            tmux: tmux()?,
            home: TempDir::new().unwrap(),
        };
        let (width, height) = (width.to_string(), height.to_string());
        let mut command = terminal.command();
        command.args(["new-session", "-d", "-x", &width, "-y", &height]);
        terminal.done(command.args(["/bin/sh", "-i"]));
        terminal.done(terminal.command().args(["set-option", "-g", "status", "off"]));
        terminal.done(
            terminal
                .command()
                .args(["resize-window", "-x", &width, "-y", &height]),
        );
        Some(terminal)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.tmux);
        command
            .arg("-u")
            .arg("-S")
            .arg(self.home.path().join("tmux"))
            .args(["-f", "/dev/null"])
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("TMPDIR", self.home.path())
            .env("LANG", "C.UTF-8")
            .env("COLORTERM", "truecolor")
            .env("TERM", "xterm-256color")
            .env("PS1", PROMPT)
            .env("GPULSE_KUBERNETES__POD_RESOURCES_SOCKET", "")
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn done(&self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Types a command and presses Enter, once the shell asks for one.
    #[track_caller]
    pub(super) fn run(&self, command: &str) {
        self.until("the shell asks", |shown| {
            shown.trim_end().ends_with(PROMPT.trim_end())
        });
        self.done(self.command().args(["send-keys", "-l", "--", command]));
        self.press(&["Enter"]);
    }

    /// Presses keys, by tmux's names.
    pub(super) fn press(&self, keys: &[&str]) {
        self.done(self.command().arg("send-keys").args(keys));
    }

    /// Types characters as they are.
    pub(super) fn type_in(&self, text: &str) {
        self.done(self.command().args(["send-keys", "-l", "--", text]));
    }

    /// Clicks on the first place where `text` stands, as a terminal reports it.
    #[track_caller]
    pub(super) fn click(&self, text: &str) {
        let shown = self.shown();
        let place = shown.lines().zip(1..).find_map(|(line, row)| {
            let column = line[..line.find(text)?].chars().count() + 1;
            Some((column, row))
        });
        let Some((column, row)) = place else {
            panic!("{text} is not shown:\n{shown}")
        };
        self.type_in(&format!("\u{1b}[<0;{column};{row}M\u{1b}[<0;{column};{row}m"));
    }

    /// Makes it larger or smaller.
    pub(super) fn resize(&self, width: u16, height: u16) {
        let (width, height) = (width.to_string(), height.to_string());
        self.done(
            self.command()
                .args(["resize-window", "-x", &width, "-y", &height]),
        );
    }

    /// Closes it under whatever runs in it.
    pub(super) fn close(&self) {
        self.done(self.command().arg("kill-server"));
    }

    /// What stands on the screen.
    pub(super) fn shown(&self) -> String {
        self.done(self.command().args(["capture-pane", "-p"]))
    }

    /// The same with its colours, as escape sequences.
    pub(super) fn colored(&self) -> String {
        self.done(self.command().args(["capture-pane", "-p", "-e"]))
    }

    /// Waits for a screen, and returns it.
    #[track_caller]
    pub(super) fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        eventually(what, || Screen(self.shown()), |screen| holds(&screen.0)).0
    }

    /// What tmux knows of the terminal, such as `#{alternate_on}`.
    pub(super) fn knows(&self, format: &str) -> String {
        let said = self.done(self.command().args(["display-message", "-p", format]));
        said.trim_end().to_owned()
    }

    /// Keeps the screen with its colours as `target/faces/terminal/NAME.ansi`, for people to look at.
    #[track_caller]
    pub(super) fn keep(&self, name: &str) {
        let built = Path::new(env!("CARGO_BIN_EXE_gpulse-under-test"));
        let target = built.ancestors().nth(2).unwrap();
        let place = target.join("faces/terminal");
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join(format!("{name}.ansi")), self.colored()).unwrap();
    }

    /// The settings of the terminal, by a command of the shell in it.
    #[track_caller]
    pub(super) fn settings(&self, name: &str) -> String {
        let file = self.home.path().join(name);
        self.run(&format!("stty -g > {}", file.display()));
        eventually(
            "the settings are written",
            || fs::read_to_string(&file).unwrap_or_default(),
            |text| text.ends_with('\n'),
        )
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.command().arg("kill-server").output();
    }
}

/// A screen that is shown line by line where a test fails.
struct Screen(String);

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{}", self.0)
    }
}
