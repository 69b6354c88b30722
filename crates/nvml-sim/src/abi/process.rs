//! Processes on a GPU: who runs, how much memory each holds, how busy each keeps the GPU.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Tagged, export};
use super::layout::{
    ProcessDetail, ProcessDetailList, ProcessInfo, ProcessInfoV1, ProcessUtilization, ProcessUtilizationInfo,
    ProcessesUtilizationInfo,
};
use super::samples;
use crate::engine::{Process, ProcessKind};

/// "No instance", where a process runs on the GPU as a whole.
pub(super) const NO_INSTANCE: u32 = u32::MAX;

/// NVML's number for memory that it cannot attribute.
const NOT_AVAILABLE: u64 = u64::MAX;

/// `NVML_GPU_..._BLANK`: what drivers leave in fields they never filled.
const BLANK: u32 = 2_147_483_632;

export! {
    any_device fn nvmlDeviceGetComputeRunningProcesses(count: InOut<u32>, list: Array<ProcessInfoV1>) |gpu| {
        list_v1(gpu, ProcessKind::Compute, &count, &list)
    }

    any_device fn nvmlDeviceGetComputeRunningProcesses_v2(count: InOut<u32>, list: Array<ProcessInfo>) |gpu| {
        list_v2(gpu, ProcessKind::Compute, &count, &list)
    }

    any_device fn nvmlDeviceGetComputeRunningProcesses_v3(count: InOut<u32>, list: Array<ProcessInfo>) |gpu| {
        list_v3(gpu, &entries(gpu, ProcessKind::Compute), &count, &list)
    }

    any_device fn nvmlDeviceGetGraphicsRunningProcesses(count: InOut<u32>, list: Array<ProcessInfoV1>) |gpu| {
        list_v1(gpu, ProcessKind::Graphics, &count, &list)
    }

    any_device fn nvmlDeviceGetGraphicsRunningProcesses_v2(count: InOut<u32>, list: Array<ProcessInfo>) |gpu| {
        list_v2(gpu, ProcessKind::Graphics, &count, &list)
    }

    any_device fn nvmlDeviceGetGraphicsRunningProcesses_v3(count: InOut<u32>, list: Array<ProcessInfo>) |gpu| {
        list_v3(gpu, &entries(gpu, ProcessKind::Graphics), &count, &list)
    }

    any_device fn nvmlDeviceGetMPSComputeRunningProcesses(
        count: InOut<u32>,
        list: Array<ProcessInfoV1>,
    ) |gpu| {
        // No simulated process shares its GPU through MPS.
        answer(gpu, &count, &list, &[])
    }

    any_device fn nvmlDeviceGetMPSComputeRunningProcesses_v2 | nvmlDeviceGetMPSComputeRunningProcesses_v3 (
        count: InOut<u32>,
        list: Array<ProcessInfo>,
    ) |gpu| {
        answer(gpu, &count, &list, &[])
    }

    any_device fn nvmlDeviceGetRunningProcessDetailList(details: Tagged) |gpu| {
        let place = details.of::<ProcessDetailList>()?;
        let asked = place.read()?;
        let kinds: &[ProcessKind] = match asked.mode {
            0 => &[ProcessKind::Compute],
            1 => &[ProcessKind::Graphics],
            2 => &[],
            3 => &[ProcessKind::Compute, ProcessKind::Graphics],
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        let all = kinds.iter().flat_map(|kind| entries(gpu, *kind));
        let list: Vec<_> = all.map(|entry| detail(gpu, &entry)).collect();
        place.write(ProcessDetailList { count: list.len() as u32, ..asked })?;
        let room = if asked.list == 0 { 0 } else { asked.count as usize };
        if room < list.len() { Err(Code::INSUFFICIENT_SIZE) } else { Array::at(asked.list).copy(&list) }
    }

    device fn nvmlDeviceGetProcessUtilization(
        list: Array<ProcessUtilization>,
        count: InOut<u32>,
        last_seen: u64,
    ) |gpu| {
        let busy = busy(gpu, last_seen)?;
        let samples: Vec<_> = busy
            .iter()
            .map(|(timestamp, process)| ProcessUtilization {
                pid: process.pid,
                timestamp: *timestamp,
                sm: process.sm_utilization,
                memory: process.memory_utilization,
                encoder: process.encoder_utilization,
                decoder: process.decoder_utilization,
            })
            .collect();
        answer(gpu, &count, &list, &samples)
    }

    device fn nvmlDeviceGetProcessesUtilizationInfo(info: Tagged) |gpu| {
        let place = info.of::<ProcessesUtilizationInfo>()?;
        let asked = place.read()?;
        let busy = busy(gpu, asked.last_seen)?;
        let samples: Vec<_> = busy
            .iter()
            .map(|(timestamp, process)| ProcessUtilizationInfo {
                timestamp: *timestamp,
                pid: process.pid,
                sm: process.sm_utilization,
                memory: process.memory_utilization,
                encoder: process.encoder_utilization,
                decoder: process.decoder_utilization,
                jpeg: process.jpeg_utilization,
                ofa: process.ofa_utilization,
            })
            .collect();
        place.write(ProcessesUtilizationInfo { count: samples.len() as u32, ..asked })?;
        let room = if asked.list == 0 { 0 } else { asked.count as usize };
        if room < samples.len() { Err(Code::INSUFFICIENT_SIZE) } else { Array::at(asked.list).copy(&samples) }
    }
}

/// A list in the layout of the first version, which knows nothing of instances.
pub(super) fn list_v1(
    gpu: &Device,
    kind: ProcessKind,
    count: &InOut<u32>,
    list: &Array<ProcessInfoV1>,
) -> Result {
    let short = |entry: ProcessInfo| ProcessInfoV1 {
        pid: entry.pid,
        used_gpu_memory: entry.used_gpu_memory,
    };
    let entries: Vec<_> = entries(gpu, kind).into_iter().map(short).collect();
    answer(gpu, count, list, &entries)
}

/// A list in the layout of the second version.
pub(super) fn list_v2(
    gpu: &Device,
    kind: ProcessKind,
    count: &InOut<u32>,
    list: &Array<ProcessInfo>,
) -> Result {
    answer(gpu, count, list, &entries(gpu, kind))
}

/// A list in the layout that this driver has for its third version: that of the second one, but for early drivers of the
/// R535 branch, whose entries were longer. A client that does not know has too little room, then as now.
pub(super) fn list_v3(
    gpu: &Device,
    entries: &[ProcessInfo],
    count: &InOut<u32>,
    list: &Array<ProcessInfo>,
) -> Result {
    if gpu.world.profile.driver.process_entry_bytes as usize == size_of::<ProcessInfo>() {
        return answer(gpu, count, list, entries);
    }
    let long: Vec<_> = entries.iter().map(|entry| detail(gpu, entry)).collect();
    answer(gpu, count, &list.of::<ProcessDetail>(), &long)
}

/// An entry with the memory that confidential computing protects: all of it where it is on.
fn detail(gpu: &Device, entry: &ProcessInfo) -> ProcessDetail {
    let protected = gpu.world.profile.driver.confidential_compute;
    ProcessDetail {
        pid: entry.pid,
        used_gpu_memory: entry.used_gpu_memory,
        gpu_instance: entry.gpu_instance,
        compute_instance: entry.compute_instance,
        protected_memory: if protected { entry.used_gpu_memory } else { 0 },
    }
}

/// Hands out a list.
pub(super) fn answer<T: Copy>(gpu: &Device, count: &InOut<u32>, list: &Array<T>, items: &[T]) -> Result {
    race(gpu, count)?;
    list.fill(count, items)
}

/// A fault may make a list grow between the question for its length and the one for its items.
pub(super) fn race(gpu: &Device, count: &InOut<u32>) -> Result {
    let room = count.read()?;
    if room > 0 && gpu.values().is_some_and(|values| values.count_race) {
        count.write(room.saturating_add(1))?;
        return Err(Code::INSUFFICIENT_SIZE);
    }
    Ok(())
}

pub(super) fn entries(gpu: &Device, kind: ProcessKind) -> Vec<ProcessInfo> {
    let processes = gpu.processes().into_iter().filter(|process| process.kind == kind);
    let mut list: Vec<_> = processes.map(|process| entry(gpu, &process)).collect();
    let Some(values) = gpu.values() else {
        return list;
    };
    if let Some(blanks) = values.blank_processes {
        let memory = u64::from(BLANK);
        let blank = ProcessInfo {
            pid: BLANK,
            used_gpu_memory: memory,
            gpu_instance: BLANK,
            compute_instance: BLANK,
        };
        list = vec![blank; blanks as usize];
    }
    for (place, pid) in values.pids.iter().flatten().enumerate() {
        match list.get_mut(place) {
            Some(entry) => entry.pid = *pid,
            None => list.push(ProcessInfo {
                pid: *pid,
                used_gpu_memory: 512 << 20,
                gpu_instance: NO_INSTANCE,
                compute_instance: NO_INSTANCE,
            }),
        }
    }
    if values.process_memory_unavailable {
        list.iter_mut()
            .for_each(|entry| entry.used_gpu_memory = NOT_AVAILABLE);
    }
    list
}

fn entry(gpu: &Device, process: &Process) -> ProcessInfo {
    let spec = gpu.spec().ok();
    let mig = process.mig.filter(|_| gpu.has_mig());
    let instance = mig.and_then(|mig| spec?.mig.get(mig));
    ProcessInfo {
        pid: process.pid,
        used_gpu_memory: process.memory,
        gpu_instance: instance.map_or(NO_INSTANCE, |instance| instance.gpu_instance),
        compute_instance: instance.map_or(NO_INSTANCE, |instance| instance.compute_instance),
    }
}

/// The processes that have kept the GPU busy since a timestamp, each with the time of its latest sample.
fn busy(gpu: &Device, last_seen: u64) -> Result<Vec<(u64, Process)>> {
    if gpu.has_mig() {
        return Err(Code::NOT_SUPPORTED);
    }
    let (now, samples) = samples::grid(gpu.now(), samples::utilization_period(gpu)?);
    let timestamp = gpu.world.timestamp_us(now);
    if samples == 0 || timestamp <= last_seen {
        return Err(Code::NOT_FOUND);
    }
    let mut list = gpu.processes();
    list.retain(|process| process.sm_utilization + process.encoder_utilization > 0);
    if let Some(utilization) = gpu.values().and_then(|values| values.process_utilization) {
        list.iter_mut()
            .for_each(|process| process.sm_utilization = utilization);
    }
    for (process, pid) in list.iter_mut().zip(
        gpu.values()
            .and_then(|values| values.pids.as_ref())
            .into_iter()
            .flatten(),
    ) {
        process.pid = *pid;
    }
    if list.is_empty() {
        return Err(Code::NOT_FOUND);
    }
    Ok(list.into_iter().map(|process| (timestamp, process)).collect())
}
