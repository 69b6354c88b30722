//! The description of a world: which profile, which seed, which clock.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DESCRIPTION_FILE, PROFILE_VARIABLE};

/// The profile when nothing names one.
const DEFAULT_PROFILE: &str = "h100-sxm-8";

/// What `nvml-sim.toml` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Description {
    /// A built-in profile's name, or the path of a profile file (relative to the library's directory).
    pub profile: String,
    /// Chooses among the many possible courses of events.
    pub seed: u64,
    /// When the world began, in milliseconds since 1970; processes with the same value see the same world.
    /// When absent, the world is a minute old at the first initialisation in the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch_unix_ms: Option<u64>,
    /// The world stands still at this many seconds after its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen_at_seconds: Option<f64>,
    /// Every call takes this much longer.
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub latency: Option<Duration>,
    /// Calls of all threads wait for one another, delays and hangs included, as with the real driver at its
    /// worst.
    pub global_lock: bool,
    /// Calls are counted in a file that other processes can read.
    pub counters: bool,
    /// Profile keys to lay over the profile's own, for example `[overrides.gpu.power] limit_w = 500.0`.
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub overrides: toml::Table,
}

impl Default for Description {
    fn default() -> Self {
        Self {
            profile: DEFAULT_PROFILE.into(),
            seed: 1,
            epoch_unix_ms: None,
            frozen_at_seconds: None,
            latency: None,
            global_lock: false,
            counters: false,
            overrides: toml::Table::new(),
        }
    }
}

impl Description {
    /// The description in a directory; without a file, the profile that the environment names, or the default
    /// one.
    pub(crate) fn find(dir: &Path) -> Result<Self, String> {
        let path = dir.join(DESCRIPTION_FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, dir).map_err(|problem| format!("{}: {problem}", path.display())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::from_environment()),
            Err(e) => Err(format!("{}: {e}", path.display())),
        }
    }

    /// Reads a description; a profile's relative path is taken from `dir`.
    fn parse(text: &str, dir: &Path) -> Result<Self, String> {
        let mut found: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        if let Some(at) = found.frozen_at_seconds
            && Duration::try_from_secs_f64(at).is_err()
        {
            return Err(format!("`frozen_at_seconds` is {at}, it must be 0 or more"));
        }
        let is_path = found.profile.contains('/') || found.profile.ends_with(".toml");
        if is_path {
            found.profile = dir.join(&found.profile).to_string_lossy().into_owned();
        }
        Ok(found)
    }

    fn from_environment() -> Self {
        let profile = std::env::var(PROFILE_VARIABLE)
            .ok()
            .filter(|name| !name.is_empty());
        profile.map_or_else(Self::default, |profile| Self {
            profile,
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_keys_have_defaults_and_unknown_ones_are_named() {
        let dir = Path::new("/somewhere");
        let found = Description::parse("profile = \"t4\"\nlatency = \"2ms\"", dir).unwrap();
        assert_eq!((found.profile.as_str(), found.seed), ("t4", 1));
        assert_eq!(found.latency, Some(Duration::from_millis(2)));
        let problem = Description::parse("profil = \"t4\"", dir).unwrap_err();
        assert!(
            problem.contains("profil") && problem.contains("expected"),
            "{problem}"
        );
        assert!(Description::parse("frozen_at_seconds = -1.0", dir).is_err());
    }

    #[test]
    fn a_profile_path_is_relative_to_the_library() {
        let found = Description::parse("profile = \"own.toml\"", Path::new("/somewhere")).unwrap();
        assert_eq!(found.profile, "/somewhere/own.toml");
    }
}
