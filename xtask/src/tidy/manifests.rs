//! Rule `manifest`: versions, edition, licence and lints are decided once, in the root `Cargo.toml`.

use toml::Value;

use crate::tidy::Violation;
use crate::tidy::workspace::Workspace;

const RULE: &str = "manifest";

const INHERITED: [&str; 3] = ["version", "edition", "license"];

/// Reports what a member decides by itself.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in &workspace.members {
        let mut report = |line, advice| {
            violations.push(Violation {
                path: member.path.clone(),
                line,
                rule: RULE,
                advice,
            })
        };
        if !inherits(member.table.get("lints")) {
            report(1, "add `[lints]` with `workspace = true`".to_owned());
        }
        for key in INHERITED {
            if !inherits(member.table.get("package").and_then(|package| package.get(key))) {
                report(1, format!("write `{key}.workspace = true` in `[package]`"));
            }
        }
        for dependency in member
            .dependencies
            .iter()
            .filter(|dependency| !dependency.inherited)
        {
            let package = &dependency.package;
            let advice = format!(
                "write `{package}.workspace = true` and keep the version in the root's [workspace.dependencies]"
            );
            report(dependency.line, advice);
        }
    }
    violations
}

fn inherits(value: Option<&Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(Value::as_bool)
        == Some(true)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::workspace::Workspace;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
                        license.workspace = true\n[lints]\nworkspace = true\n[dependencies]\nb.workspace = true\n\
                        c = { workspace = true, features = [\"x\"] }\n";

    fn violations(text: &str) -> Vec<(usize, String)> {
        let found = check(&Workspace::of(&[("crates/a/Cargo.toml", text)]));
        found
            .into_iter()
            .map(|violation| (violation.line, violation.advice))
            .collect()
    }

    #[test]
    fn a_member_that_inherits_everything_passes() {
        assert_eq!(violations(GOOD), []);
    }

    #[test]
    fn own_lints_and_own_versions_are_found() {
        let lints = GOOD.replace("[lints]\nworkspace = true\n", "");
        assert!(violations(&lints)[0].1.contains("[lints]"));
        let edition = GOOD.replace("edition.workspace = true", "edition = \"2021\"");
        assert!(violations(&edition)[0].1.contains("edition.workspace"));
        let dependency = GOOD.replace("b.workspace = true", "b = \"1\"");
        assert_eq!(violations(&dependency)[0].0, 9);
    }
}
