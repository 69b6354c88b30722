//! Event sets: waiting for an XID, a memory error, a change of clocks. Events come from faults; healthy GPUs have none.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::call::Call;
use super::code::{Code, Result};
use super::ffi::{Out, export};
use super::handle::{Handle, Target};
use super::layout::{EventData, EventDataV1};
use super::process::NO_INSTANCE;
use crate::faults::Incident;
use crate::world;

/// `nvmlEventTypeXidCriticalError`, the one kind of event that says more than that it happened.
const XID: u64 = 0x8;

/// Kinds that can be registered for: ECC errors, performance states, XID, clocks, recovery actions.
const SUPPORTED: u64 = 0x801F;

/// How often a waiting thread looks for events: seldom while there are no faults that could cause any, so that a
/// client's waiting costs next to nothing, often enough for a storm of them otherwise.
const POLL_IN_PEACE: Duration = Duration::from_millis(200);
const POLL: Duration = Duration::from_millis(5);

/// Event sets by number.
static SETS: Mutex<Option<HashMap<u32, EventSet>>> = Mutex::new(None);

#[derive(Default)]
struct EventSet {
    /// The kinds of events wanted, by GPU.
    wanted: HashMap<usize, u64>,
    /// How many events of each fault and kind each GPU has had, or had before it was registered.
    had: HashMap<(u64, u64, usize), u64>,
}

export! {
    global fn nvmlEventSetCreate(set: Out<Handle>) |_call| {
        if set.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        // Handles have 24 bits for it; a client that creates that many sets has others long gone.
        let id = world::fresh_id() as u32 & 0xFF_FFFF;
        sets().get_or_insert_default().insert(id, EventSet::default());
        set.write(Handle::new(Target::EventSet(id)))
    }

    lookup fn nvmlDeviceRegisterEvents(device: Handle, kinds: u64, set: Handle) |call| {
        let gpu = call.device(device)?;
        if gpu.mig.is_some() || kinds & !SUPPORTED != 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        let due = due(call, gpu.gpu);
        with(set, |set| {
            // What has happened before is not news.
            set.had.extend(due.iter().map(|event| ((event.fault, event.kind, gpu.gpu), event.count)));
            *set.wanted.entry(gpu.gpu).or_default() |= kinds;
        })
    }

    device fn nvmlDeviceGetSupportedEventTypes(kinds: Out<u64>) |_gpu| {
        kinds.write(SUPPORTED)
    }

    waiting fn nvmlEventSetWait(set: Handle, data: Out<EventDataV1>, timeout_ms: u32) |call| {
        let event = wait(call, set, timeout_ms)?;
        data.write(EventDataV1 { device: event.device, kind: event.kind, data: event.data })
    }

    waiting fn nvmlEventSetWait_v2(set: Handle, data: Out<EventData>, timeout_ms: u32) |call| {
        let event = wait(call, set, timeout_ms)?;
        data.write(event)
    }

    global fn nvmlEventSetFree(set: Handle) |_call| {
        let Ok(Target::EventSet(id)) = set.target() else {
            return Err(Code::INVALID_ARGUMENT);
        };
        let removed = sets().as_mut().and_then(|sets| sets.remove(&id));
        removed.map(drop).ok_or(Code::INVALID_ARGUMENT)
    }
}

/// Waits for an event, for the end of the time, or for a fault that concerns waiting.
fn wait(call: &Call, set: Handle, timeout_ms: u32) -> Result<EventData> {
    call.pass(None)?;
    let (start, timeout) = (Instant::now(), Duration::from_millis(u64::from(timeout_ms)));
    let known = call.newest_fault();
    loop {
        let world = &call.world;
        let moment = Instant::now();
        world.faults.refresh(moment, world.clock.running_at(moment));
        if let Some(event) = next(call, set)? {
            return Ok(event);
        }
        if call.newest_fault() > known {
            call.judge(None)?;
        }
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(Code::TIMEOUT);
        }
        let peace = world.faults_in_force().is_empty();
        sleep(left.min(if peace { POLL_IN_PEACE } else { POLL }));
    }
}

/// The next event that a set has not had yet.
fn next(call: &Call, set: Handle) -> Result<Option<EventData>> {
    let gpus: Vec<usize> = with(set, |set| set.wanted.keys().copied().collect())?;
    let due: Vec<_> = gpus
        .into_iter()
        .flat_map(|gpu| due(call, gpu).into_iter().map(move |event| (gpu, event)))
        .collect();
    with(set, |set| {
        for (gpu, event) in due {
            let wanted = set.wanted.get(&gpu).is_some_and(|kinds| kinds & event.kind != 0);
            let had = set.had.entry((event.fault, event.kind, gpu)).or_default();
            if wanted && *had < event.count {
                *had += 1;
                return Some(EventData {
                    device: Handle::new(Target::Gpu(gpu)),
                    kind: event.kind,
                    data: event.data,
                    gpu_instance: event.instances[0],
                    compute_instance: event.instances[1],
                });
            }
        }
        None
    })
}

/// The events of one kind that one fault has caused on one GPU so far.
struct Due {
    fault: u64,
    kind: u64,
    data: u64,
    count: u64,
    /// GPU instance and compute instance.
    instances: [u32; 2],
}

fn due(call: &Call, gpu: usize) -> Vec<Due> {
    let now = call.world.clock.running();
    let has_ecc = call.world.engine.spec(gpu).is_some_and(|spec| spec.memory.ecc);
    let faults = call.world.faults.in_force(now).into_iter();
    let about_it = faults.filter(|active| active.fault.is_about(gpu));
    let events = about_it.flat_map(|active| {
        let count = active.fault.occurrences(now.saturating_sub(active.loaded));
        let incident = active.fault.incident.filter(|what| has_ecc || !what.needs_ecc());
        let kinds = [
            active.fault.event().map(|xid| (XID, xid)),
            incident.and_then(Incident::event).map(|kind| (kind, 0)),
        ];
        let named = [active.fault.gpu_instance, active.fault.compute_instance];
        let due = move |(kind, data)| Due {
            fault: active.id,
            kind,
            data,
            count,
            // Only an XID tells which instance it concerns.
            instances: named.map(|id| id.filter(|_| kind == XID).unwrap_or(NO_INSTANCE)),
        };
        kinds.into_iter().flatten().map(due)
    });
    events.collect()
}

fn sets() -> MutexGuard<'static, Option<HashMap<u32, EventSet>>> {
    SETS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with<T>(handle: Handle, act: impl FnOnce(&mut EventSet) -> T) -> Result<T> {
    let Ok(Target::EventSet(id)) = handle.target() else {
        return Err(Code::INVALID_ARGUMENT);
    };
    sets()
        .as_mut()
        .and_then(|sets| sets.get_mut(&id))
        .map(act)
        .ok_or(Code::INVALID_ARGUMENT)
}
