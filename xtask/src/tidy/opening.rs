//! Rule `opening`: every Rust file opens with a sentence that says what it is for.

use crate::tidy::Violation;
use crate::tidy::workspace::Workspace;

/// Reports files that start with anything else.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let closed = workspace.rust().filter(|(_, text)| {
        let sentence = text.lines().next().and_then(|line| line.strip_prefix("//!"));
        sentence.is_none_or(|sentence| sentence.trim().is_empty())
    });
    closed
        .map(|(path, _)| Violation {
            path: path.to_owned(),
            line: 1,
            rule: "opening",
            advice: "open the file with `//!` and a sentence that says what it is for".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::workspace::Workspace;

    #[test]
    fn a_file_without_its_sentence_is_found() {
        let found = check(&Workspace::of(&[
            ("a.rs", "//! Good.\n"),
            ("b.rs", "use a;\n"),
            ("build.rs", ""),
            ("c.rs", "//!\n//! Late.\n"),
        ]));
        let paths: Vec<&str> = found.iter().map(|violation| violation.path.as_str()).collect();
        assert_eq!(paths, ["b.rs", "build.rs", "c.rs"]);
    }
}
