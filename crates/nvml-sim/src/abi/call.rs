//! What all calls have in common: an initialised world, a count, faults, a valid handle, and no panic that
//! gets out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::code::{Code, Result};
use super::handle::{Handle, Target};
use super::names::NAMES;
use crate::engine::{Process, Truth};
use crate::faults::{Hit, Incident, Values, restart};
use crate::profile::{GpuSpec, MigSpec};
use crate::world::{self, World};

/// How often a call that a fault holds up looks whether it may go on.
const POLL: Duration = Duration::from_millis(10);

/// A call in progress.
pub(super) struct Call {
    pub(super) world: Arc<World>,
    function: usize,
}

/// A call that has passed the faults, which may have left wrong values to report.
pub(super) struct Passed {
    hit: Option<Hit>,
    /// The age of the world, as its GPUs see it, when the call was let through: one look at the clock serves all of it.
    now: Duration,
}

/// A call on one GPU or MIG instance.
pub(super) struct Device {
    pub(super) world: Arc<World>,
    pub(super) gpu: usize,
    /// The position of the MIG instance in the profile.
    pub(super) mig: Option<usize>,
    passed: Passed,
}

/// A call that concerns no GPU.
pub(super) fn global(function: usize, body: impl FnOnce(&Global) -> Result) -> u32 {
    run(function, true, |call| {
        let passed = call.pass(None)?;
        body(&Global {
            world: call.world,
            passed,
        })
    })
}

/// A call that concerns no GPU, past the faults.
pub(super) struct Global {
    pub(super) world: Arc<World>,
    passed: Passed,
}

/// A call on a GPU as a whole: NVML does not offer it for MIG instances.
pub(super) fn on_device(function: usize, handle: Handle, body: impl FnOnce(&Device) -> Result) -> u32 {
    on_any_device(function, handle, |device| {
        if device.mig.is_some() {
            Err(Code::NOT_SUPPORTED)
        } else {
            body(device)
        }
    })
}

/// A call on a GPU or on a MIG instance.
pub(super) fn on_any_device(function: usize, handle: Handle, body: impl FnOnce(&Device) -> Result) -> u32 {
    run(function, true, |call| body(&call.device(handle)?))
}

/// A call on a GPU instance or a compute instance: it concerns its GPU.
pub(super) fn on_part(function: usize, handle: Handle, body: impl FnOnce(&Call) -> Result) -> u32 {
    run(function, true, |call| {
        let (Ok(Target::GpuInstance(gpu, _)) | Ok(Target::ComputeInstance(gpu, _))) = handle.target() else {
            return Err(call.refuse(Code::INVALID_ARGUMENT));
        };
        if call.world.engine.spec(gpu).is_none() {
            return Err(call.refuse(Code::INVALID_ARGUMENT));
        }
        call.pass(Some(gpu))?;
        body(&call)
    })
}

/// A call whose GPU is known only after a look at its arguments.
pub(super) fn lookup(function: usize, body: impl FnOnce(&Call) -> Result) -> u32 {
    run(function, true, |call| body(&call))
}

/// A call that waits for something, and meanwhile lets others through even in a world where calls exclude one
/// another.
pub(super) fn waiting(function: usize, body: impl FnOnce(&Call) -> Result) -> u32 {
    run(function, false, |call| body(&call))
}

/// The call that builds the world: it runs without one being in force.
pub(super) fn initialising(function: usize, body: impl FnOnce(&Call) -> Result) -> u32 {
    guarded(|| {
        let world = world::build()?;
        body(&Call { world, function })
    })
}

fn run(function: usize, exclusive: bool, body: impl FnOnce(Call) -> Result) -> u32 {
    guarded(|| {
        let world = world::current()?;
        let _alone = if exclusive { world.serialise() } else { None };
        if let Some(latency) = world.latency {
            sleep(latency);
        }
        body(Call { world, function })
    })
}

fn guarded(body: impl FnOnce() -> Result) -> u32 {
    catch_unwind(AssertUnwindSafe(body)).map_or(Code::UNKNOWN.0, Code::of)
}

impl Call {
    /// A call of a function for tests, which do not come from outside.
    #[cfg(test)]
    pub(super) fn of(world: Arc<World>, name: &str) -> Self {
        let function = super::names::number_of(name);
        Self { world, function }
    }

    /// Counts the call for a GPU and lets the faults have their way with it.
    pub(super) fn pass(&self, gpu: Option<usize>) -> Result<Passed> {
        self.world.counters.count(self.function, gpu);
        self.judge(gpu)
    }

    /// The number of the latest fault that was loaded: it grows when new ones are.
    pub(super) fn newest_fault(&self) -> u64 {
        let faults = self.world.faults_in_force();
        faults.iter().map(|active| active.id).max().unwrap_or(0)
    }

    /// Lets the faults have their way with the call.
    pub(super) fn judge(&self, gpu: Option<usize>) -> Result<Passed> {
        let (name, world) = (NAMES[self.function], &self.world);
        let moment = Instant::now();
        let running = world.clock.running_at(moment);
        world.faults.refresh(moment, running);
        let Some(hit) = world.faults.decide(name, gpu, running, world.seed) else {
            let now = world.clock.seen(running);
            return self.present(gpu).map(|()| Passed { hit: None, now });
        };
        let fault = &hit.fault;
        if fault.hang {
            self.hold_up(&hit, None);
        }
        if let Some(delay) = fault.delay {
            self.hold_up(&hit, Some(delay));
        }
        if fault.missing_symbol {
            return Err(Code::FUNCTION_NOT_FOUND);
        }
        if fault.lost {
            return Err(Code::GPU_IS_LOST);
        }
        match fault.code {
            Some(0) | None => {
                // The fault may have held it up.
                let now = world.clock.now();
                self.present(gpu).map(|()| Passed { hit: Some(hit), now })
            }
            Some(code) => Err(Code(code)),
        }
    }

    /// The device of a handle, past the faults, if the device supports this function.
    pub(super) fn device(&self, handle: Handle) -> Result<Device> {
        let (gpu, mig) = match handle.target() {
            Ok(Target::Gpu(gpu)) => (gpu, None),
            Ok(Target::MigDevice(gpu, mig)) => (gpu, Some(mig)),
            _ => return Err(self.refuse(Code::INVALID_ARGUMENT)),
        };
        let Some(spec) = self.world.engine.spec(gpu) else {
            return Err(self.refuse(Code::INVALID_ARGUMENT));
        };
        if mig.is_some_and(|mig| mig >= spec.mig.len()) {
            return Err(self.refuse(Code::INVALID_ARGUMENT));
        }
        let passed = self.pass(Some(gpu))?;
        if self.world.lacks(gpu, self.function) {
            return Err(Code::NOT_SUPPORTED);
        }
        if mig.is_some_and(|mig| !self.world.mig_instances(gpu).contains(&mig)) {
            return Err(Code::INVALID_ARGUMENT);
        }
        Ok(Device {
            world: Arc::clone(&self.world),
            gpu,
            mig,
            passed,
        })
    }

    /// Counts a call that came to nothing because of its arguments.
    pub(super) fn refuse(&self, code: Code) -> Code {
        self.pass(None).err().unwrap_or(code)
    }

    fn present(&self, gpu: Option<usize>) -> Result {
        if gpu.is_none_or(|gpu| self.world.is_present(gpu)) {
            Ok(())
        } else {
            Err(Code::GPU_IS_LOST)
        }
    }

    /// Sleeps for a time, or without end, for as long as the fault stays in force. Holds no lock of its own.
    fn hold_up(&self, hit: &Hit, time: Option<Duration>) {
        let (world, start) = (&self.world, Instant::now());
        loop {
            let left = time.map_or(POLL, |time| time.saturating_sub(start.elapsed()));
            if left.is_zero() {
                return;
            }
            sleep(left.min(POLL));
            let moment = Instant::now();
            let running = world.clock.running_at(moment);
            world.faults.refresh(moment, running);
            if !world.faults.holds(hit.id, running) {
                return;
            }
        }
    }
}

impl Passed {
    /// The wrong values to report, if any.
    pub(super) fn values(&self) -> Option<&Values> {
        self.hit.as_ref().and_then(Hit::values)
    }
}

impl Global {
    /// The wrong values to report, if any.
    pub(super) fn values(&self) -> Option<&Values> {
        self.passed.values()
    }
}

impl Device {
    /// The fixed properties of the GPU.
    pub(super) fn spec(&self) -> Result<&GpuSpec> {
        self.world.engine.spec(self.gpu).ok_or(Code::INVALID_ARGUMENT)
    }

    /// The MIG instance, if the call is on one.
    pub(super) fn instance(&self) -> Result<Option<&MigSpec>> {
        Ok(self.mig.and_then(|mig| self.spec().ok()?.mig.get(mig)))
    }

    /// The age of the world at which the call reads the GPU.
    pub(super) fn now(&self) -> Duration {
        self.passed.now
    }

    /// The readings now, with the wrong values of a fault in place of the true ones.
    pub(super) fn truth(&self) -> Result<Arc<Truth>> {
        self.truth_at(self.now())
    }

    /// The readings at an age of the world.
    pub(super) fn truth_at(&self, age: Duration) -> Result<Arc<Truth>> {
        let mut truth = self
            .world
            .engine
            .shared_truth(self.gpu, age)
            .ok_or(Code::INVALID_ARGUMENT)?;
        if let Some(values) = self.values() {
            let truth = Arc::make_mut(&mut truth);
            if let Some(began) = self.restarted() {
                let base = self.world.engine.shared_truth(self.gpu, began);
                restart(truth, base.as_ref().ok_or(Code::INVALID_ARGUMENT)?);
            }
            values.distort(truth);
        }
        Ok(truth)
    }

    /// How often something has happened to the GPU, or to one of its links, since its counters began.
    pub(super) fn incidents(&self, what: Incident, link: Option<u32>) -> u64 {
        let all = self.world.incidents(self.gpu, what, link);
        let restarted = self.passed.hit.as_ref().filter(|_| self.restarted().is_some());
        let before = restarted.map_or(0, |hit| {
            self.world.faults.incidents(self.gpu, what, link, hit.began)
        });
        all.saturating_sub(before)
    }

    /// The age of the world at which the counters began anew, if a fault made them.
    fn restarted(&self) -> Option<Duration> {
        let hit = self.passed.hit.as_ref()?;
        let restarts = hit.values().is_some_and(|values| values.counters_restart);
        let clock = &self.world.clock;
        // Nothing has happened since in a world that stands still.
        restarts.then(|| if clock.is_frozen() { clock.now() } else { hit.began })
    }

    /// The processes now; on a MIG instance, only its own.
    pub(super) fn processes(&self) -> Vec<Process> {
        let mut all = self.world.engine.processes(self.gpu, self.now());
        if let Some(mig) = self.mig {
            all.retain(|process| process.mig == Some(mig));
        }
        all
    }

    /// The wrong values to report, if any.
    pub(super) fn values(&self) -> Option<&Values> {
        self.passed.values()
    }

    /// Whether MIG mode is on, which takes some readings away from the GPU as a whole.
    pub(super) fn has_mig(&self) -> bool {
        self.world.has_mig(self.gpu)
    }
}
