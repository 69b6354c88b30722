//! `/api/v1/processes` and `/api/v1/gpus/{gpu}/processes`: who is on the GPUs.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use gpulse_models::{
    GpuSnapshot, HostSnapshot, ProcessOverview, ProcessRow, Timestamp, catalogue::Catalogued as _,
};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq as _},
};

use super::{
    answers::{GpuAnswers, HostAnswers},
    gpu::head,
    gpus::{UNAVAILABLE, gpu_of},
    query,
    selection::Selection,
    vocabulary,
    walk::{Gaps, Unavailable, Walk, entries},
};
use crate::{
    problem, respond,
    routes::newer::{self, Wait, newer, newer_of},
    state::State,
};

/// The processes of all GPUs.
pub(crate) struct Processes<'a> {
    host: &'a HostSnapshot,
    selection: &'a Selection,
    owners: Vec<Owner<'a>>,
}

/// The processes of one GPU.
pub(crate) struct GpuProcesses<'a> {
    host: &'a HostSnapshot,
    selection: &'a Selection,
    owner: Owner<'a>,
}

/// A GPU and who is on it.
struct Owner<'a> {
    gpu: &'a GpuSnapshot,
    read_at: Option<Timestamp>,
    overview: ProcessOverview,
}

/// Who is on the GPUs
///
/// A row for each process on each GPU. A GPU whose processes are not known is in `gpus` with the reason.
#[utoipa::path(
    get,
    path = "/api/v1/processes",
    operation_id = "processes",
    tag = "native",
    params(
        ("fields" = Option<String>, Query, example = "name,user,memory_used_bytes",
            description = "Only these keys of each process, by comma; `pid`, `gpu_index` and `gpu_uuid` are always \
                sent. All by default"),
        Wait,
    ),
    responses(
        (status = 200, description = "The processes of all GPUs", body = ref("#/components/schemas/Processes"),
            headers(("etag" = String, description = "Names these very bytes; not sent with `fields`"))),
        HostAnswers,
    ),
)]
pub(crate) async fn processes(request: HttpRequest) -> HttpResponse {
    let selection = match query::fields_beside(&newer::PARAMETERS, &request, &vocabulary::PROCESS) {
        Ok(selection) => selection,
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    if let Err(mistake) = newer(&request).await {
        return problem::bad_parameter(mistake);
    }
    let state = State::of(&request);
    let set = state.bodies.latest(&state.cache);
    if let Some(unavailable) = problem::driver(&set.host, UNAVAILABLE) {
        return unavailable;
    }
    match selection {
        None => respond::rendered(&request, set.native_processes()),
        Some(selection) => {
            let selection = selection.always(None, &["pid"]);
            respond::once(&request, &Processes::of(&set.host, &selection))
        }
    }
}

/// Who is on one GPU
///
/// Mistakes are looked for in this order: 422, 503 (NVML cannot be used), 404 (no such GPU). A GPU whose processes are
/// not known is answered with 200 and the reason.
#[utoipa::path(
    get,
    path = "/api/v1/gpus/{gpu}/processes",
    operation_id = "processes_of_one",
    tag = "native",
    params(
        ("gpu" = String, Path, example = "0",
            pattern = r"^([-+]?[0-9]+|(GPU|MIG)-[^/]*|([0-9a-fA-F]{1,8}:)?[0-9a-fA-F]{1,2}:[01]?[0-9a-fA-F]\.[0-7])$",
            description = "NVML's index (`0`), the UUID (`GPU-…`) or the PCI bus id (`0000:3b:00.0`)"),
        ("fields" = Option<String>, Query, example = "name,user,memory_used_bytes",
            description = "Only these keys of each process, by comma; `pid` is always sent. All by default"),
        Wait,
    ),
    responses(
        (status = 200, description = "The processes of the GPU", body = ref("#/components/schemas/GpuProcesses"),
            headers(("etag" = String, description = "Names these very bytes; not sent with `fields`"))),
        HostAnswers,
        GpuAnswers,
    ),
)]
pub(crate) async fn processes_of_one(request: HttpRequest, gpu: Path<String>) -> HttpResponse {
    let selection = match query::fields_beside(&newer::PARAMETERS, &request, &vocabulary::PROCESS) {
        Ok(selection) => selection,
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    if let Err(mistake) = newer_of(&request, gpu.parse().ok().as_ref()).await {
        return problem::bad_parameter(mistake);
    }
    let state = State::of(&request);
    let set = state.bodies.latest(&state.cache);
    let place = match gpu_of(&set.host, &gpu) {
        Ok(place) => place,
        Err(answer) => return *answer,
    };
    match selection {
        None => respond::rendered(&request, set.native_processes_of(place)),
        Some(selection) => {
            let selection = selection.always(None, &["pid"]);
            respond::once(&request, &GpuProcesses::of(&set.host, place, &selection))
        }
    }
}

impl<'a> Processes<'a> {
    pub(crate) fn of(host: &'a HostSnapshot, selection: &'a Selection) -> Self {
        Self {
            host,
            selection,
            owners: host.gpus.iter().map(|gpu| Owner::of(gpu)).collect(),
        }
    }
}

impl<'a> GpuProcesses<'a> {
    pub(crate) fn of(host: &'a HostSnapshot, place: usize, selection: &'a Selection) -> Self {
        Self {
            host,
            selection,
            owner: Owner::of(&host.gpus[place]),
        }
    }
}

impl<'a> Owner<'a> {
    fn of(gpu: &'a GpuSnapshot) -> Self {
        let (read_at, overview) = match gpu.served_sample() {
            Some(sample) => (sample.processes.read_at, sample.processes.overview()),
            None => (None, ProcessOverview::absent(gpu.absence())),
        };
        Self {
            gpu,
            read_at,
            overview,
        }
    }

    fn rows(&self) -> &[ProcessRow] {
        self.overview.processes.value().map_or(&[], Vec::as_slice)
    }

    /// All that is said of the GPU and its processes but for the rows.
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("index", &self.gpu.index)?;
        map.serialize_entry("uuid", &self.gpu.uuid())?;
        map.serialize_entry("state", &self.gpu.health.state)?;
        map.serialize_entry("read_at", &self.read_at)?;
        map.serialize_entry("count", &self.overview.count.value())?;
        let other = Walk {
            readings: &self.overview.other,
            selection: &Selection::All,
        };
        map.serialize_entry("other", &other)
    }

    /// What is absent of the GPU and its processes; rows name their own gaps.
    fn unavailable(&self) -> impl Serialize {
        Unavailable(move |gaps: &mut Gaps<'_>| {
            if self.gpu.uuid().is_none() {
                gaps.absent("uuid", self.gpu.absence());
            }
            let overview = &self.overview;
            if let Some(reason) = overview.count.reason() {
                gaps.absent("count", reason);
            }
            if let Some(reason) = overview.processes.reason() {
                gaps.absent("processes", reason);
            }
            gaps.part("other", &overview.other, &Selection::All);
        })
    }
}

impl Serialize for Processes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        head(&mut map, self.host)?;
        map.serialize_entry("processes", &Rows::of_all(self))?;
        map.serialize_entry("gpus", &self.owners)?;
        map.end()
    }
}

impl Serialize for GpuProcesses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        head(&mut map, self.host)?;
        self.owner.entries(&mut map)?;
        let rows = Rows {
            owners: std::slice::from_ref(&self.owner),
            selection: self.selection,
            names_gpu: false,
        };
        let known = self.owner.overview.processes.value().map(|_| rows);
        map.serialize_entry("processes", &known)?;
        map.serialize_entry("unavailable", &self.owner.unavailable())?;
        map.end()
    }
}

impl Serialize for Owner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.entries(&mut map)?;
        map.serialize_entry("unavailable", &self.unavailable())?;
        map.end()
    }
}

/// The rows of some GPUs.
struct Rows<'a> {
    owners: &'a [Owner<'a>],
    selection: &'a Selection,
    names_gpu: bool,
}

impl<'a> Rows<'a> {
    fn of_all(processes: &'a Processes<'a>) -> Self {
        Self {
            owners: &processes.owners,
            selection: processes.selection,
            names_gpu: true,
        }
    }
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for owner in self.owners {
            for row in owner.rows() {
                list.serialize_element(&Row {
                    gpu: self.names_gpu.then_some(owner.gpu),
                    row,
                    selection: self.selection,
                })?;
            }
        }
        list.end()
    }
}

/// A process.
struct Row<'a> {
    gpu: Option<&'a GpuSnapshot>,
    row: &'a ProcessRow,
    selection: &'a Selection,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(gpu) = self.gpu {
            map.serialize_entry("gpu_index", &gpu.index)?;
            map.serialize_entry("gpu_uuid", &gpu.uuid())?;
        }
        entries(&mut map, self.row, self.selection)?;
        let gaps = Unavailable(|gaps: &mut Gaps<'_>| gaps.below(self.row, self.selection));
        map.serialize_entry("unavailable", &gaps)?;
        map.end()
    }
}
