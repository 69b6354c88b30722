//! What one loaded copy of the library holds: the simulated node while it is initialised, and what outlives
//! it.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::abi::sys;
use crate::abi::{Code, NAMES};
use crate::control::clock::{Clock, unix_now};
use crate::control::counters::Counters;
use crate::control::{Description, FAULTS_FILE};
use crate::engine::Engine;
use crate::faults::{Active, Incident, LiveFaults, glob_matches};
use crate::profile::Profile;

/// A simulated node between initialisation and shutdown.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) profile: Profile,
    pub(crate) engine: Engine,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) latency: Option<Duration>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) faults: &'static LiveFaults,
    /// By GPU and function, whether the profile says that it is not supported: names are compared once.
    unsupported: Vec<Vec<bool>>,
    global_lock: bool,
}

/// What lives as long as the library is loaded, so that it survives a shutdown and a new initialisation.
struct Process {
    dir: PathBuf,
    faults: LiveFaults,
    /// When the first initialisation was, since 1970: the world's age counts from it if its description does
    /// not say.
    first_init: Duration,
    counters: Mutex<Option<(bool, Arc<Counters>)>>,
    global_lock: Mutex<()>,
}

/// Initialisations minus shutdowns, and the world while that is positive.
#[derive(Default)]
struct State {
    references: u64,
    world: Option<Arc<World>>,
}

static PROCESS: OnceLock<Process> = OnceLock::new();
static STATE: RwLock<State> = RwLock::new(State {
    references: 0,
    world: None,
});
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The world, if the library is initialised.
pub(crate) fn current() -> Result<Arc<World>, Code> {
    let state = STATE.read().unwrap_or_else(PoisonError::into_inner);
    state.world.clone().ok_or(Code::UNINITIALIZED)
}

/// Builds the world that the control file describes, without putting it in force.
pub(crate) fn build() -> Result<Arc<World>, Code> {
    if let Ok(world) = current() {
        return Ok(world);
    }
    World::build().map(Arc::new).map_err(|problem| {
        complain(&problem);
        Code::UNKNOWN
    })
}

/// Counts an initialisation; the first one puts the world in force.
pub(crate) fn initialise(world: Arc<World>) {
    let mut state = STATE.write().unwrap_or_else(PoisonError::into_inner);
    state.references += 1;
    state.world.get_or_insert(world);
}

/// Counts a shutdown; the last one ends the world.
pub(crate) fn shut_down() {
    let mut state = STATE.write().unwrap_or_else(PoisonError::into_inner);
    state.references = state.references.saturating_sub(1);
    if state.references == 0 {
        state.world = None;
    }
}

/// Says on stderr what is wrong, without failing where there is no stderr.
pub(crate) fn complain(problem: &str) {
    let _ = writeln!(std::io::stderr(), "nvml-sim: {problem}");
}

/// A number that was never given out before in this process.
pub(crate) fn fresh_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

impl World {
    fn build() -> Result<Self, String> {
        let process = PROCESS.get_or_init(Process::new);
        let description = Description::find(&process.dir)?;
        let profile =
            Profile::load_with(&description.profile, &description.overrides).map_err(|e| e.to_string())?;
        let clock = Clock::new(&description, process.first_init);
        process.faults.refresh(Instant::now(), clock.running());
        Ok(Self {
            engine: Engine::new(&profile, description.seed),
            counters: process.counters(description.counters, &clock)?,
            unsupported: unsupported(&profile),
            profile,
            clock,
            seed: description.seed,
            latency: description.latency,
            faults: &process.faults,
            global_lock: description.global_lock,
        })
    }

    /// A world for tests of calls in this process: frozen at an age, with these faults from the beginning.
    #[cfg(test)]
    pub(crate) fn of(profile: Profile, age: Duration, list: &[crate::faults::Fault]) -> Arc<Self> {
        let description = Description {
            frozen_at_seconds: Some(age.as_secs_f64()),
            ..Description::default()
        };
        let clock = Clock::new(&description, unix_now());
        let faults: &'static LiveFaults = Box::leak(Box::new(LiveFaults::fixed(list, clock.running())));
        Arc::new(Self {
            engine: Engine::new(&profile, 0),
            unsupported: unsupported(&profile),
            profile,
            clock,
            seed: 0,
            latency: None,
            counters: Arc::new(Counters::private()),
            faults,
            global_lock: false,
        })
    }

    /// Waits for all other calls to end, if the world is one where calls exclude one another.
    pub(crate) fn serialise(&self) -> Option<MutexGuard<'static, ()>> {
        let process = PROCESS.get().filter(|_| self.global_lock)?;
        Some(process.global_lock.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The faults that are in force, for what they say about events and devices.
    pub(crate) fn faults_in_force(&self) -> Vec<Active> {
        if self.faults.is_empty() {
            return Vec::new();
        }
        self.faults.in_force(self.clock.running())
    }

    /// Whether a GPU's profile says that it does not support a function.
    pub(crate) fn lacks(&self, gpu: usize, function: usize) -> bool {
        let of_gpu = self.unsupported.get(gpu);
        of_gpu.is_some_and(|functions| functions.get(function) == Some(&true))
    }

    /// The GPUs that are there, in the order of their indices.
    pub(crate) fn roster(&self) -> Vec<usize> {
        let faults = self.faults_in_force();
        let said = faults.iter().find_map(|active| active.fault.roster.clone());
        said.map_or_else(
            || (0..self.engine.len()).collect(),
            |roster| {
                roster
                    .into_iter()
                    .filter(|gpu| *gpu < self.engine.len())
                    .collect()
            },
        )
    }

    /// Whether a GPU is there.
    pub(crate) fn is_present(&self, gpu: usize) -> bool {
        let faults = self.faults_in_force();
        let said = faults.iter().find_map(|active| active.fault.roster.as_ref());
        said.is_none_or(|roster| roster.contains(&gpu))
    }

    /// How often something has happened to a GPU by now, or to one of its links.
    pub(crate) fn incidents(&self, gpu: usize, what: Incident, link: Option<u32>) -> u64 {
        if self.faults.is_empty() {
            return 0;
        }
        self.faults.incidents(gpu, what, link, self.clock.running())
    }

    /// Whether MIG mode is on.
    pub(crate) fn has_mig(&self, gpu: usize) -> bool {
        let Some(spec) = self.engine.spec(gpu) else {
            return false;
        };
        let faults = self.faults_in_force();
        let mut about_it = faults.iter().filter(|active| active.fault.is_about(gpu));
        let said = about_it
            .find_map(|active| active.fault.mig)
            .filter(|_| spec.mig_capable);
        said.unwrap_or(!spec.mig.is_empty())
    }

    /// The MIG instances of a GPU that are there, as positions in its profile.
    pub(crate) fn mig_instances(&self, gpu: usize) -> Vec<usize> {
        if !self.has_mig(gpu) {
            return Vec::new();
        }
        let all = self.engine.spec(gpu).map_or(0, |spec| spec.mig.len());
        let faults = self.faults_in_force();
        let mut said = faults.iter().filter(|active| active.fault.is_about(gpu));
        said.find_map(|active| active.fault.mig_instances.clone())
            .map_or_else(
                || (0..all).collect(),
                |instances| instances.into_iter().filter(|instance| *instance < all).collect(),
            )
    }

    /// Microseconds since 1970 at an age of the world, which is how NVML stamps samples and events.
    pub(crate) fn timestamp_us(&self, age: Duration) -> u64 {
        u64::try_from((self.clock.epoch_unix() + age).as_micros()).unwrap_or(u64::MAX)
    }
}

/// By GPU and function, whether a pattern of the profile takes the function away.
fn unsupported(profile: &Profile) -> Vec<Vec<bool>> {
    let patterns = profile.gpus.iter().map(|gpu| &gpu.unsupported);
    let table = patterns.map(|patterns| match &patterns[..] {
        [] => Vec::new(),
        patterns => NAMES
            .iter()
            .map(|name| patterns.iter().any(|pattern| glob_matches(pattern, name)))
            .collect(),
    });
    table.collect()
}

impl Process {
    fn new() -> Self {
        let library = sys::library_path();
        let dir = library
            .and_then(|path| path.parent().map(PathBuf::from))
            .unwrap_or_default();
        // The program may have loaded the library by a relative path, and then go elsewhere.
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let faults = LiveFaults::new(dir.join(FAULTS_FILE));
        Self {
            dir,
            faults,
            first_init: unix_now(),
            counters: Mutex::default(),
            global_lock: Mutex::default(),
        }
    }

    /// The counters; they go on through a new initialisation unless their kind is to change.
    fn counters(&self, shared: bool, clock: &Clock) -> Result<Arc<Counters>, String> {
        let mut kept = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kind, counters)) = &*kept
            && *kind == shared
        {
            return Ok(Arc::clone(counters));
        }
        let epoch_ms = u64::try_from(clock.epoch_unix().as_millis()).unwrap_or(u64::MAX);
        let counters = if shared {
            Counters::shared(&self.dir, epoch_ms)
                .map_err(|e| format!("call counters in {}: {e}", self.dir.display()))?
        } else {
            Counters::private()
        };
        let counters = Arc::new(counters);
        *kept = Some((shared, Arc::clone(&counters)));
        Ok(counters)
    }
}
