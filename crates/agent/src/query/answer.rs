//! Where answers go: standard output, or a file in its place.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context as _;

use crate::shown::watch::write;

/// Where answers go.
pub(super) struct Answers {
    file: Option<RefCell<File>>,
}

impl Answers {
    /// Into this file, which begins anew, or to standard output.
    pub(super) fn to(file: Option<&Path>) -> anyhow::Result<Self> {
        let create = |path: &Path| {
            File::create(path)
                .map(RefCell::new)
                .with_context(|| format!("{} cannot be written", path.display()))
        };
        Ok(Self {
            file: file.map(create).transpose()?,
        })
    }

    /// Writes one, at once.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        match &self.file {
            Some(file) => file.borrow_mut().write_all(text.as_bytes()),
            None => write(text),
        }
    }
}
