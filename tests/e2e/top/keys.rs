//! Sorting, filtering, the mouse, and ending processes.

use std::{
    cell::RefCell,
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
};

use nvml_sim::{
    faults::{Fault, Values},
    testing::Simulator,
};

use super::{frozen, local, started};
use crate::support::eventually;

/// The pids of the table, from the top down.
fn pids(shown: &str) -> Vec<u32> {
    let rows = shown.lines().skip_while(|line| !line.contains("PID"));
    rows.skip(1)
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}

#[test]
fn processes_are_sorted_and_filtered_by_keys_and_mouse() {
    let simulator = frozen();
    let Some(terminal) = started(&local(&simulator), 120, 40) else {
        return;
    };
    terminal.click("3 Processes");
    // What is seen while the screen is drawn may be a part of it: two looks that agree are all of it.
    let seen = RefCell::default();
    terminal.until("processes are there", |shown| {
        let before: Vec<u32> = seen.replace(pids(shown));
        shown.contains("MEM▼") && before.len() > 4 && before == *seen.borrow()
    });
    let mut expected = seen.into_inner();
    expected.sort_unstable();
    terminal.press(&["N"]);
    terminal.until("they are sorted by pid", |shown| pids(shown) == expected);
    terminal.click("PID");
    expected.reverse();
    terminal.until("it is turned round", |shown| pids(shown) == expected);
    let one = expected[3].to_string();
    terminal.press(&["/"]);
    terminal.type_in(&one);
    terminal.until("one is left", |shown| pids(shown) == [expected[3]]);
    terminal.keep("processes-filtered");
    terminal.press(&["Escape"]);
    terminal.until("all are there again", |shown| pids(shown) == expected);
    terminal.press(&["t"]);
    terminal.until("it is a tree", |shown| shown.contains("└"));
    terminal.keep("processes-tree");
}

#[test]
fn the_next_column_by_which_it_is_sorted_is_one_that_is_seen() {
    let simulator = frozen();
    let Some(terminal) = started(&local(&simulator), 80, 24) else {
        return;
    };
    terminal.press(&["3"]);
    terminal.until("it is sorted by memory", |shown| shown.contains("MEM▼"));
    for (key, heading) in [("s", "COMMAND▲"), (">", "PID▲"), ("<", "COMMAND▲"), ("<", "MEM▼")] {
        terminal.press(&[key]);
        terminal.until(heading, |shown| shown.contains(heading));
    }
}

#[test]
fn what_is_frozen_stands_still() {
    let simulator = Simulator::start("h100-sxm-8").unwrap();
    let Some(terminal) = started(&local(&simulator), 120, 40) else {
        return;
    };
    terminal.press(&["Space"]);
    let bars = |shown: &str| {
        shown
            .lines()
            .filter(|line| line.starts_with(" GPU "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let frozen = terminal.until("it is frozen", |shown| shown.contains("FROZEN for 1s"));
    let later = terminal.until("time passes", |shown| shown.contains("FROZEN for 3s"));
    assert_eq!(bars(&frozen), bars(&later));
    terminal.press(&["Space"]);
    terminal.until("it goes on", |shown| {
        shown.contains("● live") && bars(shown) != bars(&frozen)
    });
}

#[test]
fn a_key_after_a_change_of_size_is_understood_at_once() {
    let simulator = frozen();
    let Some(terminal) = started(&local(&simulator), 120, 40) else {
        return;
    };
    let resize = |height: u16| {
        terminal.resize(100, height);
        terminal.until("it is drawn from top to bottom", |shown| {
            shown.lines().count() == usize::from(height)
                && shown
                    .lines()
                    .last()
                    .is_some_and(|line| line.starts_with("q quit"))
        });
    };
    for (height, key, says) in [
        (30, "?", "Everywhere"),
        (33, "4", "WHAT HAPPENED"),
        (28, "3", "MEM▼"),
    ] {
        resize(height);
        terminal.press(&[key]);
        terminal.until("one key was enough", |shown| shown.contains(says));
    }
    resize(31);
    terminal.press(&["q"]);
    terminal.until("it ends", |shown| shown.trim_end().ends_with("READY>"));
}

/// A process of this host. Ended when dropped.
struct Real(Child);

impl Real {
    fn start() -> Self {
        let mut command = Command::new("/bin/sleep");
        Self(command.arg("3600").stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_process(pid: u32) -> Simulator {
    let only = Fault::everywhere().gpu(0).values(Values {
        pids: Some(vec![pid]),
        ..Values::default()
    });
    Simulator::builder("t4").faults(&[only]).start().unwrap()
}

#[test]
fn a_process_is_ended_when_that_was_allowed_asked_and_answered() {
    let mut real = Real::start();
    let pid = real.0.id();
    let simulator = with_process(pid);
    let command = format!("{} --allow-kill", local(&simulator));
    let Some(terminal) = started(&command, 100, 30) else {
        return;
    };
    terminal.press(&["3"]);
    terminal.until("the process is there", |shown| pids(shown) == [pid]);
    terminal.press(&["k"]);
    let question = terminal.until("it asks", |shown| {
        shown.contains(&format!("End process {pid} of "))
    });
    assert!(question.contains("sleep"), "{question}");
    terminal.keep("question");
    // Enter alone is no yes.
    terminal.press(&["Enter"]);
    terminal.until("the question is gone", |shown| !shown.contains("End process"));
    assert_eq!(real.0.try_wait().unwrap(), None);
    terminal.press(&["k", "y"]);
    let status = eventually("the process ends", || real.0.try_wait().unwrap(), Option::is_some);
    assert_eq!(status.and_then(|status| status.signal()), Some(15));
    terminal.until("it says so", |shown| shown.contains("was sent the signal"));
}

#[test]
fn no_process_is_ended_unless_that_was_allowed() {
    let mut real = Real::start();
    let simulator = with_process(real.0.id());
    let Some(terminal) = started(&local(&simulator), 100, 30) else {
        return;
    };
    terminal.press(&["3"]);
    terminal.until("the process is there", |shown| pids(shown) == [real.0.id()]);
    terminal.press(&["k"]);
    terminal.until("it says why not", |shown| shown.contains("--allow-kill"));
    terminal.press(&["y"]);
    terminal.press(&["4"]);
    terminal.until("the keys were understood", |shown| {
        shown.contains("WHAT HAPPENED")
    });
    assert_eq!(real.0.try_wait().unwrap(), None);
}
