//! Rule `link`: links in Markdown files to other files of the repository lead somewhere.

use crate::tidy::Violation;
use crate::tidy::workspace::Workspace;

/// Reports links to files that are not there. Web addresses and anchors are not followed.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in workspace.markdown() {
        let mut fenced = false;
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            for target in targets(&without_code(line)) {
                let found = resolve(path, target).is_some_and(|file| workspace.paths.contains(&file));
                if is_local(target) && !found {
                    violations.push(Violation {
                        path: path.to_owned(),
                        line: number,
                        rule: "link",
                        advice: format!("`{target}` leads nowhere: correct the link or add the file"),
                    });
                }
            }
        }
    }
    violations
}

/// Inline links `[…](target "title")` and definitions `[…]: target`.
fn targets(line: &str) -> Vec<&str> {
    let inline = line
        .match_indices("](")
        .filter_map(|(at, open)| line[at + open.len()..].split(')').next());
    let definition = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| Some(rest.split_once("]:")?.1));
    inline
        .chain(definition)
        .filter_map(|target| target.split_whitespace().next())
        .map(|target| target.trim_start_matches('<').trim_end_matches('>'))
        .collect()
}

/// Blanks inline code.
fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate();
    parts
        .map(|(position, part)| if position % 2 == 0 { part } else { " " })
        .collect()
}

fn is_local(target: &str) -> bool {
    !target.starts_with('#') && !target.contains("://") && !target.starts_with("mailto:")
}

/// The path a link leads to; the empty one is the root. `None` outside of the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let target = target.split(['#', '?']).next()?;
    let (base, target) = match target.strip_prefix('/') {
        Some(absolute) => ("", absolute),
        None => (
            from.rsplit_once('/').map_or("", |(directory, _)| directory),
            target,
        ),
    };
    let mut path: Vec<&str> = Vec::new();
    for part in base.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()?),
            name => path.push(name),
        }
    }
    Some(path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::workspace::Workspace;

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let text = "[a](../README.md) [b](gone.md#part) [c](B.md#part \"B\") ![d](/docs/gone.svg)\n\
                    [e](https://example.org/x) [f](#part) `[g](gone.md)`\n```\n[h](gone.md)\n```\n\
                    [i]: ./B.md\n[j]: ../../outside.md\n[k](../crates)\n";
        let found = check(&Workspace::of(&[
            ("README.md", ""),
            ("docs/A.md", text),
            ("docs/B.md", ""),
            ("crates/x/src/lib.rs", ""),
        ]));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("docs/A.md:1: link: `gone.md#part` leads nowhere"));
        assert!(found[1].starts_with("docs/A.md:1: link: `/docs/gone.svg`"));
        assert!(found[2].starts_with("docs/A.md:7: link: `../../outside.md`"));
    }
}
