//! Device memory.

use gpulse_models::{Memory, Reading, Reason};

use super::Gpu;
use crate::{convert, raw};

/// The addressing mode of GPUs that share the host's page tables (`NVML_DEVICE_ADDRESSING_MODE_ATS`).
const ATS: u32 = 2;

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
        unified: unified(gpu, info.and_then(|info| convert::bytes(info.total)).reason()),
    }
}

/// Whether the GPU shares the host's memory. A GPU that says nothing of memory of its own, and works on the host's page tables
/// or is joined to the processor chip to chip, has none.
fn unified(gpu: &mut Gpu<'_, '_>, no_memory: Option<Reason>) -> Reading<bool> {
    let device = gpu.device;
    match no_memory {
        None => {}
        Some(Reason::NotSupported) => {
            let ats = gpu
                .asker
                .ask("nvmlDeviceGetAddressingMode", || raw::addressing_mode(device), Ok)
                .map(|mode| mode == ATS);
            let joined = gpu
                .asker
                .ask("nvmlDeviceGetC2cModeInfoV", || raw::chip_to_chip(device), Ok);
            return match (ats, joined) {
                (Reading::Value(true), _) | (_, Reading::Value(true)) => Reading::Value(true),
                (Reading::Value(false), _) | (_, Reading::Value(false)) => Reading::Value(false),
                (Reading::Unavailable(reason), _) => Reading::Unavailable(reason),
            };
        }
        Some(reason) => return Reading::Unavailable(reason),
    }
    Reading::Value(false)
}
