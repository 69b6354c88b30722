//! Where the workspace and its build results lie, and the shell that commands run in.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// The targets whose tests `cargo test --workspace` builds. A build with exactly these shares its dependencies with
/// the tests: any narrower selection resolves other features and compiles the dependencies a second time.
pub(crate) const TEST_TARGETS: [&str; 5] = ["--workspace", "--lib", "--bins", "--tests", "--examples"];

/// The workspace on disk.
pub(crate) struct Project {
    /// Runs commands in the workspace's root.
    pub(crate) sh: Shell,
    /// The directory of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, wherever the environment or the configuration puts it.
    pub(crate) target: PathBuf,
}

impl Project {
    /// Finds the workspace that this program was built from.
    pub(crate) fn open() -> Result<Self> {
        let own = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own
            .parent()
            .context("the workspace's root is above xtask")?
            .to_path_buf();
        let sh = Shell::new()?;
        sh.change_dir(&root);
        let metadata = cmd!(sh, "cargo metadata --no-deps --format-version 1")
            .quiet()
            .read()?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let target = metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target directory")?;
        Ok(Self {
            target: PathBuf::from(target),
            sh,
            root,
        })
    }

    /// Puts `text` into a document, between the two comments that mark its place there.
    pub(crate) fn write_between(&self, document: &str, comments: (&str, &str), text: &str) -> Result<()> {
        let (begin, end) = comments;
        let path = self.root.join(document);
        let all = fs::read_to_string(&path).with_context(|| format!("reading {document}"))?;
        let Some((before, (_, after))) = all
            .split_once(begin)
            .and_then(|(before, rest)| Some((before, rest.split_once(end)?)))
        else {
            bail!("{document} has lost the comments between which the tables stand: put them back");
        };
        let all = format!("{before}{begin}\n{}\n\n{end}{after}", text.trim());
        fs::write(&path, all).with_context(|| format!("writing {document}"))
    }

    /// A path below the target directory.
    pub(crate) fn built(&self, path: impl AsRef<Path>) -> PathBuf {
        self.target.join(path)
    }
}

/// Whether this runs unattended, where a check that cannot be made is a failure and not a remark.
pub(crate) fn in_ci() -> bool {
    env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
