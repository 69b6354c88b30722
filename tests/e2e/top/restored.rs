//! However it ends, the terminal is as it was: the main screen with what stood there, the cursor, the settings.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{frozen, local, started, terminal::Terminal};
use crate::support::eventually;

/// What stands on the main screen before.
const BEFORE: &str = "what-stood-here";

/// Runs `command`, waits for `ready`, does `end`, and looks whether all is as it was. Returns the screen afterwards.
#[track_caller]
fn ends_well(command: &str, ready: &str, end: impl Fn(&Terminal)) -> Option<String> {
    let terminal = Terminal::open(100, 30)?;
    let before = terminal.settings("before");
    terminal.run(&format!("echo {BEFORE}"));
    terminal.until("the shell asks again", |shown| {
        shown.lines().any(|line| line == BEFORE) && shown.trim_end().ends_with("READY>")
    });
    terminal.run(command);
    terminal.until("it is there", |shown| shown.contains(ready));
    assert_eq!(
        terminal.knows("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"),
        "1 0 1"
    );
    end(&terminal);
    let after = terminal.until("the shell is there again", |shown| {
        shown.contains(BEFORE) && shown.trim_end().ends_with("READY>")
    });
    assert_eq!(
        terminal.knows("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"),
        "0 1 0"
    );
    assert_eq!(terminal.settings("after"), before);
    Some(after)
}

#[test]
fn after_q_and_control_c() {
    let simulator = frozen();
    for key in ["q", "C-c", "F10"] {
        let command = format!("{}; echo \"exit $?.\"", local(&simulator));
        let Some(after) = ends_well(&command, "● live", |terminal| terminal.press(&[key])) else {
            return;
        };
        assert!(after.contains("exit 0."), "{key}: {after}");
    }
}

#[test]
fn after_signals() {
    let simulator = frozen();
    let home = TempDir::new().unwrap();
    let file = home.path().join("pid");
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        // The shell in between becomes the program, which keeps the pid.
        let command = format!("sh -c 'echo $$ > {}; exec {}'", file.display(), local(&simulator));
        ends_well(&command, "● live", |_| {
            let pid = fs::read_to_string(&file).unwrap();
            let pid = pid.trim().parse().ok().and_then(Pid::from_raw).unwrap();
            kill_process(pid, signal).unwrap();
        });
    }
}

#[test]
fn after_a_panic() {
    let panics = env!("CARGO_BIN_EXE_terminal-panics");
    // In the thread that draws, when a process is to be ended.
    let drawing = ends_well(panics, "● live", |terminal| terminal.press(&["3", "k"]));
    if let Some(after) = drawing {
        assert!(
            after.contains("panicked at") && after.contains("on purpose"),
            "{after}"
        );
    }
    // In the thread that asks, at the third look.
    let asking = ends_well(&format!("{panics} asking; echo \"exit $?.\""), "● live", |_| {});
    if let Some(after) = asking {
        assert!(
            after.contains("on purpose") && after.contains("has ended"),
            "{after}"
        );
        assert!(after.contains("exit 1."), "{after}");
    }
}

/// A terminal emulator that is closed, or a connection that breaks, leaves no process behind.
#[test]
fn a_terminal_that_is_closed_ends_it() {
    let simulator = frozen();
    let home = TempDir::new().unwrap();
    let file = home.path().join("pid");
    // The shell in between becomes the program, which keeps the pid.
    let command = format!("sh -c 'echo $$ > {}; exec {}'", file.display(), local(&simulator));
    let Some(terminal) = started(&command, 100, 30) else {
        return;
    };
    let pid = fs::read_to_string(&file).unwrap();
    let process = format!("/proc/{}", pid.trim());
    assert!(fs::exists(&process).unwrap());
    terminal.close();
    eventually("it has ended", || fs::exists(&process).unwrap(), |exists| !exists);
}

#[test]
fn while_it_is_suspended() {
    let simulator = frozen();
    let Some(terminal) = started(&local(&simulator), 100, 30) else {
        return;
    };
    terminal.press(&["C-z"]);
    terminal.until("the shell is there", |shown| shown.trim_end().ends_with("READY>"));
    assert_eq!(
        terminal.knows("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"),
        "0 1 0"
    );
    terminal.run("fg");
    terminal.until("it goes on", |shown| shown.contains("● live"));
    assert_eq!(
        terminal.knows("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"),
        "1 0 1"
    );
    terminal.press(&["q"]);
    terminal.until("it ends", |shown| shown.trim_end().ends_with("READY>"));
}
