//! Rule `unfinished`: what is left to do is written in the tracker, not left in the code.

use crate::tidy::Violation;
use crate::tidy::source::{code_only, has_word};
use crate::tidy::workspace::Workspace;

/// Macros, looked for in code.
const MACROS: [&str; 2] = ["todo", "unimplemented"];

/// Marks, looked for in comments, too. Put together here, so that this very file does not hold them.
const MARKS: [&str; 2] = [concat!("FIX", "ME"), concat!("X", "XX")];

/// Reports macros and marks of unfinished work.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in workspace.rust() {
        let mut report = |line, what: &str| {
            violations.push(Violation {
                path: path.to_owned(),
                line,
                rule: "unfinished",
                advice: format!("finish what `{what}` stands for, or move it to the tracker"),
            });
        };
        let code = code_only(text);
        for (number, (line, code)) in (1..).zip(text.lines().zip(code.lines())) {
            for name in MACROS {
                let call = format!("{name}!");
                if has_word(code, name) && code.contains(&call) {
                    report(number, &call);
                }
            }
            for mark in MARKS.into_iter().filter(|mark| has_word(line, mark)) {
                report(number, mark);
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::{MARKS, check};
    use crate::tidy::workspace::Workspace;

    #[test]
    fn macros_and_marks_are_found() {
        let [first, second] = MARKS;
        let text = format!(
            "//! A todo! in a comment.\nlet todo = 1;\ntodo!();\nunimplemented!(\"x\")\n// {first}: x\n// {second}\nGPU-{second}X\n"
        );
        let found = check(&Workspace::of(&[("a.rs", &text)]));
        let lines: Vec<usize> = found.iter().map(|violation| violation.line).collect();
        assert_eq!(lines, [3, 4, 5, 6]);
    }
}
