//! The bodies of the native routes.
//!
//! What is shown of a GPU depends on its snapshot and on who holds it: it is written once and goes as it is into the bodies
//! of all generations in which both are the same. What is added, the generation, is of each generation.

use std::sync::{Arc, OnceLock};

use gpulse_models::{DriverReason, GpuSnapshot, HostSnapshot, PodAssignments, Timestamp};
use serde::Serialize;

use super::Set;
use crate::{
    problem::DriverAbsence,
    rendered::{Rendered, Tags, to_json},
    routes::v1::{
        gpu::Gpu,
        processes::{GpuProcesses, Processes},
        selection::Selection,
        topology::TopologyBody,
    },
};

/// The bodies of one generation.
#[derive(Debug)]
pub(super) struct Native {
    pods: Arc<PodAssignments>,
    gpus: OnceLock<Rendered>,
    each: Vec<Each>,
    processes: OnceLock<Rendered>,
    topology: OnceLock<Rendered>,
}

/// The bodies of one GPU in one generation.
#[derive(Debug)]
struct Each {
    shown: Arc<ShownGpu>,
    gpu: OnceLock<Rendered>,
    processes: OnceLock<Rendered>,
}

/// What is shown of a GPU; carried from generation to generation while the GPU's snapshot and the assignments are the same.
#[derive(Debug)]
struct ShownGpu {
    gpu: Arc<GpuSnapshot>,
    pods: Arc<PodAssignments>,
    json: OnceLock<Vec<u8>>,
}

/// What a body begins with.
#[derive(Serialize)]
struct Head {
    generation: u64,
    published_at: Timestamp,
}

/// Why there are no GPUs.
#[derive(Serialize)]
struct NoDriver<'a> {
    reason: DriverReason,
    message: &'a str,
    hint: &'a str,
}

impl Native {
    pub(super) fn new(host: &HostSnapshot, earlier: Option<&Self>) -> Self {
        let same_pods = |earlier: &&Self| {
            Arc::ptr_eq(&earlier.pods, &host.pods) || earlier.pods.holders == host.pods.holders
        };
        let earlier = earlier.filter(same_pods);
        let each = host.gpus.iter().enumerate().map(|(place, gpu)| {
            let earlier = earlier.and_then(|earlier| earlier.each.get(place));
            // Held here, the snapshot cannot have been freed: the same address is the same snapshot.
            let same = earlier.filter(|earlier| Arc::ptr_eq(&earlier.shown.gpu, gpu));
            Each {
                shown: same.map_or_else(
                    || Arc::new(ShownGpu::of(gpu, &host.pods)),
                    |same| Arc::clone(&same.shown),
                ),
                gpu: OnceLock::new(),
                processes: OnceLock::new(),
            }
        });
        Self {
            pods: Arc::clone(&host.pods),
            each: each.collect(),
            gpus: OnceLock::new(),
            processes: OnceLock::new(),
            topology: OnceLock::new(),
        }
    }
}

impl Set {
    /// The body of `/api/v1/gpus`.
    pub(crate) fn native_gpus(&self) -> &Rendered {
        self.native.gpus.get_or_init(|| {
            let mut json = self.beginning();
            json.extend_from_slice(b"\"gpus\":[");
            for (place, each) in self.native.each.iter().enumerate() {
                if place > 0 {
                    json.push(b',');
                }
                json.extend_from_slice(each.shown.json());
            }
            json.extend_from_slice(b"]}");
            Rendered::ready_json(json, self.tags())
        })
    }

    /// The body of `/api/v1/gpus` with these fields, of the GPUs at those places of the roster that are wanted. There is one
    /// without a driver as well, which says so.
    pub(crate) fn native_some(
        &self,
        fields: Option<&Selection>,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Vec<u8> {
        let mut json = self.beginning();
        if let Some(absence) = DriverAbsence::of(&self.host) {
            let driver = to_json(&NoDriver {
                reason: absence.reason,
                message: absence.message,
                hint: absence.hint,
            });
            json.extend_from_slice(b"\"driver\":");
            json.extend_from_slice(&driver);
            json.push(b',');
        }
        json.extend_from_slice(b"\"gpus\":[");
        let end = json.len();
        for (place, gpu) in self
            .host
            .gpus
            .iter()
            .enumerate()
            .filter(|(place, _)| is_wanted(*place))
        {
            if json.len() > end {
                json.push(b',');
            }
            match fields {
                None => json.extend_from_slice(self.native.each[place].shown.json()),
                Some(fields) => json.extend_from_slice(&to_json(&Gpu::of(gpu, &self.host.pods, fields))),
            }
        }
        json.extend_from_slice(b"]}");
        json
    }

    /// The body of `/api/v1/gpus/{gpu}` for the GPU at `place` of the roster.
    pub(crate) fn native_gpu(&self, place: usize) -> &Rendered {
        let each = &self.native.each[place];
        each.gpu.get_or_init(|| {
            let mut json = self.beginning();
            // What follows the brace that opens the object; it is never empty.
            json.extend_from_slice(&each.shown.json()[1..]);
            Rendered::ready_json(json, self.tags())
        })
    }

    /// The body of `/api/v1/processes`.
    pub(crate) fn native_processes(&self) -> &Rendered {
        let render = || Rendered::json(&Processes::of(&self.host, &Selection::All), self.tags());
        self.native.processes.get_or_init(render)
    }

    /// The body of `/api/v1/gpus/{gpu}/processes` for the GPU at `place` of the roster.
    pub(crate) fn native_processes_of(&self, place: usize) -> &Rendered {
        let render = || {
            let body = GpuProcesses::of(&self.host, place, &Selection::All);
            Rendered::json(&body, self.tags())
        };
        self.native.each[place].processes.get_or_init(render)
    }

    /// The body of `/api/v1/topology`.
    pub(crate) fn native_topology(&self) -> &Rendered {
        let render = || Rendered::json(&TopologyBody::of(&self.host, &Selection::All), self.tags());
        self.native.topology.get_or_init(render)
    }

    fn tags(&self) -> &Tags {
        &self.shared.tags
    }

    /// The opened object of a body, with a comma for what follows.
    fn beginning(&self) -> Vec<u8> {
        let mut json = to_json(&Head {
            generation: self.host.generation,
            published_at: self.host.published_at,
        });
        json.pop();
        json.push(b',');
        json
    }
}

impl ShownGpu {
    fn of(gpu: &Arc<GpuSnapshot>, pods: &Arc<PodAssignments>) -> Self {
        Self {
            gpu: Arc::clone(gpu),
            pods: Arc::clone(pods),
            json: OnceLock::new(),
        }
    }

    fn json(&self) -> &[u8] {
        self.json
            .get_or_init(|| to_json(&Gpu::of(&self.gpu, &self.pods, &Selection::All)))
    }
}
