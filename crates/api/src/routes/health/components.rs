//! The parts of `/health/detailed`: NVML, each GPU, the aggregator; what is missing has a file of its own.

use gpulse_models::{
    DriverReason, DriverStatus, Failure, GpuSnapshot, GpuState, HostSnapshot, Reason, Timestamp,
    seed::GpuInfo,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{HealthStatus, inventory::InventoryHealth};

impl HealthStatus {
    pub(super) fn of(host: &HostSnapshot) -> Self {
        let driver = matches!(host.driver, DriverStatus::Ready(_));
        let complete = host
            .expected_gpus()
            .map_or(true, |expected| expected.missing_count == 0);
        if driver && complete && host.gpus.iter().all(|gpu| gpu.health.state == GpuState::Ok) {
            Self::Healthy
        } else {
            Self::Degraded
        }
    }
}

/// The parts of the agent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Components {
    /// The driver's library.
    nvml: NvmlHealth,
    /// Every GPU of the roster, by index.
    gpus: Vec<GpuHealth>,
    /// The roster against what the machine should have.
    inventory: InventoryHealth,
    /// The writer of the latest snapshot.
    aggregator: AggregatorHealth,
}

/// The driver's library.
#[derive(Debug, Serialize, ToSchema)]
struct NvmlHealth {
    /// Whether it can be used.
    status: NvmlStatus,
    /// Version of the NVIDIA driver (`nvmlSystemGetDriverVersion`); null while NVML does not answer.
    driver_version: Option<String>,
    /// Why there are no GPUs; null if there are.
    reason: Option<DriverReason>,
    /// What happened, for a person.
    message: Option<String>,
    /// What to do about it.
    hint: Option<String>,
    /// Failed attempts to use it so far; null if the last one did not fail.
    #[schema(maximum = 4294967295i64)]
    attempts: Option<u32>,
    /// When the first of these failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// Whether NVML can be used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum NvmlStatus {
    /// The first initialisation is under way.
    Starting,
    /// It answers.
    Ok,
    /// It cannot be used; it is tried again with back-off.
    Unavailable,
}

/// How one GPU is doing.
#[derive(Debug, Serialize, ToSchema)]
struct GpuHealth {
    /// NVML's index.
    #[schema(maximum = 4294967295i64)]
    gpu_id: u32,
    /// NVML UUID; null until the GPU has said it.
    gpu_uuid: Option<String>,
    /// How it is doing.
    state: GpuState,
    /// Since when it is in that state.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Age of the last good sample, in seconds; null if there is none.
    #[schema(minimum = 0.0)]
    age_seconds: Option<f64>,
    /// Good samples so far.
    #[schema(minimum = 0)]
    sequence: u64,
    /// Failed ticks since the last good sample.
    #[schema(minimum = 0)]
    failures: u64,
    /// Ticks that found the reader still busy.
    #[schema(minimum = 0)]
    overruns: u64,
    /// Records that the aggregator's mailbox refused.
    #[schema(minimum = 0)]
    dropped: u64,
    /// The last failure, until a good sample comes.
    last_error: Option<LastError>,
}

/// Why a tick gave no sample.
#[derive(Debug, Serialize, ToSchema)]
struct LastError {
    /// The kind.
    reason: Reason,
    /// The NVML call that failed or did not return.
    call: String,
    /// What happened, for a person.
    message: String,
    /// When it was noticed.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// The writer of the latest snapshot.
#[derive(Debug, Serialize, ToSchema)]
struct AggregatorHealth {
    /// Number of the latest snapshot of the host; 0 before the first.
    #[schema(minimum = 0)]
    generation: u64,
    /// When it was published.
    #[schema(value_type = String, format = DateTime)]
    published_at: Timestamp,
}

impl Components {
    pub(super) fn of(host: &HostSnapshot, now: Timestamp) -> Self {
        Self {
            nvml: NvmlHealth::of(host),
            gpus: host.gpus.iter().map(|gpu| GpuHealth::of(gpu, now)).collect(),
            inventory: InventoryHealth::of(host),
            aggregator: AggregatorHealth {
                generation: host.generation,
                published_at: host.published_at,
            },
        }
    }
}

impl NvmlHealth {
    fn of(host: &HostSnapshot) -> Self {
        let info = GpuInfo::of(host);
        let (status, fault) = match &host.driver {
            DriverStatus::Starting => (NvmlStatus::Starting, None),
            DriverStatus::Ready(_) => (NvmlStatus::Ok, None),
            DriverStatus::Unavailable(fault) => (NvmlStatus::Unavailable, Some(fault)),
        };
        Self {
            status,
            driver_version: info.driver_version,
            reason: info.reason,
            message: info.message,
            hint: info.hint,
            attempts: fault.map(|fault| fault.attempts),
            since: fault.map(|fault| fault.since),
        }
    }
}

impl GpuHealth {
    fn of(gpu: &GpuSnapshot, now: Timestamp) -> Self {
        let health = &gpu.health;
        // A wall clock that was set back would make a sample younger than none.
        let age = |taken_at: Timestamp| now.duration_since(taken_at).as_secs_f64().max(0.0);
        Self {
            gpu_id: gpu.index,
            gpu_uuid: gpu.uuid().map(ToString::to_string),
            state: health.state,
            since: health.since,
            age_seconds: gpu.sample.as_ref().map(|sample| age(sample.taken_at)),
            sequence: health.sequence,
            failures: health.failures,
            overruns: health.overruns,
            dropped: health.dropped,
            last_error: health.last_error.as_ref().map(LastError::of),
        }
    }
}

impl LastError {
    fn of(failure: &Failure) -> Self {
        Self {
            reason: failure.reason,
            call: failure.call.to_string(),
            message: failure.message.clone(),
            at: failure.at,
        }
    }
}
