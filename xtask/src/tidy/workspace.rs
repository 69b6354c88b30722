//! The workspace's files in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::tidy::manifest::Manifest;

/// Build results, version control and what tools leave behind.
const SKIPPED: [&str; 6] = [".git", "target", "node_modules", "venv", ".venv", "__pycache__"];

/// The files whose text some rule reads.
const READ: [&str; 3] = ["rs", "toml", "md"];

/// What the rules look at. All paths are relative to the root and use `/`.
pub(super) struct Workspace {
    /// Text by path, of the files that some rule reads.
    pub(super) files: BTreeMap<String, String>,
    /// Every file and directory.
    pub(super) paths: BTreeSet<String>,
    /// The member crates.
    pub(super) members: Vec<Manifest>,
}

impl Workspace {
    /// Reads the tree below `root`.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let (mut files, mut paths) = (BTreeMap::new(), BTreeSet::new());
        walk(root, "", &mut files, &mut paths)?;
        Self::new(files, paths)
    }

    /// Made-up files, for tests.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files: BTreeMap<String, String> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        let mut paths = BTreeSet::new();
        for path in files.keys() {
            paths.extend(path.match_indices('/').map(|(end, _)| path[..end].to_owned()));
            paths.insert(path.clone());
        }
        Self::new(files, paths).unwrap()
    }

    fn new(files: BTreeMap<String, String>, paths: BTreeSet<String>) -> Result<Self> {
        let root = files.get("Cargo.toml").map_or("", String::as_str);
        let root: toml::Table = root.parse().context("Cargo.toml")?;
        let shared = root
            .get("workspace")
            .and_then(|workspace| workspace.get("dependencies"));
        let members = files
            .iter()
            .filter(|(path, _)| path.ends_with("/Cargo.toml"))
            .map(|(path, text)| Manifest::parse(path, text, shared).with_context(|| path.clone()))
            .collect::<Result<_>>()?;
        Ok(Self {
            files,
            paths,
            members,
        })
    }

    /// The Rust files, path and text.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.with_extension(".rs")
    }

    /// The Markdown files, path and text.
    pub(super) fn markdown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.with_extension(".md")
    }

    fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        let matching = self
            .files
            .iter()
            .filter(move |(path, _)| path.ends_with(extension));
        matching.map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn walk(
    directory: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, String>,
    paths: &mut BTreeSet<String>,
) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files, paths)?;
        } else if name
            .rsplit_once('.')
            .is_some_and(|(_, extension)| READ.contains(&extension))
        {
            let text = fs::read_to_string(entry.path()).with_context(|| path.clone())?;
            files.insert(path.clone(), text);
        }
        paths.insert(path);
    }
    Ok(())
}
