//! Simulators for tests and demonstrations: a private copy of the library in a directory of its own.
//!
//! ```no_run
//! use nvml_sim::faults::Fault;
//! use nvml_sim::testing::Simulator;
//!
//! # fn main() -> Result<(), nvml_sim::testing::SimulatorError> {
//! let simulator = Simulator::start("h100-sxm-8")?;
//! // ... let the program under test load `simulator.library_path()` ...
//! simulator.set_faults(&[Fault::on("nvmlDeviceGetPowerUsage").gpu(3).hang()])?;
//! assert!(simulator.calls("nvmlDeviceGetPowerUsage", Some(3)) >= 1);
//! simulator.clear_faults()?;
//! # Ok(())
//! # }
//! ```

mod builder;
mod library;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use builder::Builder;

use crate::control::FAULTS_FILE;
use crate::control::clock::Clock;
use crate::control::counters::Tally;
use crate::engine::{Engine, Mean, Process, Truth};
use crate::faults::{self, Fault};
use crate::profile::{Profile, ProfileError};

/// A copy of the library with its control files, and the truth about what it plays. Removed when dropped.
#[derive(Debug)]
pub struct Simulator {
    dir: tempfile::TempDir,
    library: PathBuf,
    profile: Profile,
    engine: Engine,
    clock: Clock,
}

/// Why a simulator cannot be set up or told something.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The library has not been built, or is not where it is looked for.
    #[error(
        "libnvml_sim.so is in none of {searched:?}; build it with `cargo build -p nvml-sim`, \
         or name it in NVML_SIM_LIBRARY"
    )]
    NoLibrary {
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A fault or a description that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Simulator {
    /// A simulator of a profile whose world is a minute old, that counts calls, and has no faults.
    pub fn start(profile: &str) -> Result<Self, SimulatorError> {
        Self::builder(profile).start()
    }

    /// A simulator with other settings.
    pub fn builder(profile: &str) -> Builder {
        Builder::new(profile)
    }

    /// The directory of the library: for `LD_LIBRARY_PATH`.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The library, named `libnvidia-ml.so.1`.
    pub fn library_path(&self) -> &Path {
        &self.library
    }

    /// Puts a list of faults in force in place of the previous one; running processes notice within some 10
    /// ms.
    pub fn set_faults(&self, list: &[Fault]) -> Result<(), SimulatorError> {
        let text = faults::render(list).map_err(SimulatorError::Invalid)?;
        replace(&self.dir().join(FAULTS_FILE), &text)
    }

    /// Ends all faults; calls that hang return.
    pub fn clear_faults(&self) -> Result<(), SimulatorError> {
        self.set_faults(&[])
    }

    /// How often a function has been called on a GPU (numbered as in the profile), or without one.
    ///
    /// # Panics
    ///
    /// When the counters cannot be read.
    pub fn calls(&self, function: &str, gpu: Option<usize>) -> u64 {
        self.tally().calls(function, gpu)
    }

    /// How often a function has been called, on whatever GPU.
    ///
    /// # Panics
    ///
    /// When the counters cannot be read.
    pub fn calls_anywhere(&self, function: &str) -> u64 {
        self.tally().calls_anywhere(function)
    }

    /// How many calls there have been.
    ///
    /// # Panics
    ///
    /// When the counters cannot be read.
    pub fn total_calls(&self) -> u64 {
        self.tally().total()
    }

    /// The process that initialised the library last, if any.
    ///
    /// # Panics
    ///
    /// When the counters cannot be read.
    pub fn client(&self) -> Option<u32> {
        u32::try_from(self.tally().pid()).ok().filter(|pid| *pid != 0)
    }

    /// The age of the world now; fixed when it stands still.
    pub fn age(&self) -> Duration {
        self.clock.now()
    }

    /// When the world began, since 1970.
    pub fn epoch(&self) -> Duration {
        self.clock.epoch_unix()
    }

    /// The readings of a GPU now, as every process that loads this library sees them, faults apart.
    pub fn truth(&self, gpu: usize) -> Option<Truth> {
        self.truth_at(gpu, self.age())
    }

    /// The readings of a GPU at an age of the world.
    pub fn truth_at(&self, gpu: usize, age: Duration) -> Option<Truth> {
        self.engine.truth(gpu, age)
    }

    /// What a GPU did between two ages of the world: the exact integrals of what is played, whatever its work is. Nothing
    /// between an age and itself.
    pub fn mean(&self, gpu: usize, from: Duration, to: Duration) -> Option<Mean> {
        self.engine.mean(gpu, from, to)
    }

    /// The exact mean load of a MIG instance (by position in the profile) between two ages of the world, and that of its memory
    /// interface, as shares of the instance.
    pub fn instance_mean(&self, gpu: usize, mig: usize, from: Duration, to: Duration) -> Option<(f64, f64)> {
        self.engine.instance_mean(gpu, mig, from, to)
    }

    /// The age of the world at a time since 1970: what a timestamp that a client took is for the other questions here.
    pub fn age_at(&self, since_1970: Duration) -> Duration {
        since_1970.saturating_sub(self.epoch())
    }

    /// The processes on a GPU now.
    pub fn processes(&self, gpu: usize) -> Vec<Process> {
        self.engine.processes(gpu, self.age())
    }

    /// The simulated node's fixed properties.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    fn tally(&self) -> Tally {
        Tally::read(self.dir()).expect("the call counters can be read")
    }
}

/// Replaces a file at once, so that a reader sees the old or the new one.
fn replace(path: &Path, text: &str) -> Result<(), SimulatorError> {
    let aside = path.with_extension("new");
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |source| SimulatorError::File { path, source }
    };
    std::fs::write(&aside, text).map_err(at(&aside))?;
    std::fs::rename(&aside, path).map_err(at(path))
}
