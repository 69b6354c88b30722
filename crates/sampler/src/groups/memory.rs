//! Device memory.

use std::fs;

use gpulse_models::{Memory, Reading, Reason};

use super::Gpu;
use crate::{convert, raw};

/// The addressing mode of GPUs that share the host's page tables (`NVML_DEVICE_ADDRESSING_MODE_ATS`).
const ATS: u32 = 2;

/// The kernel leaves out of its sum what it was loaded into and what firmware keeps: less than this part of it.
const HOST_TOLERANCE: u64 = 20;

pub(super) fn read(gpu: &mut Gpu<'_, '_>) -> Memory {
    let device = gpu.device;
    let info = gpu.asker.ask(
        "nvmlDeviceGetMemoryInfo_v2",
        || raw::memory(device),
        convert::memory,
    );
    let bar1 = gpu
        .asker
        .ask("nvmlDeviceGetBAR1MemoryInfo", || device.bar1_memory_info(), Ok);
    let unified = unified(
        gpu,
        info.and_then(|info| convert::count(info.total)),
        bar1.as_ref().reason(),
    );
    // Some drivers give the host's memory for that of a GPU that has none.
    let info = match unified {
        Reading::Value(true) => Reading::Unavailable(Reason::NotSupported),
        _ => info,
    };
    Memory {
        total_bytes: info.and_then(|info| convert::bytes(info.total)),
        used_bytes: info.and_then(|info| convert::bytes(info.used)),
        free_bytes: info.and_then(|info| convert::bytes(info.free)),
        reserved_bytes: info.and_then(|info| {
            let reserved = info.reserved.ok_or(Reason::FunctionNotFound)?;
            convert::bytes(reserved)
        }),
        bar1_total_bytes: bar1.as_ref().and_then(|window| convert::bytes(window.total)),
        bar1_used_bytes: bar1.as_ref().and_then(|window| convert::bytes(window.used)),
        bar1_free_bytes: bar1.as_ref().and_then(|window| convert::bytes(window.free)),
        unified,
    }
}

/// Whether the GPU shares the host's memory: it says nothing of memory of its own, or has just as much as the host and no window
/// through which that would reach it; and it works on the host's page tables or is joined to the processor chip to chip.
fn unified(gpu: &mut Gpu<'_, '_>, total: Reading<u64>, window: Option<Reason>) -> Reading<bool> {
    match total {
        Reading::Value(total) if window != Some(Reason::NotSupported) || !is_the_hosts(total) => {
            return Reading::Value(false);
        }
        Reading::Value(_) | Reading::Unavailable(Reason::NotSupported) => {}
        Reading::Unavailable(reason) => return Reading::Unavailable(reason),
    }
    let device = gpu.device;
    let ats = gpu
        .asker
        .ask("nvmlDeviceGetAddressingMode", || raw::addressing_mode(device), Ok)
        .map(|mode| mode == ATS);
    let joined = gpu
        .asker
        .ask("nvmlDeviceGetC2cModeInfoV", || raw::chip_to_chip(device), Ok);
    match (ats, joined) {
        (Reading::Value(true), _) | (_, Reading::Value(true)) => Reading::Value(true),
        (Reading::Value(false), _) | (_, Reading::Value(false)) => Reading::Value(false),
        (Reading::Unavailable(reason), _) => Reading::Unavailable(reason),
    }
}

/// Whether so much memory is what the host has, give or take what its kernel keeps. Not if the host does not say.
fn is_the_hosts(total: u64) -> bool {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    host_memory(&text).is_some_and(|host| total.abs_diff(host) <= host / HOST_TOLERANCE)
}

/// The host's memory by the text of `/proc/meminfo`, bytes.
fn host_memory(text: &str) -> Option<u64> {
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let number: u64 = kibibytes.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::host_memory;

    #[test]
    fn the_hosts_memory_is_read_from_its_line() {
        let text = "MemTotal:       125449216 kB\nMemFree:        1234 kB\n";
        assert_eq!(host_memory(text), Some(125_449_216 << 10));
        assert_eq!(host_memory("MemFree: 5 kB\n"), None);
        assert_eq!(host_memory("MemTotal: much\n"), None);
    }
}
