//! `/api/v1/host`: the agent, the driver, and the host as a whole.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse};
use gpulse_models::{DriverReason, DriverStatus, GpuState, HostSnapshot, HostSums, Reason, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{query, selection::Selection, vocabulary};
use crate::{
    problem::{self, DriverAbsence, Problem, ValidationProblem},
    respond,
    routes::newer::{self, Wait, newer},
    state::State,
};

mod body;
mod events;
mod expected;
mod kubernetes;

use body::HostBody;
pub(crate) use events::HostEvents;
pub(crate) use expected::HostExpected;
pub(crate) use kubernetes::HostKubernetes;

/// The agent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostAgent {
    /// The configured agent id.
    id: String,
    /// Version of the agent.
    version: &'static str,
    /// When it began to answer.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Drawn at that time: another one means that the agent was started anew, and numbers of events began anew.
    instance: String,
}

/// The driver.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostDriver {
    /// Whether NVML can be used.
    status: HostDriverStatus,
    /// Why it cannot; null if it can.
    reason: Option<DriverReason>,
    /// What happened, for a person; null if it can be used.
    message: Option<String>,
    /// What to do about it; null if it can be used.
    hint: Option<String>,
    /// Version of the NVIDIA driver; null while NVML cannot be used.
    driver_version: Option<String>,
    /// CUDA version that the driver supports; null while NVML cannot be used.
    cuda_driver_version: Option<String>,
    /// Version of the NVML library; null while NVML cannot be used.
    nvml_version: Option<String>,
    /// The library that was loaded; null while NVML cannot be used.
    library: Option<String>,
    /// Whether the GPUs are simulated ones; null while NVML cannot be used.
    simulated: Option<bool>,
}

/// Whether NVML can be used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HostDriverStatus {
    /// The first initialisation is under way.
    Starting,
    /// It answers.
    Ready,
    /// It cannot be used; it is tried again with back-off.
    Unavailable,
}

/// How many GPUs there are, by state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostGpus {
    /// GPUs of the roster; 0 while NVML cannot be used.
    total: usize,
    /// Those that are read at their pace.
    ok: usize,
    /// Those of which nothing was heard for too long.
    stale: usize,
    /// Those whose driver call has not returned.
    hung: usize,
    /// Those that fell off the bus.
    lost: usize,
    /// Those that give no data.
    unavailable: usize,
}

/// The agent, the driver, and the host as a whole
///
/// Always 200: that there is no driver is an answer as well. Totals are over those GPUs that give the value; one that
/// misses a GPU is named in `unavailable` with the reason of the first that is missing, and is null if all are.
#[utoipa::path(
    get,
    path = "/api/v1/host",
    operation_id = "host",
    tag = "native",
    params(
        ("fields" = Option<String>, Query, example = "gpus,totals.power_draw_watts",
            description = "Only these paths and what is below them, by comma. All by default"),
        Wait,
    ),
    responses(
        (status = 200, description = "The host", body = ref("#/components/schemas/Host")),
        (status = 406, description = "The client refuses every encoding", body = Problem),
        (status = 422, description = "A parameter that is not understood", body = ValidationProblem),
    ),
)]
pub(crate) async fn host(request: HttpRequest) -> HttpResponse {
    let selection = match query::fields_beside(&newer::PARAMETERS, &request, &vocabulary::HOST) {
        Ok(selection) => selection.unwrap_or(Selection::All),
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    if let Err(mistake) = newer(&request).await {
        return problem::bad_parameter(mistake);
    }
    let state = State::of(&request);
    let host = state.cache.host();
    let body = HostBody {
        host: &host,
        agent: HostAgent {
            id: state.agent_id.clone(),
            version: state.version,
            started_at: state.started_at,
            instance: state.instance(),
        },
        driver: HostDriver::of(&host),
        gpus: HostGpus::of(&host),
        expected: HostExpected::of(&host),
        kubernetes: HostKubernetes::of(&host),
        sums: HostSums::over(&host),
        events: HostEvents::of(state.cache.events().totals()),
        selection: &selection,
    };
    respond::once(&request, &body)
}

impl HostDriver {
    fn of(host: &HostSnapshot) -> Self {
        let absence = DriverAbsence::of(host);
        let absence = absence.as_ref();
        let (status, driver) = match &host.driver {
            DriverStatus::Starting => (HostDriverStatus::Starting, None),
            DriverStatus::Ready(driver) => (HostDriverStatus::Ready, Some(driver)),
            DriverStatus::Unavailable(_) => (HostDriverStatus::Unavailable, None),
        };
        Self {
            status,
            reason: absence.map(|absence| absence.reason),
            message: absence.map(|absence| absence.message.to_owned()),
            hint: absence.map(|absence| absence.hint.to_owned()),
            driver_version: driver.map(|driver| driver.driver_version.clone()),
            cuda_driver_version: driver.and_then(|driver| driver.cuda_driver_version.clone()),
            nvml_version: driver.and_then(|driver| driver.nvml_version.clone()),
            library: driver.map(|driver| driver.library.display().to_string()),
            simulated: driver.map(|driver| driver.simulated),
        }
    }

    /// What is absent, and why: nothing was read as long as NVML cannot be used, and what is missing then could not be.
    fn gaps(&self) -> BTreeMap<&'static str, Reason> {
        let reason = match self.status {
            HostDriverStatus::Ready => Reason::Error,
            HostDriverStatus::Starting | HostDriverStatus::Unavailable => Reason::NotReady,
        };
        [
            ("driver_version", self.driver_version.is_none()),
            ("cuda_driver_version", self.cuda_driver_version.is_none()),
            ("nvml_version", self.nvml_version.is_none()),
            ("library", self.library.is_none()),
            ("simulated", self.simulated.is_none()),
        ]
        .into_iter()
        .filter(|(_, is_absent)| *is_absent)
        .map(|(key, _)| (key, reason))
        .collect()
    }
}

impl HostGpus {
    fn of(host: &HostSnapshot) -> Self {
        let count = |state| host.gpus.iter().filter(|gpu| gpu.health.state == state).count();
        Self {
            total: host.gpus.len(),
            ok: count(GpuState::Ok),
            stale: count(GpuState::Stale),
            hung: count(GpuState::Hung),
            lost: count(GpuState::Lost),
            unavailable: count(GpuState::Unavailable),
        }
    }
}
