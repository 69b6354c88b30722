//! What the files below `/proc/PID` say: text in, structure out.

use gpulse_models::{CommandLine, CommandLines};

/// What is kept of a command line that is shown in full: a snapshot of many processes stays small.
pub(super) const COMMAND_BYTES: usize = 4_096;

/// What identifies a process, by `/proc/PID/stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Changes when the process executes another program, and seldom otherwise.
    pub(super) comm: String,
    /// Clock ticks from boot to its start.
    pub(super) start_ticks: u64,
}

/// Reads `/proc/PID/stat`. The second field is the name in parentheses, which may hold any character.
pub(super) fn stat(text: &str) -> Option<Stat> {
    let (head, tail) = text.rsplit_once(')')?;
    let (_, comm) = head.split_once('(')?;
    // The start time is field 22, and behind the name begins field 3.
    let start_ticks = tail.split_ascii_whitespace().nth(22 - 3)?.parse().ok()?;
    Some(Stat {
        comm: comm.to_owned(),
        start_ticks,
    })
}

/// The real user id in `/proc/PID/status`.
pub(super) fn uid(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// When the host was booted, in seconds since 1970, by `/proc/stat`.
pub(super) fn boot_time(stat: &str) -> Option<i64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

/// What is shown of the bytes of `/proc/PID/cmdline`.
pub(super) fn command(bytes: &[u8], policy: CommandLines) -> CommandLine {
    let truncated = bytes.len() > COMMAND_BYTES;
    let bytes = &bytes[..bytes.len().min(COMMAND_BYTES)];
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    if text.trim_matches('\0').is_empty() {
        return match policy {
            CommandLines::Off => CommandLine::Withheld,
            CommandLines::Executable | CommandLines::Full => CommandLine::Empty,
        };
    }
    match policy {
        CommandLines::Off => CommandLine::Withheld,
        // A program may write a title of several words over its command line, and secrets into it.
        CommandLines::Executable => match text.split(|c: char| c == '\0' || c.is_whitespace()).next() {
            Some(program) if !program.is_empty() => CommandLine::Executable(program.to_owned()),
            _ => CommandLine::Empty,
        },
        CommandLines::Full => CommandLine::Full {
            words: text.split('\0').map(ToOwned::to_owned).collect(),
            truncated,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAIL: &str = "S 1 4242 4242 0 -1 4194560 103 0 0 0 7 9 0 0 20 0 1 0 747592 3133440 380";

    #[test]
    fn a_name_may_hold_parentheses_and_blanks() {
        for name in ["python3", "a b", ") R (", "(sd-pam)", ""] {
            let expected = Stat {
                comm: name.to_owned(),
                start_ticks: 747_592,
            };
            assert_eq!(stat(&format!("4242 ({name}) {TAIL}\n")), Some(expected));
        }
    }

    #[test]
    fn what_is_cut_short_is_nothing() {
        assert_eq!(stat("4242 (python3) S 1 4242"), None);
        assert_eq!(uid("Name:\tx\nUid:\n"), None);
        assert_eq!(boot_time("cpu 1 2 3\n"), None);
    }

    #[test]
    fn the_real_user_is_the_first_of_four() {
        assert_eq!(
            uid("Name:\tsu\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\n"),
            Some(1_000)
        );
    }

    #[test]
    fn boot_time_stands_among_other_lines() {
        assert_eq!(
            boot_time("cpu 1 2 3\nbtime 1795462363\nprocesses 7\n"),
            Some(1_795_462_363)
        );
    }

    #[test]
    fn arguments_are_shown_only_where_the_policy_permits() {
        let bytes = b"/usr/bin/python3\0train.py\0--token=hunter2\0";
        assert_eq!(command(bytes, CommandLines::Off), CommandLine::Withheld);
        assert_eq!(
            command(bytes, CommandLines::Executable),
            CommandLine::Executable("/usr/bin/python3".to_owned())
        );
        let words = ["/usr/bin/python3", "train.py", "--token=hunter2"];
        assert_eq!(
            command(bytes, CommandLines::Full),
            CommandLine::Full {
                words: words.map(ToOwned::to_owned).to_vec(),
                truncated: false
            }
        );
    }

    #[test]
    fn a_title_that_replaced_the_command_line_gives_no_arguments_away() {
        assert_eq!(
            command(b"worker: --token=hunter2", CommandLines::Executable),
            CommandLine::Executable("worker:".to_owned())
        );
    }

    #[test]
    fn no_command_line_is_said_to_be_none() {
        for bytes in [&b""[..], b"\0", b"\0\0\0"] {
            assert_eq!(command(bytes, CommandLines::Full), CommandLine::Empty);
            assert_eq!(command(bytes, CommandLines::Executable), CommandLine::Empty);
        }
    }

    #[test]
    fn a_long_command_line_is_cut_and_says_so() {
        let CommandLine::Full { words, truncated } = command(&[b'x'; COMMAND_BYTES + 1], CommandLines::Full)
        else {
            panic!("not shown")
        };
        assert!(truncated && words.concat().len() == COMMAND_BYTES);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", bytes: Vec<u8>) {
            stat(&text);
            uid(&format!("Uid:{text}"));
            boot_time(&format!("btime {text}"));
            command(&bytes, CommandLines::Full);
            command(&bytes, CommandLines::Executable);
        }

        #[test]
        fn no_argument_gets_out_by_default(program in "[a-z/]{1,20}", secret in "[A-Z0-9]{8,20}") {
            let shown = command(format!("{program}\0--key={secret}\0").as_bytes(), CommandLines::Executable);
            prop_assert_eq!(shown, CommandLine::Executable(program));
        }
    }
}
