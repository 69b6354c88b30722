//! A member's `Cargo.toml`, as far as the rules care.

use anyhow::{Context, Result};
use toml::{Table, Value};

/// A parsed manifest and the text it came from.
pub(super) struct Manifest {
    /// Path of the file.
    pub(super) path: String,
    /// The package's name.
    pub(super) name: String,
    /// The file's content.
    pub(super) table: Table,
    /// Everything the package depends on.
    pub(super) dependencies: Vec<Dependency>,
}

/// One entry of one dependency table.
pub(super) struct Dependency {
    /// The package depended on, also where it is renamed.
    pub(super) package: String,
    /// For tests, examples and benches only.
    pub(super) dev: bool,
    /// Version and source come from the root manifest.
    pub(super) inherited: bool,
    /// Where it is written.
    pub(super) line: usize,
}

const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

impl Manifest {
    /// Reads a manifest; `shared` is `[workspace.dependencies]` of the root.
    pub(super) fn parse(path: &str, text: &str, shared: Option<&Value>) -> Result<Self> {
        let table: Table = text.parse()?;
        let name = table
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(Value::as_str);
        let name = name.context("no package name")?.to_owned();
        let targets = table.get("target").and_then(Value::as_table);
        let mut dependencies = Vec::new();
        for scope in targets
            .into_iter()
            .flat_map(Table::values)
            .filter_map(Value::as_table)
            .chain([&table])
        {
            for kind in TABLES {
                let entries = scope.get(kind).and_then(Value::as_table);
                for (key, entry) in entries.into_iter().flatten() {
                    let renamed = |entry: &Value| entry.get("package")?.as_str().map(str::to_owned);
                    let package = renamed(entry)
                        .or_else(|| renamed(shared?.get(key)?))
                        .unwrap_or_else(|| key.clone());
                    dependencies.push(Dependency {
                        package,
                        dev: kind == "dev-dependencies",
                        inherited: entry.get("workspace").and_then(Value::as_bool) == Some(true),
                        line: line_of(text, kind, key),
                    });
                }
            }
        }
        Ok(Self {
            path: path.to_owned(),
            name,
            table,
            dependencies,
        })
    }
}

/// The line of an entry in (any target's) table `kind`; 1 where it is written in an unusual way.
fn line_of(text: &str, kind: &str, key: &str) -> usize {
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let of_entry = section.strip_suffix(key).and_then(|rest| rest.strip_suffix('.'));
            if of_entry.is_some_and(|table| last_segment(table) == kind) {
                return number;
            }
            inside = last_segment(section) == kind;
        } else if inside
            && line
                .strip_prefix(key)
                .is_some_and(|rest| rest.trim_start().starts_with(['.', '=']))
        {
            return number;
        }
    }
    1
}

fn last_segment(section: &str) -> &str {
    section.rsplit('.').next().unwrap_or(section)
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn dependencies_are_found_in_every_table() {
        let text = "[package]\nname = \"a\"\n\n[dependencies]\nserde.workspace = true\nb = \"1\"\n\n\
                    [dev-dependencies.c]\nworkspace = true\n\n[target.'cfg(unix)'.dependencies]\nd = { version = \"1\" }\n\n\
                    [build-dependencies]\ne = { package = \"f\", workspace = true }\n";
        let manifest = Manifest::parse("a/Cargo.toml", text, None).unwrap();
        let mut found: Vec<_> = manifest
            .dependencies
            .iter()
            .map(|d| (d.package.as_str(), d.dev, d.inherited, d.line))
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                ("b", false, false, 6),
                ("c", true, true, 8),
                ("d", false, false, 12),
                ("f", false, true, 15),
                ("serde", false, true, 5),
            ]
        );
    }

    #[test]
    fn a_rename_in_the_root_is_seen_through() {
        let shared: toml::Table = "short = { package = \"long\", version = \"1\" }".parse().unwrap();
        let text = "[package]\nname = \"a\"\n[dependencies]\nshort.workspace = true\n";
        let manifest = Manifest::parse("a/Cargo.toml", text, Some(&shared.into())).unwrap();
        assert_eq!(manifest.dependencies[0].package, "long");
    }
}
