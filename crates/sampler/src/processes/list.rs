//! NVML's three process lists, merged by pid.

use std::collections::BTreeMap;

use gpulse_models::{GpuProcess, Identity, MigPlace, ProcessKinds, Reading, Reason};
use nvml_wrapper::{Device, Nvml, error::NvmlError};

use crate::{
    asker::Asker,
    convert,
    raw::{self, ProcessEntry},
};

/// Longest name that is asked for; NVML cuts what is longer.
const NAME_BYTES: usize = 256;

/// NVML says how many processes there are and then fills a list: in between others may start, and the list is
/// too small. It is asked for this many times before that is an error.
const ATTEMPTS: usize = 3;

/// Reads who is on the GPU by NVML's account alone. The compute list decides whether there is an answer: where it fails, what the others
/// say would pass for the whole. Only a GPU that does not have it is judged by the others.
pub(super) fn processes(asker: &mut Asker, nvml: &Nvml, device: &Device<'_>) -> Reading<Vec<GpuProcess>> {
    let compute = asker.ask(
        "nvmlDeviceGetComputeRunningProcesses_v3",
        || raw::compute_processes(device),
        Ok,
    );
    let graphics = asker.ask(
        "nvmlDeviceGetGraphicsRunningProcesses_v3",
        || raw::graphics_processes(device),
        Ok,
    );
    let mps = asker.ask(
        "nvmlDeviceGetMPSComputeRunningProcesses_v3",
        || raw::mps_processes(device),
        Ok,
    );
    if let Reading::Unavailable(reason) = compute {
        let nobody_answered = graphics.value().is_none() && mps.value().is_none();
        if nobody_answered || !reason.is_permanent() {
            return Reading::Unavailable(reason);
        }
    }
    let mut merged = BTreeMap::new();
    merge(&mut merged, &compute, |kinds| kinds.compute = true);
    merge(&mut merged, &graphics, |kinds| kinds.graphics = true);
    merge(&mut merged, &mps, |kinds| kinds.mps = true);
    for process in merged.values_mut() {
        let pid = process.pid;
        process.name = asker.ask_host(
            "nvmlSystemGetProcessName",
            || nvml.sys_process_name(pid, NAME_BYTES),
            Ok,
        );
    }
    Reading::Value(merged.into_values().collect())
}

/// Asks again while the list grew between NVML's count and its answer.
pub(crate) fn patiently<T>(mut list: impl FnMut() -> Result<T, NvmlError>) -> Result<T, NvmlError> {
    let mut answer = list();
    for _ in 1..ATTEMPTS {
        if !matches!(answer, Err(NvmlError::InsufficientSize(_))) {
            break;
        }
        answer = list();
    }
    answer
}

fn merge(
    merged: &mut BTreeMap<u32, GpuProcess>,
    list: &Reading<Vec<ProcessEntry>>,
    mark: impl Fn(&mut ProcessKinds),
) {
    for info in list
        .value()
        .into_iter()
        .flatten()
        .filter(|info| convert::is_process(info.pid))
    {
        let used_memory: Reading<_> = convert::process_memory(info.memory).into();
        let process = merged.entry(info.pid).or_insert_with(|| GpuProcess {
            pid: info.pid,
            name: Reading::Unavailable(Reason::NotReady),
            used_memory,
            kinds: ProcessKinds::default(),
            mig: None,
            utilization: Reading::Unavailable(Reason::NotReady),
            identity: Identity::Unavailable(Reason::NotReady),
        });
        mark(&mut process.kinds);
        process.mig = process.mig.or_else(|| mig(info));
        // The lists count the same memory: the larger number is the more complete one.
        if used_memory.value().map(|bytes| bytes.0) > process.used_memory.value().map(|bytes| bytes.0) {
            process.used_memory = used_memory;
        }
    }
}

/// The instance that a process runs on, if NVML names one and not its blank value.
fn mig(info: &ProcessEntry) -> Option<MigPlace> {
    let id = |id: Option<u32>| id.filter(|id| !convert::is_blank(*id));
    Some(MigPlace {
        gpu_instance: id(info.gpu_instance)?,
        compute_instance: id(info.compute_instance),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpulse_models::Bytes;

    /// The driver does not say.
    const UNKNOWN: u64 = u64::MAX;

    fn entry(pid: u32, memory: u64) -> ProcessEntry {
        ProcessEntry {
            pid,
            memory,
            gpu_instance: None,
            compute_instance: None,
        }
    }

    #[test]
    fn a_pid_in_several_lists_is_one_process() {
        let mut merged = BTreeMap::new();
        let compute = Reading::Value(vec![entry(7, UNKNOWN), entry(3, 5)]);
        let graphics = Reading::Value(vec![entry(7, 9)]);
        merge(&mut merged, &compute, |kinds| kinds.compute = true);
        merge(&mut merged, &graphics, |kinds| kinds.graphics = true);
        assert_eq!(merged.keys().copied().collect::<Vec<_>>(), [3, 7]);
        assert_eq!(merged[&7].used_memory, Reading::Value(Bytes(9)));
        assert_eq!(
            merged[&7].kinds,
            ProcessKinds {
                compute: true,
                graphics: true,
                mps: false
            }
        );
    }

    #[test]
    fn the_instance_is_the_one_that_any_list_names() {
        let mut merged = BTreeMap::new();
        let unnamed = entry(7, UNKNOWN);
        let blank = ProcessEntry {
            gpu_instance: Some(2_147_483_632),
            ..unnamed
        };
        let named = ProcessEntry {
            gpu_instance: Some(3),
            compute_instance: Some(0),
            ..unnamed
        };
        for (info, expected) in [(unnamed, None), (blank, None), (named, Some((3, Some(0))))] {
            merge(&mut merged, &Reading::Value(vec![info]), |_| ());
            let place = merged[&7].mig.map(|mig| (mig.gpu_instance, mig.compute_instance));
            assert_eq!(place, expected);
        }
    }

    #[test]
    fn a_list_that_grew_is_asked_for_again_and_not_for_ever() {
        let mut calls = 0;
        let answer = patiently(|| {
            calls += 1;
            if calls == 1 {
                Err(NvmlError::InsufficientSize(None))
            } else {
                Ok(calls)
            }
        });
        assert_eq!(answer.unwrap(), 2);
        let mut calls = 0;
        let answer: Result<(), _> = patiently(|| {
            calls += 1;
            Err(NvmlError::InsufficientSize(None))
        });
        assert!(answer.is_err());
        assert_eq!(calls, ATTEMPTS);
    }
}
