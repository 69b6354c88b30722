//! Rule `unsafe`: everything the compiler cannot check lies in two places, where reviewers look for it.

use crate::tidy::Violation;
use crate::tidy::source::{code_only, has_word};
use crate::tidy::workspace::Workspace;

/// The simulator's C ABI.
const DIRECTORY: &str = "crates/nvml-sim/src/abi/";

/// What the sampler asks of NVML that the wrapper does not offer.
const FILE: &str = "crates/sampler/src/ffi.rs";

const KEYWORD: &str = "unsafe";
const LINT: &str = "unsafe_code";

/// Reports the keyword, and switching off the lint against it, anywhere else.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let mut violations = Vec::new();
    let elsewhere = workspace
        .rust()
        .filter(|(path, _)| !path.starts_with(DIRECTORY) && *path != FILE);
    for (path, text) in elsewhere {
        for (number, line) in (1..).zip(code_only(text).lines()) {
            let switched = has_word(line, LINT) && !line.contains("deny(") && !line.contains("forbid(");
            if has_word(line, KEYWORD) || switched {
                violations.push(Violation {
                    path: path.to_owned(),
                    line: number,
                    rule: "unsafe",
                    advice: format!("move this below {DIRECTORY} or into {FILE}, or do without"),
                });
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::workspace::Workspace;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Workspace::of(&[(path, text)]))
            .iter()
            .map(|violation| violation.line)
            .collect()
    }

    #[test]
    fn code_outside_of_its_places_is_found() {
        let text = "//! unsafe\nlet x = \"unsafe\";\nunsafe { f() };\n#![allow(unsafe_code)]\n#![deny(unsafe_code)]\n";
        assert_eq!(lines("crates/api/src/lib.rs", text), [3, 4]);
        assert_eq!(lines("crates/nvml-sim/src/abi.rs", text), [3, 4]);
    }

    #[test]
    fn its_places_are_free() {
        assert!(
            lines(
                "crates/nvml-sim/src/abi/device.rs",
                "unsafe extern \"C\" fn f() {}\n"
            )
            .is_empty()
        );
        assert!(lines("crates/sampler/src/ffi.rs", "#![expect(unsafe_code)]\n").is_empty());
    }
}
