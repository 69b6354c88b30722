//! The instances that a GPU is cut into.

use std::collections::HashMap;

use gpulse_models::{Mig, MigDevice, Reading, Reason};
use nvml_wrapper::Device;

use super::{Gpu, activity::Monitor};
use crate::{
    convert,
    raw::{self, MigPlace},
};

/// No chip can be cut into more.
const MOST_INSTANCES: u32 = 16;

/// What is kept of the instances of one GPU.
#[derive(Default)]
pub(super) struct Instances<'n> {
    /// By UUID.
    known: HashMap<String, Known<'n>>,
    /// Whether the GPU was cut when it was last looked at.
    cut: Option<bool>,
}

/// What does not change while an instance exists, and its monitor.
struct Known<'n> {
    fixed: Fixed,
    monitor: Monitor<'n>,
}

#[derive(Clone)]
struct Fixed {
    name: Reading<String>,
    gpu_instance: Reading<u32>,
    compute_instance: Reading<u32>,
    attributes: Reading<raw::MigAttributes>,
}

impl<'n> Instances<'n> {
    pub(super) fn read(&mut self, gpu: &mut Gpu<'_, 'n>) -> Mig {
        let device = gpu.device;
        let mode = gpu
            .asker
            .ask("nvmlDeviceGetMigMode", || raw::mig_mode(device), Ok);
        let enabled = mode.map(|mode| mode.current);
        if let Reading::Value(cut) = enabled
            && self.cut.replace(cut).is_some_and(|before| before != cut)
        {
            // What the GPU as a whole can be asked for depends on it.
            gpu.asker.forget();
        }
        Mig {
            enabled,
            enabled_after_reset: mode.map(|mode| mode.pending),
            max_instances: gpu
                .asker
                .ask("nvmlDeviceGetMaxMigDeviceCount", || device.mig_device_count(), Ok),
            instances: match enabled {
                Reading::Value(true) => self.instances(gpu),
                Reading::Value(false) => {
                    self.known.clear();
                    Reading::Value(Vec::new())
                }
                Reading::Unavailable(reason) => Reading::Unavailable(reason),
            },
        }
    }

    fn instances(&mut self, gpu: &mut Gpu<'_, 'n>) -> Reading<Vec<MigDevice>> {
        let device = gpu.device;
        let mut found = Vec::new();
        for index in 0..MOST_INSTANCES {
            let handle = gpu.asker.ask_of(
                "nvmlDeviceGetMigDeviceHandleByIndex",
                index,
                || raw::mig_device(device, index),
                Ok,
            );
            match handle {
                Reading::Value(MigPlace::Taken(instance)) => found.push((index, instance)),
                Reading::Value(MigPlace::Free) => {}
                Reading::Value(MigPlace::Beyond) => break,
                // What could be listed besides would pass for all there is.
                Reading::Unavailable(reason) => return Reading::Unavailable(reason),
            }
        }
        let mut known = std::mem::take(&mut self.known);
        let list = found.into_iter().map(|(index, instance)| {
            let uuid = gpu
                .asker
                .ask_of("nvmlDeviceGetUUID(MIG)", index, || instance.uuid(), Ok);
            let of = match &uuid {
                Reading::Value(uuid) => known.remove(uuid),
                Reading::Unavailable(_) => None,
            };
            let mut of = of.unwrap_or_else(|| Known {
                fixed: fixed(gpu, index, &instance),
                monitor: Monitor::default(),
            });
            if of.fixed.is_provisional() {
                of.fixed = fixed(gpu, index, &instance);
            }
            let described = describe(gpu, index, &instance, uuid.clone(), &mut of);
            if let Reading::Value(uuid) = uuid {
                self.known.insert(uuid, of);
            }
            described
        });
        Reading::Value(list.collect())
    }
}

impl Fixed {
    /// Whether something is missing for a reason that may pass.
    fn is_provisional(&self) -> bool {
        [
            self.name.reason(),
            self.gpu_instance.reason(),
            self.compute_instance.reason(),
            self.attributes.reason(),
        ]
        .into_iter()
        .flatten()
        .any(|reason| !reason.is_permanent())
    }
}

fn fixed(gpu: &mut Gpu<'_, '_>, index: u32, instance: &Device<'_>) -> Fixed {
    let asker = &mut *gpu.asker;
    Fixed {
        name: asker.ask_of("nvmlDeviceGetName(MIG)", index, || instance.name(), Ok),
        gpu_instance: asker.ask_of(
            "nvmlDeviceGetGpuInstanceId",
            index,
            || raw::gpu_instance_id(instance),
            Ok,
        ),
        compute_instance: asker.ask_of(
            "nvmlDeviceGetComputeInstanceId",
            index,
            || raw::compute_instance_id(instance),
            Ok,
        ),
        attributes: asker.ask_of(
            "nvmlDeviceGetAttributes_v2",
            index,
            || raw::mig_attributes(instance),
            Ok,
        ),
    }
}

fn describe<'n>(
    gpu: &mut Gpu<'_, 'n>,
    index: u32,
    instance: &Device<'_>,
    uuid: Reading<String>,
    known: &mut Known<'n>,
) -> MigDevice {
    let fixed = &known.fixed;
    let memory = gpu.asker.ask_of(
        "nvmlDeviceGetMemoryInfo_v2(MIG)",
        index,
        || raw::memory(instance),
        convert::memory,
    );
    let processes = gpu.asker.ask_of(
        "nvmlDeviceGetComputeRunningProcesses_v3(MIG)",
        index,
        || raw::compute_processes(instance),
        Ok,
    );
    let activity = match fixed.gpu_instance {
        Reading::Value(id) => known.monitor.read_instance(gpu, id),
        Reading::Unavailable(reason) => gpulse_models::catalogue::Catalogued::absent(reason),
    };
    let attributes = fixed.attributes.as_ref();
    MigDevice {
        index: Reading::Value(index),
        uuid,
        profile: fixed
            .name
            .as_ref()
            .and_then(|name| profile(name).ok_or(Reason::NotSupported)),
        name: fixed.name.clone(),
        gpu_instance_id: fixed.gpu_instance,
        compute_instance_id: fixed.compute_instance,
        multiprocessors: attributes.map(|of| of.multiprocessors),
        gpu_slices: attributes.map(|of| of.gpu_slices),
        compute_slices: attributes.map(|of| of.compute_slices),
        memory_total_bytes: memory.and_then(|memory| convert::bytes(memory.total)),
        memory_used_bytes: memory.and_then(|memory| convert::bytes(memory.used)),
        memory_free_bytes: memory.and_then(|memory| convert::bytes(memory.free)),
        process_ids: processes.map(|list| {
            let mut pids: Vec<_> = list
                .iter()
                .map(|process| process.pid)
                .filter(|pid| convert::is_process(*pid))
                .collect();
            pids.sort_unstable();
            pids
        }),
        activity,
    }
}

/// The profile at the end of an instance's name: `NVIDIA H100 80GB HBM3 MIG 3g.40gb`.
fn profile(name: &str) -> Option<String> {
    name.rsplit_once("MIG ").map(|(_, profile)| profile.to_owned())
}

#[cfg(test)]
mod tests {
    use super::profile;

    #[test]
    fn a_profile_is_what_follows_the_word_mig() {
        assert_eq!(
            profile("NVIDIA A100-SXM4-40GB MIG 1c.3g.20gb").as_deref(),
            Some("1c.3g.20gb")
        );
        assert_eq!(profile("NVIDIA A100-SXM4-40GB"), None);
    }
}
