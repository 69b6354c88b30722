//! `/api/v1/events`: what happened, and what it means.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use gpulse_aggregator::{EVENTS_KEPT, EventTotals};
use gpulse_models::{
    DriverReason, Event, EventCounters, EventGpu, EventKind, GpuSelector, GpuState, MigInstance, Reason,
    Timestamp, Xid, XidAction, XidCause, XidSeverity,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::query;
use crate::{
    problem::{self, Mistake, Problem, ValidationProblem},
    respond,
    routes::gpu::place_of,
    state::State,
};

/// Events in an answer unless the client asks for another number.
const USUAL_LIMIT: usize = 100;

/// The most that a client can ask for at once: copied while nobody can write to the log.
const LARGEST_LIMIT: usize = 1_000;

/// What happened after a given event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Events {
    /// What happened, the oldest first.
    events: Vec<LoggedEvent>,
    /// Give this as `after` to get what happens next.
    next: u64,
    /// Number of the oldest event that the log still holds, or, as long as it is empty, will hold.
    oldest: u64,
    /// Events after `after` that the log no longer holds, of whatever GPU. The counters hold them all.
    lost: u64,
    /// The host snapshot at the time of this answer.
    generation: u64,
    /// Drawn when the agent started: another one means that the numbers began anew.
    instance: String,
    /// How often what happened since the agent started.
    counters: Counters,
}

/// One event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoggedEvent {
    /// Its number; grows by one from event to event and begins anew when the agent starts.
    sequence: u64,
    /// When the agent heard of it.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What happened: `xid`, `single_bit_ecc`, `double_bit_ecc`, `performance_state`, `clock`, `power_source`,
    /// `mig_config`, `single_bit_ecc_storm`, `page_retirement`, `page_retirement_failure`, `poison`, `fatal_poison`,
    /// `gpu_unavailable`, `recovery_action` and `unknown` come from the driver, `gpu_state`, `gpu_missing`, `gpu_found`,
    /// `gpu_not_expected` and `driver` are what the agent saw itself.
    kind: &'static str,
    /// NVML's index of the GPU; null when it is about the driver, or about a GPU that NVML does not know.
    #[schema(maximum = 4294967295i64)]
    gpu_id: Option<u32>,
    /// NVML UUID of the GPU; `unidentified-…` as long as it has not said it, null where `gpu_id` is.
    gpu_uuid: Option<String>,
    /// The MIG GPU instance; null where it concerns the whole GPU or is not known.
    #[schema(maximum = 4294967295i64)]
    gpu_instance_id: Option<u32>,
    /// The MIG compute instance; null where it concerns the whole GPU or is not known.
    #[schema(maximum = 4294967295i64)]
    compute_instance_id: Option<u32>,
    /// With `xid`: the error; null where the driver did not say which.
    xid: Option<LoggedXid>,
    /// With `gpu_state`: the state before.
    state_before: Option<GpuState>,
    /// With `gpu_state`: the state from then on.
    state: Option<GpuState>,
    /// With `gpu_missing`, `gpu_found` and `gpu_not_expected`: where the GPU sits; null if it is only known how many are
    /// missing. A `gpu_missing` that comes later may say it.
    pci_bus_id: Option<String>,
    /// With `driver`: why NVML cannot be used; null if it can be.
    driver_reason: Option<DriverReason>,
}

/// An error that the driver reported, and what it means.
#[derive(Debug, Serialize, ToSchema)]
struct LoggedXid {
    /// The number.
    code: u64,
    /// A short name.
    name: &'static str,
    /// What happened, for a person.
    meaning: &'static str,
    /// How bad it is.
    severity: XidSeverity,
    /// Where to look first.
    cause: XidCause,
    /// What to do first.
    action: XidAction,
    /// Whether NVIDIA documents this number.
    documented: bool,
}

/// How often what happened since the agent started, whatever the log still holds.
#[derive(Debug, Serialize, ToSchema)]
struct Counters {
    /// By GPU; only the one asked for, if one was.
    gpus: Vec<GpuCounters>,
    /// Events that the agent heard of and could not keep.
    dropped: u64,
}

/// How often what happened to one GPU.
#[derive(Debug, Serialize, ToSchema)]
struct GpuCounters {
    /// NVML's index; the one that it had last, if the GPU is not in the roster any more.
    #[schema(maximum = 4294967295i64)]
    gpu_id: u32,
    /// NVML UUID; `unidentified-…` as long as the GPU has not said it.
    gpu_uuid: String,
    /// Why the driver's events of this GPU do not reach the agent; null if they do.
    unwatched: Option<Reason>,
    /// Events by kind.
    kinds: BTreeMap<&'static str, u64>,
    /// XIDs by number; as many different ones as are told apart.
    xids: BTreeMap<u64, u64>,
    /// XIDs beyond those that are told apart, and those without a number.
    other_xids: u64,
}

/// What a client asks for.
#[derive(Debug, Default)]
struct Wish {
    after: u64,
    limit: Option<usize>,
    gpu: Option<(String, GpuSelector)>,
}

/// What happened, and what it means
///
/// Errors that the driver reports (XIDs) with their meaning, other events of the driver, and what the agent saw:
/// GPUs that changed their state or are missing, a driver that went and came. Ask again with `after` set to `next` to miss nothing
/// and see nothing twice. A number above the latest is of an agent that has ended, and stands for the beginning; one below
/// it may be of such an agent as well, which another `instance` tells.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "events",
    tag = "events",
    params(
        ("after" = Option<u64>, Query, minimum = 0, example = 0,
            description = "Only events with a higher number than this; 0, the default, for all that the log holds"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, example = 100,
            description = "At most so many events; 100 by default"),
        ("gpu" = Option<String>, Query, example = "0",
            pattern = r"^([-+]?[0-9]+|(GPU|MIG)-[^/]*|([0-9a-fA-F]{1,8}:)?[0-9a-fA-F]{1,2}:[01]?[0-9a-fA-F]\.[0-7])$",
            description = "Only events of this GPU: its index, UUID or PCI bus id"),
    ),
    responses(
        (status = 200, description = "What happened after `after`", body = Events),
        (status = 404, description = "There is no such GPU", body = Problem),
        (status = 422, description = "A parameter that is not understood", body = ValidationProblem),
    ),
)]
pub(crate) async fn events(request: HttpRequest) -> HttpResponse {
    let wish = match Wish::parse(request.query_string()) {
        Ok(wish) => wish,
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    let state = State::of(&request);
    let host = state.cache.host();
    let gpu = match &wish.gpu {
        None => None,
        Some((name, selector)) => match place_of(&host, selector) {
            Some(place) => Some(host.gpus[place].index),
            None => return problem::unknown_gpu(&host, name),
        },
    };
    let log = state.cache.events();
    let page = log.after(wish.after, wish.limit.unwrap_or(USUAL_LIMIT), gpu);
    let body = Events {
        events: page.events.into_iter().map(LoggedEvent::of).collect(),
        next: page.next,
        oldest: page.oldest,
        lost: page.lost,
        generation: host.generation,
        instance: state.instance(),
        counters: Counters::of(log.totals(), gpu),
    };
    respond::fresh(StatusCode::OK, &body)
}

impl Wish {
    fn parse(query: &str) -> Result<Self, Mistake> {
        let mut wish = Self::default();
        for (name, value) in query::pairs(query, &["after", "limit", "gpu"])? {
            match name.as_str() {
                "after" => wish.after = query::number("after", &value, 0, u64::MAX)?,
                "limit" => {
                    let limit = query::number("limit", &value, 1, LARGEST_LIMIT as u64)?;
                    wish.limit = Some(usize::try_from(limit).unwrap_or(EVENTS_KEPT));
                }
                "gpu" => match value.parse() {
                    Ok(selector) => wish.gpu = Some((value, selector)),
                    Err(error) => {
                        return Err(Mistake {
                            kind: "gpu_parsing",
                            parameter: "gpu",
                            message: format!("{error}"),
                            input: value,
                        });
                    }
                },
                _ => {}
            }
        }
        Ok(wish)
    }
}

impl LoggedEvent {
    pub(crate) fn of(event: Event) -> Self {
        let kind = event.kind.as_str();
        let (mut xid, mut states, mut place, mut driver_reason) = (None, None, None, None);
        match event.kind {
            EventKind::Xid(code) => xid = code.map(LoggedXid::of),
            EventKind::GpuState { before, now } => states = Some((before, now)),
            EventKind::GpuMissing(at) | EventKind::GpuFound(at) | EventKind::GpuNotExpected(at) => place = at,
            EventKind::Driver(reason) => driver_reason = reason,
            EventKind::SingleBitEcc
            | EventKind::DoubleBitEcc
            | EventKind::PerformanceState
            | EventKind::Clock
            | EventKind::PowerSource
            | EventKind::SingleBitEccStorm
            | EventKind::PageRetirement
            | EventKind::PageRetirementFailure
            | EventKind::Poison
            | EventKind::FatalPoison
            | EventKind::GpuUnavailable
            | EventKind::RecoveryAction
            | EventKind::MigConfig
            | EventKind::Unknown => {}
        }
        let instance: Option<MigInstance> = event.gpu.as_ref().and_then(|gpu| gpu.instance);
        Self {
            sequence: event.sequence,
            at: event.at,
            kind,
            gpu_id: event.gpu.as_ref().map(|gpu| gpu.index),
            gpu_uuid: event.gpu.map(|gpu| gpu.id.to_string()),
            gpu_instance_id: instance.map(|instance| instance.gpu_instance),
            compute_instance_id: instance.and_then(|instance| instance.compute_instance),
            xid,
            state_before: states.map(|(before, _)| before),
            state: states.map(|(_, now)| now),
            pci_bus_id: place.map(|place| place.to_string()),
            driver_reason,
        }
    }
}

impl LoggedXid {
    fn of(code: u64) -> Self {
        let xid = Xid::of(code);
        Self {
            code,
            name: xid.name,
            meaning: xid.meaning,
            severity: xid.severity,
            cause: xid.cause,
            action: xid.action,
            documented: Xid::documented(code).is_some(),
        }
    }
}

impl Counters {
    fn of(totals: EventTotals, only: Option<u32>) -> Self {
        let wanted = |(gpu, _): &(EventGpu, EventCounters)| only.is_none_or(|index| gpu.index == index);
        // Nobody waits for events of a GPU that is not there.
        let gone = totals.gone.into_iter().map(|(gpu, counters)| {
            let unwatched = Some(Reason::GpuLost);
            (
                gpu,
                EventCounters {
                    unwatched,
                    ..counters
                },
            )
        });
        let gpus = totals
            .gpus
            .into_iter()
            .chain(gone)
            .filter(wanted)
            .map(|(gpu, counters)| GpuCounters {
                gpu_id: gpu.index,
                gpu_uuid: gpu.id.to_string(),
                unwatched: counters.unwatched,
                kinds: counters.kinds,
                xids: counters
                    .xids
                    .into_iter()
                    .map(|(code, tally)| (code, tally.count))
                    .collect(),
                other_xids: counters.other_xids,
            });
        Self {
            gpus: gpus.collect(),
            dropped: totals.dropped,
        }
    }
}
