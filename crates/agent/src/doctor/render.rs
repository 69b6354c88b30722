//! The report: for people with a sign before each line, for programs as JSON.

use std::env;

use serde_json::json;

use super::check::{Check, Group, Status};
use crate::shown::text::visible;

/// Signs for ok, skipped, warn and fail.
const SIGNS: [&str; 4] = ["✓", "-", "!", "✗"];

/// The same where a terminal has ASCII only.
const PLAIN_SIGNS: [&str; 4] = ["+", "-", "!", "x"];

/// How many came to each status.
struct Counts {
    ok: usize,
    skipped: usize,
    warn: usize,
    fail: usize,
}

impl Counts {
    fn of(groups: &[Group]) -> Self {
        let with = |status| {
            groups
                .iter()
                .flat_map(|group| &group.checks)
                .filter(|check| check.status == status)
                .count()
        };
        Self {
            ok: with(Status::Ok),
            skipped: with(Status::Skipped),
            warn: with(Status::Warn),
            fail: with(Status::Fail),
        }
    }
}

/// The worst of all. Where nothing was looked at nothing is known to be well.
pub(super) fn status(groups: &[Group]) -> Status {
    match Counts::of(groups) {
        Counts { fail: 1.., .. } => Status::Fail,
        Counts { warn: 1.., .. } => Status::Warn,
        Counts { ok: 0, .. } => Status::Skipped,
        _ => Status::Ok,
    }
}

/// For programs.
pub(super) fn json(groups: &[Group]) -> String {
    let counts = Counts::of(groups);
    let report = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "status": status(groups),
        "counts": { "ok": counts.ok, "warn": counts.warn, "fail": counts.fail, "skipped": counts.skipped },
        "groups": groups,
    });
    format!("{report}\n")
}

/// For people.
pub(super) fn text(groups: &[Group], is_utf8: bool) -> String {
    let signs = if is_utf8 { SIGNS } else { PLAIN_SIGNS };
    let names = groups
        .iter()
        .flat_map(|group| &group.checks)
        .map(|check| check.name.len());
    let width = names.max().unwrap_or_default();
    let mut text = String::new();
    for group in groups {
        text += &format!("{}\n", group.name);
        for check in &group.checks {
            lines(check, signs, width, &mut text);
        }
        text.push('\n');
    }
    let Counts {
        ok,
        skipped,
        warn,
        fail,
    } = Counts::of(groups);
    text += &format!("{ok} ok, {warn} to look at, {fail} wrong, {skipped} skipped\n");
    if is_utf8 { text } else { plain(&text) }
}

fn lines(check: &Check, signs: [&str; 4], width: usize, text: &mut String) {
    let sign = match check.status {
        Status::Ok => signs[0],
        Status::Skipped => signs[1],
        Status::Warn => signs[2],
        Status::Fail => signs[3],
    };
    let parts = [("", &check.found), ("", &check.why), ("fix: ", &check.fix)];
    let mut before = format!("  {sign} {:width$}  ", check.name);
    for (word, part) in parts {
        // A message may have lines of its own.
        for line in part.iter().flat_map(|part| part.lines()) {
            *text += &format!("{before}{word}{}\n", visible(line));
            before = " ".repeat(width + 6);
        }
    }
}

/// Without what ASCII does not have.
fn plain(text: &str) -> String {
    let text = text.replace('…', "...").replace('×', "x");
    text.replace(|letter: char| !letter.is_ascii(), "?")
}

/// Whether the terminal shows more than ASCII, as the locale says.
pub(super) fn is_utf8() -> bool {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL")
        .or_else(|| set("LC_CTYPE"))
        .or_else(|| set("LANG"))
        .unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Group> {
        let checks = vec![
            Check::ok("clock", "synchronised"),
            Check::fail("devices", "none", "not given", "docker run --gpus all …"),
        ];
        vec![Group {
            name: "System",
            checks,
        }]
    }

    #[test]
    fn the_report_says_what_is_wrong_and_what_mends_it() {
        assert_eq!(
            text(&groups(), true),
            "System\n  ✓ clock    synchronised\n  ✗ devices  none\n             not given\n             fix: docker run --gpus all …\n\n\
             1 ok, 0 to look at, 1 wrong, 0 skipped\n"
        );
        assert!(text(&groups(), false).is_ascii());
        assert!(text(&groups(), false).contains("  x devices  none"));
    }

    #[test]
    fn the_report_for_programs_has_the_worst_status_and_all_checks() {
        let report: serde_json::Value = serde_json::from_str(&json(&groups())).unwrap();
        assert_eq!(
            (&report["status"], &report["counts"]["fail"]),
            (&"fail".into(), &1.into())
        );
        assert_eq!(report["groups"][0]["checks"][1]["fix"], "docker run --gpus all …");
        assert_eq!(report["groups"][0]["checks"][0]["why"], serde_json::Value::Null);
        assert_eq!(status(&groups()), Status::Fail);
    }

    #[test]
    fn a_report_of_nothing_is_not_ok() {
        let of = |checks| {
            status(&[Group {
                name: "System",
                checks,
            }])
        };
        assert_eq!(of(vec![Check::skipped("clock", "elsewhere")]), Status::Skipped);
        assert_eq!(of(vec![]), Status::Skipped);
        let mixed = vec![
            Check::skipped("clock", "elsewhere"),
            Check::ok("nvml", "it works"),
        ];
        assert_eq!(of(mixed), Status::Ok);
    }
}
