//! Prints the effective configuration as TOML, with the origin of each value beside it.

use std::fmt;

use super::{Loaded, keys, layers};

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = keys::all().map(|key| self.line(key)).collect();
        let width = lines
            .iter()
            .map(|(setting, _)| setting.len())
            .max()
            .unwrap_or_default();
        for (setting, origin) in lines {
            writeln!(f, "{setting:width$}  # {origin}")?;
        }
        Ok(())
    }
}

impl Loaded {
    fn line(&self, key: &keys::Key) -> (String, String) {
        let Some(value) = keys::literal(&self.config, key.path) else {
            return (format!("# {}", key.path), "not set".to_owned());
        };
        let origin = self
            .layers
            .find_metadata(key.path)
            .map(|metadata| layers::origin(metadata, key.path));
        (
            format!("{} = {value}", key.path),
            origin.unwrap_or_else(|| "default".to_owned()),
        )
    }
}
