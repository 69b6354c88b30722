//! Settings of a simulator before it starts.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use super::{Simulator, SimulatorError, library, replace};
use crate::control::clock::{Clock, FIRST_AGE, unix_now};
use crate::control::{DESCRIPTION_FILE, Description};
use crate::engine::Engine;
use crate::faults::Fault;
use crate::profile::Profile;

/// A simulator that has not started.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    description: Description,
    faults: Vec<Fault>,
    without: Vec<String>,
}

impl Builder {
    pub(super) fn new(profile: &str) -> Self {
        let description = Description {
            profile: profile.into(),
            counters: true,
            ..Description::default()
        };
        // A world that several processes look at needs a beginning that does not depend on them.
        Self {
            description,
            faults: Vec::new(),
            without: Vec::new(),
        }
        .age(FIRST_AGE)
    }

    /// Another course of events.
    pub fn seed(mut self, seed: u64) -> Self {
        self.description.seed = seed;
        self
    }

    /// The world began so long ago, rather than a minute.
    pub fn age(mut self, age: Duration) -> Self {
        let epoch = unix_now().saturating_sub(age);
        self.description.epoch_unix_ms = u64::try_from(epoch.as_millis()).ok();
        self
    }

    /// The world stands still at this age.
    pub fn frozen_at(mut self, age: Duration) -> Self {
        self.description.frozen_at_seconds = Some(age.as_secs_f64());
        self
    }

    /// Every call takes this much longer.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.description.latency = Some(latency);
        self
    }

    /// Calls wait for one another, delays and hangs included.
    pub fn global_lock(mut self) -> Self {
        self.description.global_lock = true;
        self
    }

    /// Calls are not counted where this process can see it.
    pub fn without_counters(mut self) -> Self {
        self.description.counters = false;
        self
    }

    /// Lays profile keys, in TOML, over the profile: for example `gpu.power.limit_w = 500.0`.
    pub fn overrides(mut self, toml: &str) -> Result<Self, SimulatorError> {
        self.description.overrides = toml
            .parse()
            .map_err(|e: toml::de::Error| SimulatorError::Invalid(e.to_string()))?;
        Ok(self)
    }

    /// Faults that are in force from the beginning.
    pub fn faults(mut self, faults: &[Fault]) -> Self {
        self.faults = faults.to_vec();
        self
    }

    /// The library does not export these functions, as one of an older driver does not. (A fault with `missing_symbol` looks
    /// the same to clients that do not tell the two apart, and can come and go.)
    pub fn without_symbols(mut self, names: &[&str]) -> Self {
        self.without.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Sets up the directory.
    pub fn start(self) -> Result<Simulator, SimulatorError> {
        let profile = Profile::load_with(&self.description.profile, &self.description.overrides)?;
        let dir = tempfile::Builder::new()
            .prefix("nvml-sim.")
            .tempdir()
            .map_err(|source| SimulatorError::File {
                path: std::env::temp_dir(),
                source,
            })?;
        let library = install(&library::find()?, dir.path())?;
        library::hide(&library, &self.without)?;
        let text = toml::to_string(&self.description).map_err(|e| SimulatorError::Invalid(e.to_string()))?;
        replace(&dir.path().join(DESCRIPTION_FILE), &text)?;
        let engine = Engine::new(&profile, self.description.seed);
        let clock = Clock::new(&self.description, unix_now());
        let simulator = Simulator {
            dir,
            library,
            profile,
            engine,
            clock,
        };
        simulator.set_faults(&self.faults)?;
        Ok(simulator)
    }
}

/// Copies the library under the names that clients look for; a copy, because each has statics of its own.
fn install(from: &Path, dir: &Path) -> Result<std::path::PathBuf, SimulatorError> {
    let library = dir.join("libnvidia-ml.so.1");
    let plain = dir.join("libnvidia-ml.so");
    std::fs::copy(from, &library).map_err(|source| SimulatorError::File {
        path: library.clone(),
        source,
    })?;
    symlink("libnvidia-ml.so.1", &plain).map_err(|source| SimulatorError::File { path: plain, source })?;
    Ok(library)
}
