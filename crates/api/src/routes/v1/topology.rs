//! `/api/v1/topology`: how the GPUs are joined to each other and to the processors.

use actix_web::{HttpRequest, HttpResponse};
use gpulse_models::{HostSnapshot, TopologyOverview};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{
    answers::HostAnswers,
    gpu::head,
    gpus::UNAVAILABLE,
    query,
    selection::Selection,
    vocabulary,
    walk::{Gaps, Unavailable, entries},
};
use crate::{problem, respond, state::State};

/// How the GPUs are joined, as far as it is selected.
pub(crate) struct TopologyBody<'a> {
    host: &'a HostSnapshot,
    overview: TopologyOverview,
    selection: &'a Selection,
}

/// How the GPUs are joined
///
/// To the processors, and each two of them to each other: what they have in common on PCIe, whether the one reaches the
/// other's memory, and over how many NVLinks.
#[utoipa::path(
    get,
    path = "/api/v1/topology",
    operation_id = "topology",
    tag = "native",
    params(
        ("fields" = Option<String>, Query, example = "gpus.numa_node,pairs.nvlinks",
            description = "Only these paths and what is below them, by comma, without positions in lists; `index` and \
                `uuid` of each GPU and `first` and `second` of each pair come with them. All by default"),
    ),
    responses(
        (status = 200, description = "How the GPUs are joined", body = ref("#/components/schemas/Topology"),
            headers(("etag" = String, description = "Names these very bytes; not sent with `fields`"))),
        HostAnswers,
    ),
)]
pub(crate) async fn topology(request: HttpRequest) -> HttpResponse {
    let selection = match query::fields(&request, &vocabulary::TOPOLOGY) {
        Ok(selection) => selection,
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    let state = State::of(&request);
    let set = state.bodies.latest(&state.cache);
    if let Some(unavailable) = problem::driver(&set.host, UNAVAILABLE) {
        return unavailable;
    }
    match selection {
        None => respond::rendered(&request, set.native_topology()),
        Some(selection) => {
            let selection = selection.always(Some("gpus"), &["index", "uuid"]);
            let selection = selection.always(Some("pairs"), &["first", "second"]);
            respond::once(&request, &TopologyBody::of(&set.host, &selection))
        }
    }
}

impl<'a> TopologyBody<'a> {
    pub(crate) fn of(host: &'a HostSnapshot, selection: &'a Selection) -> Self {
        Self {
            host,
            overview: TopologyOverview::of(host),
            selection,
        }
    }
}

impl Serialize for TopologyBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let topology = &self.host.topology;
        let is_read_at_wanted = self.selection.below("read_at").is_some();
        let mut map = serializer.serialize_map(None)?;
        head(&mut map, self.host)?;
        if is_read_at_wanted {
            let read_at = topology.value().map(|topology| topology.read_at);
            map.serialize_entry("read_at", &read_at)?;
        }
        entries(&mut map, &self.overview, self.selection)?;
        let unavailable = Unavailable(|gaps: &mut Gaps<'_>| {
            if let (true, Some(reason)) = (is_read_at_wanted, topology.reason()) {
                gaps.absent("read_at", reason);
            }
            gaps.below(&self.overview, self.selection);
        });
        map.serialize_entry("unavailable", &unavailable)?;
        map.end()
    }
}
