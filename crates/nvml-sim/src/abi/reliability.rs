//! Error counters, retired pages, remapped rows.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, Tagged, export};
use super::layout::{EccErrorCounts, EccSramErrorStatus, RemappedRows, RepairStatus, RowRemapperHistogram};

/// Banks of a GPU's memory whose spare rows the histogram counts; every bank has all its spares.
const BANKS: u32 = 640;

/// `nvmlMemoryErrorType_t`.
pub(super) const CORRECTED: u32 = 0;
pub(super) const UNCORRECTED: u32 = 1;
/// `nvmlEccCounterType_t`.
pub(super) const VOLATILE: u32 = 0;
pub(super) const AGGREGATE: u32 = 1;

export! {
    device fn nvmlDeviceGetEccMode(current: Out<u32>, pending: Out<u32>) |gpu| {
        needs_ecc(gpu)?;
        current.write(1)?;
        pending.write(1)
    }

    device fn nvmlDeviceGetDefaultEccMode(mode: Out<u32>) |gpu| {
        needs_ecc(gpu)?;
        mode.write(1)
    }

    device fn nvmlDeviceGetTotalEccErrors(kind: u32, counter: u32, count: Out<u64>) |gpu| {
        count.write(errors(gpu, kind, counter)?)
    }

    device fn nvmlDeviceGetDetailedEccErrors(kind: u32, counter: u32, counts: Out<EccErrorCounts>) |gpu| {
        // All simulated errors are errors of the device memory.
        let device_memory = errors(gpu, kind, counter)?;
        counts.write(EccErrorCounts { l1_cache: 0, l2_cache: 0, device_memory, register_file: 0 })
    }

    device fn nvmlDeviceGetMemoryErrorCounter(kind: u32, counter: u32, location: u32, count: Out<u64>) |gpu| {
        const DEVICE_MEMORY: u32 = 2;
        let all = errors(gpu, kind, counter)?;
        match location {
            DEVICE_MEMORY => count.write(all),
            0 | 1 | 3..=7 => count.write(0),
            _ => Err(Code::INVALID_ARGUMENT),
        }
    }

    device fn nvmlDeviceGetSramEccErrorStatus(status: Tagged) |gpu| {
        let place = status.of::<EccSramErrorStatus>()?;
        needs_ecc(gpu)?;
        place.write(EccSramErrorStatus {
            version: status.tag()?,
            aggregate_parity: 0,
            aggregate_sec_ded: 0,
            aggregate_corrected: 0,
            volatile_parity: 0,
            volatile_sec_ded: 0,
            volatile_corrected: 0,
            bucket_l2: 0,
            bucket_sm: 0,
            bucket_pcie: 0,
            bucket_mcu: 0,
            bucket_other: 0,
            threshold_exceeded: 0,
        })
    }

    device fn nvmlDeviceGetRetiredPages(cause: u32, count: InOut<u32>, addresses: Array<u64>) |gpu| {
        no_retired_pages(gpu, cause)?;
        addresses.fill(&count, &[])
    }

    device fn nvmlDeviceGetRetiredPages_v2(
        cause: u32,
        count: InOut<u32>,
        addresses: Array<u64>,
        _timestamps: Array<u64>,
    ) |gpu| {
        no_retired_pages(gpu, cause)?;
        addresses.fill(&count, &[])
    }

    device fn nvmlDeviceGetRetiredPagesPendingStatus(pending: Out<u32>) |gpu| {
        no_retired_pages(gpu, 0)?;
        pending.write(0)
    }

    device fn nvmlDeviceGetRemappedRows(
        corrected: Out<u32>,
        uncorrected: Out<u32>,
        pending: Out<u32>,
        failed: Out<u32>,
    ) |gpu| {
        let rows = remapped(gpu)?;
        corrected.write(rows.corrected_active)?;
        uncorrected.write(rows.uncorrected_active)?;
        pending.write(rows.pending)?;
        failed.write(rows.failed)
    }

    device fn nvmlDeviceGetRemappedRows_v2(info: Out<RemappedRows>) |gpu| {
        info.write(remapped(gpu)?)
    }

    device fn nvmlDeviceGetRowRemapperHistogram(histogram: Out<RowRemapperHistogram>) |gpu| {
        let used = remapped(gpu)?.uncorrected_active.min(BANKS);
        histogram.write(RowRemapperHistogram { max: BANKS - used, high: used, partial: 0, low: 0, none: 0 })
    }

    device fn nvmlDeviceGetRepairStatus(status: Tagged) |gpu| {
        let place = status.of::<RepairStatus>()?;
        if !gpu.spec()?.memory.row_remapping {
            return Err(Code::NOT_SUPPORTED);
        }
        place.write(RepairStatus { version: status.tag()?, channel_pending: 0, tpc_pending: 0 })
    }
}

/// The number of memory errors. Healthy boards have corrected a few in their life, and none since they were
/// started.
pub(super) fn errors(gpu: &Device, kind: u32, counter: u32) -> Result<u64> {
    needs_ecc(gpu)?;
    if kind > UNCORRECTED || counter > AGGREGATE {
        return Err(Code::INVALID_ARGUMENT);
    }
    let said = gpu.values().and_then(|values| match kind {
        CORRECTED => values.ecc_corrected,
        _ => values.ecc_uncorrected,
    });
    let in_life = gpu.world.engine.identity(gpu.gpu, 2) % 4;
    let healthy = if kind == CORRECTED && counter == AGGREGATE {
        in_life
    } else {
        0
    };
    Ok(said.unwrap_or(healthy))
}

pub(super) fn needs_ecc(gpu: &Device) -> Result {
    if gpu.spec()?.memory.ecc {
        Ok(())
    } else {
        Err(Code::NOT_SUPPORTED)
    }
}

/// Chips that remap rows retire no pages.
pub(super) fn no_retired_pages(gpu: &Device, cause: u32) -> Result {
    needs_ecc(gpu)?;
    if gpu.spec()?.memory.row_remapping {
        return Err(Code::NOT_SUPPORTED);
    }
    if cause > 1 {
        Err(Code::INVALID_ARGUMENT)
    } else {
        Ok(())
    }
}

pub(super) fn remapped(gpu: &Device) -> Result<RemappedRows> {
    if !gpu.spec()?.memory.row_remapping {
        return Err(Code::NOT_SUPPORTED);
    }
    let uncorrected = gpu
        .values()
        .and_then(|values| values.remapped_uncorrected)
        .unwrap_or(0);
    Ok(RemappedRows {
        corrected_active: 0,
        corrected_inactive: 0,
        uncorrected_active: uncorrected,
        uncorrected_inactive: 0,
        pending: 0,
        failed: 0,
    })
}
