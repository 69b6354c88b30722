//! Process lists in whichever layout the driver has them: of version 3, 2 or 1 of the call, and of version 3 with the longer
//! entries that early drivers of branch R535 wrote.

use nvml_wrapper::{Device, error::NvmlError};
use nvml_wrapper_sys::bindings::{nvmlProcessInfo_v1_t, nvmlProcessInfo_v2_t};

use super::is_missing;
use crate::ffi::{self, WidestEntry};

/// Between the question how many there are and the one for them, a quarter more and this many may start.
const HEADROOM: usize = 8;

/// How often a list that grew meanwhile is asked for again.
const ATTEMPTS: usize = 3;

/// More processes than a GPU can have, as a bound on what a driver may claim.
const MOST_PROCESSES: usize = 65_536;

/// Lengths of an entry in version 3 of the calls, bytes.
const ENTRY: usize = 24;
const LONG_ENTRY: usize = 32;

/// What room is filled with before a call, to see how far it wrote.
const POISON: u64 = 0xA5C3_5A3C_A5C3_5A3C;

/// No MIG instance, or one that a process has nothing to do with.
const NO_INSTANCE: u32 = u32::MAX;

/// An entry of a process list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcessEntry {
    pub(crate) pid: u32,
    /// Bytes; all ones where the driver does not say.
    pub(crate) memory: u64,
    pub(crate) gpu_instance: Option<u32>,
    pub(crate) compute_instance: Option<u32>,
}

type List<T> = fn(&Device<'_>, &mut [T]) -> Result<usize, (NvmlError, usize)>;

/// The three versions of one call.
struct Versions {
    third: List<WidestEntry>,
    second: List<nvmlProcessInfo_v2_t>,
    first: List<nvmlProcessInfo_v1_t>,
}

/// `nvmlDeviceGetComputeRunningProcesses`
pub(crate) fn compute_processes(device: &Device<'_>) -> Result<Vec<ProcessEntry>, NvmlError> {
    list(
        device,
        &Versions {
            third: ffi::compute_v3,
            second: ffi::compute_v2,
            first: ffi::compute_v1,
        },
    )
}

/// `nvmlDeviceGetGraphicsRunningProcesses`
pub(crate) fn graphics_processes(device: &Device<'_>) -> Result<Vec<ProcessEntry>, NvmlError> {
    list(
        device,
        &Versions {
            third: ffi::graphics_v3,
            second: ffi::graphics_v2,
            first: ffi::graphics_v1,
        },
    )
}

/// `nvmlDeviceGetMPSComputeRunningProcesses`
pub(crate) fn mps_processes(device: &Device<'_>) -> Result<Vec<ProcessEntry>, NvmlError> {
    list(
        device,
        &Versions {
            third: ffi::mps_v3,
            second: ffi::mps_v2,
            first: ffi::mps_v1,
        },
    )
}

fn list(device: &Device<'_>, versions: &Versions) -> Result<Vec<ProcessEntry>, NvmlError> {
    match fill(device, versions.third, [POISON; 4]) {
        Ok((room, count)) => return Ok(decode(&room, count)),
        Err(error) if !is_missing(&error) => return Err(error),
        Err(_) => {}
    }
    let blank = nvmlProcessInfo_v2_t {
        pid: 0,
        usedGpuMemory: 0,
        gpuInstanceId: NO_INSTANCE,
        computeInstanceId: NO_INSTANCE,
    };
    match fill(device, versions.second, blank) {
        Ok((entries, count)) => return Ok(entries[..count].iter().map(of_second).collect()),
        Err(error) if !is_missing(&error) => return Err(error),
        Err(_) => {}
    }
    let blank = nvmlProcessInfo_v1_t {
        pid: 0,
        usedGpuMemory: 0,
    };
    let (entries, count) = fill(device, versions.first, blank)?;
    Ok(entries[..count]
        .iter()
        .map(|entry| ProcessEntry {
            pid: entry.pid,
            memory: entry.usedGpuMemory,
            gpu_instance: None,
            compute_instance: None,
        })
        .collect())
}

/// Asks how many there are, and then for them with some room to spare; again where more have started than that. The room, and
/// how many entries there are in it.
fn fill<T: Copy>(device: &Device<'_>, call: List<T>, blank: T) -> Result<(Vec<T>, usize), NvmlError> {
    let mut places = match call(device, &mut []) {
        Ok(0) => return Ok((Vec::new(), 0)),
        Ok(count) | Err((NvmlError::InsufficientSize(_), count)) => count,
        Err((error, _)) => return Err(error),
    };
    for _ in 0..ATTEMPTS {
        let mut room = vec![blank; (places + places / 4 + HEADROOM).min(MOST_PROCESSES)];
        match call(device, &mut room) {
            Ok(count) => {
                let count = count.min(room.len());
                return Ok((room, count));
            }
            Err((NvmlError::InsufficientSize(_), count)) => places = count.max(places * 2),
            Err((error, _)) => return Err(error),
        }
    }
    Err(NvmlError::InsufficientSize(None))
}

/// Decodes the first entries of room for entries of the longest kind.
///
/// What tells the layouts apart is how far was written: up to the end of the last short entry, or, by a driver that clears all the
/// room that it knows of first, up to where that ends in short entries. Everything else is of the long kind.
fn decode(room: &[WidestEntry], count: usize) -> Vec<ProcessEntry> {
    let bytes: Vec<u8> = room
        .iter()
        .flatten()
        .flat_map(|word| word.to_ne_bytes())
        .collect();
    let untouched = room
        .iter()
        .flatten()
        .rev()
        .take_while(|word| **word == POISON)
        .count();
    let written = bytes.len() - untouched * size_of::<u64>();
    let short = written <= count * ENTRY || written == room.len() * ENTRY;
    let length = if short { ENTRY } else { LONG_ENTRY };
    bytes.chunks_exact(length).take(count).map(of_bytes).collect()
}

/// One entry: pid, four bytes that mean nothing, memory, ids of the instances, and what else there is.
fn of_bytes(entry: &[u8]) -> ProcessEntry {
    let word = |at: usize| u32::from_ne_bytes(entry[at..at + 4].try_into().unwrap_or_default());
    let long = |at: usize| u64::from_ne_bytes(entry[at..at + 8].try_into().unwrap_or_default());
    ProcessEntry {
        pid: word(0),
        memory: long(8),
        gpu_instance: instance(word(16)),
        compute_instance: instance(word(20)),
    }
}

fn of_second(entry: &nvmlProcessInfo_v2_t) -> ProcessEntry {
    ProcessEntry {
        pid: entry.pid,
        memory: entry.usedGpuMemory,
        gpu_instance: instance(entry.gpuInstanceId),
        compute_instance: instance(entry.computeInstanceId),
    }
}

fn instance(id: u32) -> Option<u32> {
    Some(id).filter(|id| *id != NO_INSTANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for more than `entries`, of a length each, as the driver leaves it; one that clears it first leaves zeros.
    fn written(entries: &[ProcessEntry], length: usize, clears: bool) -> Vec<WidestEntry> {
        let places = entries.len() + entries.len() / 4 + HEADROOM;
        let mut bytes: Vec<u8> = POISON.to_ne_bytes().repeat(places * 4);
        if clears {
            bytes[..places * length].fill(0);
        }
        for (place, entry) in entries.iter().enumerate() {
            let at = &mut bytes[place * length..(place + 1) * length];
            at[..4].copy_from_slice(&entry.pid.to_ne_bytes());
            at[8..16].copy_from_slice(&entry.memory.to_ne_bytes());
            at[16..20].copy_from_slice(&entry.gpu_instance.unwrap_or(NO_INSTANCE).to_ne_bytes());
            at[20..24].copy_from_slice(&entry.compute_instance.unwrap_or(NO_INSTANCE).to_ne_bytes());
            if length == LONG_ENTRY {
                at[24..].fill(0);
            }
        }
        bytes
            .chunks_exact(LONG_ENTRY)
            .map(|entry| {
                std::array::from_fn(|word| u64::from_ne_bytes(entry[word * 8..][..8].try_into().unwrap()))
            })
            .collect()
    }

    fn entry(pid: u32, memory: u64, gpu_instance: Option<u32>) -> ProcessEntry {
        ProcessEntry {
            pid,
            memory,
            gpu_instance,
            compute_instance: gpu_instance.map(|_| 0),
        }
    }

    #[test]
    fn both_layouts_are_read_however_many_entries_there_are() {
        let some = [
            entry(4_242, 5 << 30, None),
            entry(7, u64::MAX, Some(3)),
            entry(2_147_483_632, 0, None),
        ];
        let entries: Vec<_> = some.iter().copied().cycle().take(60).collect();
        for count in 0..=entries.len() {
            for (length, clears) in [
                (ENTRY, false),
                (ENTRY, true),
                (LONG_ENTRY, false),
                (LONG_ENTRY, true),
            ] {
                let room = written(&entries[..count], length, clears);
                let read = decode(&room, count);
                assert_eq!(
                    read,
                    entries[..count],
                    "{count} entries of {length} bytes, cleared: {clears}"
                );
            }
        }
    }
}
